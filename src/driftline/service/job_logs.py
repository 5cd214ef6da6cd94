"""What jobs printed: the log file of a job, and its lines by their places in it. Nothing is read whole."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

MOST_BYTES = 1 << 20
"""How much of a log one look reads."""
MOST_LINES = 10_000


class JobLog(msgspec.Struct, frozen=True):
    """The log of a job. ``ended`` tells that nothing will be added, so that a last line without an end counts too."""

    job: str
    path: Path
    started: datetime
    ended: bool = True

    @property
    def size(self) -> int:
        """Its length in bytes; 0 where the job has written nothing."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0


class Line(msgspec.Struct, frozen=True):
    """A line without its end, and the bytes [start, end) that it takes in the file."""

    start: int
    end: int
    text: str


def lines_from(log: JobLog, start: int, most: int = MOST_LINES) -> list[Line]:
    """The whole lines from a place on, at most so many and of a megabyte; empty where there are none (yet)."""
    content = _read(log, start, MOST_BYTES)
    return _whole(log, content, start, atleast=len(content) >= MOST_BYTES)[:most]


def lines_before(log: JobLog, end: int | None = None, most: int = MOST_LINES) -> list[Line]:
    """The last whole lines before a place, or of the log: at most so many and of a megabyte."""
    stop = log.size if end is None else min(end, log.size)
    start = max(0, stop - MOST_BYTES)
    content = _read(log, start, stop - start)
    # What begins before the part that was read is not shown torn, unless nothing else is there.
    torn = content.find(b"\n") + 1 if start else 0
    return _whole(log, content[torn:], start + torn, atleast=end is not None)[-most:]


def _whole(log: JobLog, content: bytes, start: int, *, atleast: bool) -> list[Line]:
    """The lines of a part of the file; its unfinished last one if the job has ended, or it fills the part alone."""
    pieces = content.split(b"\n")
    rest = pieces.pop()
    lines = []
    for piece in pieces:
        end = start + len(piece) + 1
        lines.append(_line(start, end, piece))
        start = end
    if rest and ((log.ended and start + len(rest) >= log.size) or (atleast and not lines)):
        lines.append(_line(start, start + len(rest), rest))
    return lines


def _line(start: int, end: int, content: bytes) -> Line:
    return Line(start, end, content.decode("utf-8", "replace").rstrip("\r"))


def _read(log: JobLog, start: int, most: int) -> bytes:
    try:
        with log.path.open("rb") as file:
            file.seek(start)
            return file.read(most)
    except OSError:
        return b""
