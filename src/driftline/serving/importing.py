"""Capture and label files of another system, brought into the data folder: hour by hour, and only once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from driftline.core.errors import InputError
from driftline.core.records import decode_capture
from driftline.core.window import partition
from driftline.resources.captures import ImportReceipt
from driftline.storage.files import write_atomic

_SAMPLES = 3


def import_lines(body: bytes, folder: Path, read: Callable[[bytes], tuple[datetime, bytes]]) -> ImportReceipt:
    """Stores the lines of ``body`` under ``folder``; ``read`` tells the moment of each, and how it is stored.

    A line for which it raises :class:`InputError` is refused and counted. A file is named by what is in it, so the
    same content is never stored twice.
    """
    hours: dict[str, list[tuple[datetime, bytes]]] = {}
    refused: list[str] = []
    for number, line in _lines(body):
        try:
            moment, kept = read(line)
        except InputError as error:
            refused.append(f"line {number}: {error.what}" if len(refused) < _SAMPLES else "")
            continue
        hours.setdefault(partition(moment), []).append((moment, kept))
    stored = [_store(folder / hour, lines) for hour, lines in hours.items()]
    records = sum(len(lines) for lines in hours.values())
    new = sum(stored)
    return ImportReceipt(new, sum(map(bool, stored)), records - new, len(refused), tuple(refused[:_SAMPLES]))


def read_capture(line: bytes) -> tuple[datetime, bytes]:
    """The time of the inference in a capture record, and the line; raises :class:`InputError` for one without."""
    moment = decode_capture(line).event_metadata.inference_time
    if moment is None:
        raise InputError("the record has no inferenceTime", hint="without it no window would contain it")
    return moment, line


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(body.split(b"\n"), 1):
        stripped = line.strip()
        if stripped:
            yield number, stripped


def _store(hour: Path, lines: list[tuple[datetime, bytes]]) -> int:
    """How many lines were written: all, or none where they are there already."""
    content = b"\n".join(line for _, line in lines) + b"\n"
    first = min(moment for moment, _ in lines)
    unique = UUID(bytes=hashlib.blake2b(content, digest_size=16).digest())
    path = hour / f"{first:%M-%S}-{first.microsecond // 1000:03d}-{unique}.jsonl"
    if path.exists():
        return 0
    write_atomic(path, content)
    return len(lines)
