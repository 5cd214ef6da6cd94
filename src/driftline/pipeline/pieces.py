"""What was measured of an hour, kept: a longer window, or the same one judged again, reads no capture twice.

A window is cut at full hours into pieces. A piece is kept in a file with the state of its rows, the captures it was
made of, the hashes of its ids and which of them had a label. It holds as long as its captures are the same files of the
same size and no label file that came since names one of its ids. Deleting kept pieces costs time and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from driftline.core.window import HOUR, Window, partition
from driftline.engine.rejects import Reject
from driftline.storage.files import write_atomic

Hashes = npt.NDArray[np.uint64]
_FORMAT = 1


class Piece(msgspec.Struct, frozen=True):
    """What is kept of [start, end).

    ``captures`` is the fingerprint of the files read. ``ids`` are the sorted hashes of the ids of all predictions as
    bytes of 64-bit numbers, ``labelled`` a byte for each. ``seen`` are fingerprints of label files that were read, or
    were found to name none of the ids. ``lags`` counts matched labels by whole hours between prediction and label.
    """

    captures: str
    state: bytes
    counts: dict[str, int]
    rejects: tuple[Reject, ...]
    ids: bytes
    labelled: bytes
    seen: frozenset[str] = frozenset()
    lags: dict[int, int] = {}

    def hashes(self) -> Hashes:
        """The ids' hashes, ascending."""
        return np.frombuffer(self.ids, dtype=np.uint64)

    def touched(self, labels: Hashes) -> npt.NDArray[np.bool_]:
        """Which of the ids are among the ids of labels."""
        found: npt.NDArray[np.bool_] = np.isin(self.hashes(), labels)
        return found

    def unlabelled(self) -> npt.NDArray[np.bool_]:
        """Which of the ids had no label."""
        found: npt.NDArray[np.bool_] = np.frombuffer(self.labelled, dtype=np.uint8) == 0
        return found


class Pieces:
    """The kept pieces of one way of measuring: ``key`` says everything that the numbers depend on."""

    def __init__(self, folder: str | Path, key: Any) -> None:
        text = msgspec.json.encode([_FORMAT, version("driftline"), key], order="deterministic")
        self._folder = Path(folder) / hashlib.sha256(text).hexdigest()[:16]

    def load(self, window: Window) -> Piece | None:
        """The piece of a window; None where none is kept, or what is kept cannot be read."""
        try:
            return msgspec.msgpack.decode(self._path(window).read_bytes(), type=Piece)
        except (OSError, msgspec.DecodeError):
            return None

    def save(self, window: Window, piece: Piece) -> None:
        """Keep a piece."""
        write_atomic(self._path(window), msgspec.msgpack.encode(piece))

    def _path(self, window: Window) -> Path:
        name = f"{window.start:%M%S%f}-{(window.end - window.start) // timedelta(microseconds=1)}.piece"
        return self._folder / partition(window.start) / name


def cut(window: Window) -> list[Window]:
    """A window cut at full hours.

    >>> from driftline.core.window import parse_time
    >>> [str(piece) for piece in cut(Window(parse_time("2026-11-22T10:30Z"), parse_time("2026-11-22T12:00Z")))]
    ['2026-11-22 10:30–11:00 UTC', '2026-11-22 11:00–12:00 UTC']
    """
    hours = [(max(hour, window.start), min(hour + HOUR, window.end)) for hour in window.hours()]
    return [Window(start, end) for start, end in hours if start < end]


def fingerprint(files: Iterable[str]) -> str:
    """Names and sizes of files in one text: captures and labels are only ever added or appended to."""
    return hashlib.sha256("\n".join(sorted(fingerprints(files))).encode()).hexdigest()[:32]


def fingerprints(files: Iterable[str]) -> dict[str, str]:
    """Name and size of each file in one text, with the file; a file that has gone meanwhile is left out."""
    found = {}
    for file in files:
        try:
            found[f"{file}:{Path(file).stat().st_size}"] = file
        except OSError:
            continue
    return found


def merged_counts(pieces: Sequence[Piece]) -> dict[str, int]:
    """The counts of all pieces together."""
    names = dict.fromkeys(name for piece in pieces for name in piece.counts)
    return {name: sum(piece.counts.get(name, 0) for piece in pieces) for name in names}
