"""What of a data folder waits to be shipped to a bucket, as its shipper tells it to the processes beside it: figures in
a file, and a mark that is there while the spool is full and nothing more may be captured."""

from __future__ import annotations

import fcntl
import struct
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import msgspec

from driftline.storage.layout import Layout

_MARK, _FIGURES, _DROPPED, _WANTED = "spool.full", "shipping.json", "spool.dropped", "shipping.wanted"
_NUMBER = struct.Struct("<Q")
STALE = 30.0
"""Seconds after which a shipper that says nothing is taken for dead, and its mark for nothing."""


class Shipping(msgspec.Struct, frozen=True):
    """What a shipper says of itself. Times are real, in epoch seconds; bytes and files are of captures and labels.

    ``files`` and ``bytes`` are on this disk only, since ``oldest``; ``cached`` bytes are in the store as well. The
    others count since the data folder was made: ``shipped_bytes`` in ``uploads`` (an open file is uploaded again and
    again), ``failures`` of uploads, ``retries`` of what had failed. ``trouble`` is why the spool does not drain, with
    what to do; ``full`` says that captures are dropped for want of room.
    """

    seen: float
    files: int = 0
    bytes: int = 0
    oldest: float | None = None
    cached: int = 0
    shipped_bytes: int = 0
    uploads: int = 0
    failures: int = 0
    retries: int = 0
    trouble: str = ""
    full: bool = False


def want(layout: Layout) -> None:
    """Say that something of a data folder is to be shipped: its shipper is started, if it is not there already."""
    with suppress(OSError):
        (layout.data / _WANTED).touch()


def wanted(layout: Layout) -> bool:
    """Whether somebody said so."""
    return (layout.data / _WANTED).exists()


def tell(layout: Layout, shipping: Shipping) -> None:
    """Write the figures, and set or take away the mark. A full disk is no reason to fail: the mark is only touched."""
    mark = layout.data / _MARK
    with suppress(OSError):
        if shipping.full:
            mark.touch()
        else:
            mark.unlink(missing_ok=True)
        unfinished = layout.data / f".{uuid4().hex}.tmp"
        try:
            unfinished.write_bytes(msgspec.json.encode(shipping))
            unfinished.replace(layout.data / _FIGURES)
        finally:
            unfinished.unlink(missing_ok=True)


def figures(layout: Layout) -> Shipping | None:
    """What the shipper said last; None where none ever worked on the folder."""
    try:
        return msgspec.json.decode((layout.data / _FIGURES).read_bytes(), type=Shipping)
    except (OSError, msgspec.MsgspecError):
        return None


def full(data: Path) -> bool:
    """Whether nothing more may be captured into a data folder. One look at a file's date."""
    try:
        return time.time() - (data / _MARK).stat().st_mtime < STALE
    except OSError:
        return False


def add_dropped(data: Path, number: int) -> bool:
    """Count captures that were dropped because the spool was full; False where that cannot be done now."""
    try:
        with (data / _DROPPED).open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            before = file.read(_NUMBER.size)
            file.truncate(0)
            file.write(_NUMBER.pack((_NUMBER.unpack(before)[0] if len(before) == _NUMBER.size else 0) + number))
    except OSError:
        return False
    return True


def dropped(data: Path) -> int:
    """How many captures were dropped so far because the spool was full."""
    try:
        found = (data / _DROPPED).read_bytes()
    except OSError:
        return 0
    return int(_NUMBER.unpack(found)[0]) if len(found) == _NUMBER.size else 0
