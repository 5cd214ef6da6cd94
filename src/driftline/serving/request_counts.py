"""Requests counted by endpoint, status and outcome, with how long they took, in memory that every process can read.

Each web process counts in a file of its own that is mapped into memory: counting is two additions and no system call,
any process can add up all files, and a process that is killed loses nothing. A file is held by a lock; the process that
follows takes a free one and counts on, so that the counts never go back and the files do not grow in number.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import struct
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter_ns

import msgspec

_log = logging.getLogger(__name__)
BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""The upper bounds of the buckets, in seconds; one more bucket has what took longer."""
_NANOSECONDS = tuple(round(bound * 1e9) for bound in BOUNDS)
_LABELS = struct.Struct("<64s40sQ")
_NUMBERS = struct.Struct(f"<{len(BOUNDS) + 2}Q")
_RECORD, _RECORDS = 256, 2048
_FIRST, _CELLS = _LABELS.size // 8, _RECORD // 8
_SUM = len(BOUNDS) + 1
_MOST_PROCESSES = 1024
_Key = tuple[str, int, str]


class RequestCount(msgspec.Struct, frozen=True):
    """Requests of one endpoint that ended alike: how many in each bucket, and how many seconds they took together.

    ``endpoint`` is empty where the one that was asked for does not exist. ``outcome`` is ``ok`` or an error's code.
    """

    endpoint: str
    status: int
    outcome: str
    buckets: tuple[int, ...]
    seconds: float


class RequestCounts:
    """What this process counts, under ``folder``. Where no file can be had it counts for itself alone.

    :meth:`count` is for one thread. Close it after use.
    """

    def __init__(self, folder: Path) -> None:
        self._file, self._memory = _claimed(folder)
        self._cells = memoryview(self._memory).cast("Q")
        self._places: dict[_Key, int] = {}
        found = enumerate(_labels(self._memory, number * _RECORD) for number in range(_RECORDS - 1))
        self._used = next((number for number, key in found if not key[1]), _RECORDS - 1)
        for number in range(self._used):
            self._places[_labels(self._memory, number * _RECORD)] = number * _CELLS + _FIRST

    def count(self, endpoint: str, status: int, outcome: str, began: int) -> None:
        """Count a request that began at this :func:`time.perf_counter_ns` and has ended now."""
        took = perf_counter_ns() - began
        place = self._places.get((endpoint, status, outcome))
        if place is None:
            place = self._new(endpoint, status, outcome)
        cells = self._cells
        cells[place + bisect_left(_NANOSECONDS, took)] += 1
        cells[place + _SUM] += took

    def close(self) -> None:
        """Give the file back to whoever counts next."""
        self._cells.release()
        self._memory.close()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _new(self, endpoint: str, status: int, outcome: str) -> int:
        """A place for another kind of request. When all are taken it is the last one, which nobody reads."""
        number = self._used
        if number < _RECORDS - 1:
            self._used += 1
            _LABELS.pack_into(self._memory, number * _RECORD, endpoint.encode(), outcome.encode(), status)
        place = self._places[endpoint, status, outcome] = number * _CELLS + _FIRST
        return place


def read_counts(folder: Path) -> list[RequestCount]:
    """The counts of all processes together, those that have ended too, by endpoint, status and outcome."""
    sums: dict[_Key, list[int]] = {}
    for path in sorted(folder.glob("requests-*.counts")):
        for key, numbers in _records(_content(path)):
            before = sums.setdefault(key, [0] * len(numbers))
            sums[key] = [one + other for one, other in zip(before, numbers, strict=True)]
    return [RequestCount(*key, tuple(numbers[:-1]), numbers[-1] / 1e9) for key, numbers in sorted(sums.items())]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _records(content: bytes) -> Iterator[tuple[_Key, tuple[int, ...]]]:
    for start in range(0, len(content) - _RECORD + 1, _RECORD):
        key = _labels(content, start)
        if not key[1]:
            return
        yield key, _NUMBERS.unpack_from(content, start + _LABELS.size)


def _labels(content: bytes | mmap.mmap, start: int) -> _Key:
    endpoint, outcome, status = _LABELS.unpack_from(content, start)
    return endpoint.rstrip(b"\0").decode(errors="replace"), status, outcome.rstrip(b"\0").decode(errors="replace")


def _claimed(folder: Path) -> tuple[int | None, mmap.mmap]:
    """A file that no other process counts in, with its lock, as memory; memory alone where there is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(_MOST_PROCESSES):
            file = _locked(folder / f"requests-{number:04d}.counts")
            if file is not None:
                return file, mmap.mmap(file, _RECORD * _RECORDS)
    except OSError as error:
        _log.error("requests are not counted for all processes: %s", error)
    return None, mmap.mmap(-1, _RECORD * _RECORDS)


def _locked(path: Path) -> int | None:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Writing to mapped memory that has no room on the disk would end the process, so the room is taken now.
        os.posix_fallocate(file, 0, _RECORD * _RECORDS)
    except BlockingIOError:
        os.close(file)
        return None
    except OSError:
        os.close(file)
        raise
    return file
