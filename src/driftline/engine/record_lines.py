"""Captured records as they stand in their files, line by line: what a user's script is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from driftline.core.window import Window
from driftline.engine.sources import Sources, each_line


class _Metadata(msgspec.Struct):
    eventId: str = ""  # noqa: N815 - the name in the file
    inferenceTime: datetime | None = None  # noqa: N815


class _Record(msgspec.Struct):
    eventMetadata: _Metadata = msgspec.field(default_factory=_Metadata)  # noqa: N815


_decoder = msgspec.json.Decoder(_Record)


def record_lines(files: Iterable[str], window: Window | None) -> Iterator[bytes]:
    """The lines of capture files, each event once, in a window by their inference time.

    A line that is no record is given too, so that whoever takes the lines can count it; what stands after a file's
    last line end is not, as it may still be written.
    """
    seen: set[str] = set()
    for line in each_line(Sources.of(files)):
        if line.endswith(b"\n") and _wanted(line, window, seen):
            yield line


def _wanted(line: bytes, window: Window | None, seen: set[str]) -> bool:
    try:
        found = _decoder.decode(line).eventMetadata
    except (msgspec.DecodeError, UnicodeDecodeError):
        return bool(line.strip())
    if found.eventId in seen:
        return False
    time = found.inferenceTime
    if window is not None and time is not None and not window.start <= time < window.end:
        return False
    if found.eventId:
        seen.add(found.eventId)
    return True
