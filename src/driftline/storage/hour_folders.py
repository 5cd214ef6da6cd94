"""What lies in hour folders, looked at within bounds: a folder of a hundred thousand files costs no more than one of
a thousand."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from driftline.core.window import partition

MOST_FILES = 1000
"""How many files of one hour are looked at."""
_MOST_ENTRIES = 20_000
_MOST_BASES = 20
_YEAR = re.compile(r"\d{4}", re.ASCII)
_NEWLINES = 1 << 20


class HourFolder(msgspec.Struct, frozen=True):
    """The files of an hour: how many (at least so many, where there are ``more``), their bytes, and their paths."""

    hour: datetime
    files: int
    bytes: int
    more: bool
    paths: tuple[str, ...] = ()


def bases(root: Path) -> list[Path]:
    """The folders under which hours may lie: ``root`` itself, and its folders that are no years, the first twenty."""
    found = [root]
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                if not _YEAR.fullmatch(entry.name) and entry.is_dir():
                    found.append(Path(entry.path))
                if len(found) > _MOST_BASES:
                    break
    except OSError:
        return found
    return [root, *sorted(found[1:])]


def is_lines(name: str) -> bool:
    """Whether a file's name is that of JSON lines."""
    return name.endswith(".jsonl")


def look(
    folders: Sequence[Path], hours: Sequence[datetime], wanted: Callable[[str], bool] = is_lines
) -> list[HourFolder]:
    """What lies in the hours under some folders, of files with a ``wanted`` name. When too much was looked at, the
    rest is told as ``more``."""
    left, found = _MOST_ENTRIES, []
    for hour in hours:
        looked = _Hour(wanted, min(MOST_FILES, left))
        for folder in folders:
            looked.look(folder / partition(hour))
        left -= looked.seen
        found.append(HourFolder(hour, len(looked.paths), looked.bytes, looked.more, tuple(sorted(looked.paths))))
    return found


class _Hour:
    def __init__(self, wanted: Callable[[str], bool], most: int) -> None:
        self._wanted, self._most = wanted, most
        self.seen, self.bytes, self.more = 0, 0, False
        self.paths: list[str] = []

    def look(self, folder: Path) -> None:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if self.seen >= self._most:
                        self.more = True
                        return
                    self.seen += 1
                    if self._wanted(entry.name) and entry.is_file():
                        self.paths.append(entry.path)
                        self.bytes += entry.stat().st_size
        except OSError:
            # A folder that is not there is an hour without files; one that goes meanwhile too.
            return


def count_lines(paths: Sequence[str], *, most_files: int = 500, most_bytes: int = 8 << 20) -> tuple[int, bool]:
    """The lines of files, and whether they are all of them: reading ends at some files and bytes."""
    lines, left = 0, most_bytes
    for path in paths[:most_files]:
        try:
            with open_regular(path) as file:
                while left > 0 and (block := file.read(min(_NEWLINES, left))):
                    lines, left = lines + block.count(b"\n"), left - len(block)
        except OSError:
            continue
        if left <= 0:
            return lines, False
    return lines, len(paths) <= most_files


def first_lines(path: str, number: int, *, most_bytes: int = 64 << 10) -> list[str]:
    """The first lines of a file; what lies beyond ``most_bytes`` is not read, so the last one may be cut."""
    try:
        with open_regular(path) as file:
            data = file.read(most_bytes)
    except OSError:
        return []
    return [line.decode("utf-8", "replace") for line in data.split(b"\n", number)[:number] if line.strip()]


def open_regular(path: str) -> io.FileIO:
    """A file for reading; raises ``OSError`` for a link, and never waits for a pipe."""
    return io.FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
