"""What was measured of an hour, kept: a longer window, or the same one judged again, reads no capture twice.

A window is cut at full hours into pieces. A piece is kept in a file with the state of its rows, the captures it was
made of, the hashes of its ids and which of them had a label. It holds as long as its captures are the same files of the
same size and no label file that came since names one of its ids. Deleting kept pieces costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from driftline.core.window import HOUR, Window, partition
from driftline.engine.compacted.standing import marks
from driftline.engine.rejects import Reject
from driftline.storage.files import write_atomic

Hashes = npt.NDArray[np.uint64]
_FORMAT = 2
_COLLECTED = re.compile(r"/(\d{4})/(\d\d)/(\d\d)/(\d\d)/(?:([0-5]\d)-([0-5]\d)-)?[^/]*$")


class Piece(msgspec.Struct, frozen=True):
    """What is kept of [start, end).

    ``captures`` is the fingerprint of the files read. ``ids`` are the sorted hashes of the ids of all predictions as
    bytes of 64-bit numbers, ``labelled`` a byte for each. ``seen`` are fingerprints of label files that were read, or
    were found to name none of the ids, as bytes of ascending 64-bit numbers. ``lags`` counts labels by the minutes
    from the middle of the piece to the collection of the label.
    """

    captures: str
    state: bytes
    counts: dict[str, int]
    rejects: tuple[Reject, ...]
    ids: bytes
    labelled: bytes
    lags: dict[int, int] = {}
    seen: bytes = b""

    def hashes(self) -> Hashes:
        """The ids' hashes, ascending."""
        return np.frombuffer(self.ids, dtype=np.uint64)

    def touched(self, labels: Hashes) -> npt.NDArray[np.bool_]:
        """Which of the ids are among the ids of labels."""
        found: npt.NDArray[np.bool_] = np.isin(self.hashes(), labels)
        return found

    def unseen(self, labels: Mapping[int, str]) -> dict[int, str]:
        """Of label files, by fingerprint, those that were not looked at."""
        marks = np.fromiter(labels, dtype=np.uint64, count=len(labels))
        known = np.isin(marks, np.frombuffer(self.seen, dtype=np.uint64), assume_unique=True)
        return {mark: file for (mark, file), seen in zip(labels.items(), known.tolist(), strict=True) if not seen}

    def unlabelled(self) -> npt.NDArray[np.bool_]:
        """Which of the ids had no label."""
        found: npt.NDArray[np.bool_] = np.frombuffer(self.labelled, dtype=np.uint8) == 0
        return found


class Pieces:
    """The kept pieces of one way of measuring: ``key`` says everything that the numbers depend on."""

    def __init__(self, folder: str | Path, key: Any) -> None:
        text = msgspec.json.encode([_FORMAT, version("driftline"), key], order="deterministic")
        self.folder = Path(folder) / hashlib.sha256(text).hexdigest()[:16]
        """Where they are, by hours; the same below ``folder`` on every machine."""

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
        return self.folder / partition(window.start) / name


def collected(file: str) -> datetime | None:
    """When a label file was collected, from its folders and, where it begins with minute and second, its name.

    >>> collected("labels/2026/11/22/10/41-07-002-6f1c.jsonl").isoformat(), collected("labels/all.jsonl")
    ('2026-11-22T10:41:07+00:00', None)
    """
    found = _COLLECTED.search(file)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def lag_counts(lags: Mapping[int, int]) -> dict[str, int]:
    """The median and the 95th percentile of label lags in minutes, where there are any."""
    if not lags:
        return {}
    minutes = np.array(sorted(lags))
    share = np.cumsum([lags[minute] for minute in minutes]) / sum(lags.values())
    found = minutes[np.searchsorted(share, [0.5, 0.95])]
    return {"label_lag_median_minutes": int(found[0]), "label_lag_p95_minutes": int(found[1])}


def cut(window: Window) -> list[Window]:
    """A window cut at full hours.

    >>> from driftline.core.window import parse_time
    >>> [str(piece) for piece in cut(Window(parse_time("2026-11-22T10:30Z"), parse_time("2026-11-22T12:00Z")))]
    ['2026-11-22 10:30–11:00 UTC', '2026-11-22 11:00–12:00 UTC']
    """
    hours = [(max(hour, window.start), min(hour + HOUR, window.end)) for hour in window.hours()]
    return [Window(start, end) for start, end in hours if start < end]


def fingerprint(files: Iterable[str], root: str | Path | None = None) -> str:
    """Names and sizes of files in one text: captures and labels are only ever added or appended to. A compacted file
    stands for its originals, so what was made of them holds."""
    return hashlib.sha256(seen_of(fingerprints(files, root))).hexdigest()[:32]


def fingerprints(files: Iterable[str], root: str | Path | None = None) -> dict[int, str]:
    """Every file by a 64-bit hash of its name and size; a file that has gone meanwhile is left out.

    Where ``root``, the folder that is read, is given, names are those below it, so that the same files have the same
    fingerprints on every machine, wherever its data folder is.
    """
    found, above = {}, "" if root is None else f"{Path(root)}/"
    for file, size in marks(list(files)):
        text = f"{file.removeprefix(above)}:{size}"
        found[int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")] = file
    return found


def seen_of(marks: Iterable[int]) -> bytes:
    """Fingerprints as :class:`Piece` keeps them."""
    return np.array(sorted(marks), dtype=np.uint64).tobytes()
