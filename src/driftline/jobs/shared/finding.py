"""Finds files that are new in hour folders, without listing what did not change: a folder's date says whether a file
came or went."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from driftline.core.records import utc
from driftline.core.window import HOUR, partition

_RACY = 2.0
"""A folder that changed within so many seconds before it was listed may change again and keep its date."""
_YEAR = re.compile(r"\d{4}", re.ASCII)
_HOUR = re.compile(r"(?:.*/)?\d{4}/\d{2}/\d{2}/\d{2}", re.ASCII)
MOST_HOURS = 48


class Finder:
    """The files ``*.jsonl`` of captures and labels of a data folder, as paths below it."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._dates: dict[str, int] = {}
        self._below: dict[str, tuple[int, list[str]]] = {}

    def recent(self, hours: Iterable[str]) -> Iterator[str]:
        """The files of some hours ``yyyy/mm/dd/hh``, of folders that changed since they were last looked at."""
        bases = list(self._bases())
        for hour in hours:
            for base in bases:
                yield from self._changed(f"{base}/{hour}")

    def every(self) -> Iterator[str]:
        """The files of all folders that changed since they were last looked at, wherever they are."""
        waiting = ["captures", "labels"]
        while waiting:
            folder = waiting.pop()
            if _HOUR.fullmatch(folder):
                yield from self._changed(folder)
                continue
            folders, files, _ = self._listed(folder)
            waiting += [f"{folder}/{name}" for name in folders]
            yield from (f"{folder}/{name}" for name in files)

    def forget(self, folder: str = "") -> None:
        """Look at a folder again, or at all of them, whether they changed or not."""
        if folder:
            self._dates.pop(folder, None)
        else:
            self._dates.clear()

    def _bases(self) -> Iterator[str]:
        """The folders below which hours lie: of labels those of endpoints, of captures those of their variants."""
        yield from self._children("labels")
        for endpoint in self._children("captures"):
            yield from (one for one in self._children(endpoint) if not _YEAR.fullmatch(one.rpartition("/")[2]))

    def _children(self, folder: str) -> list[str]:
        date = self._date(folder)
        known = self._below.get(folder)
        if known is not None and known[0] == date != 0:
            return known[1]
        names, _, date = self._listed(folder)
        found = [f"{folder}/{name}" for name in names]
        self._below[folder] = (date, found)
        return found

    def _changed(self, folder: str) -> Iterator[str]:
        date = self._date(folder)
        if date == 0 or self._dates.get(folder) == date:
            return
        _, files, self._dates[folder] = self._listed(folder)
        yield from (f"{folder}/{name}" for name in files)

    def _date(self, folder: str) -> int:
        """When a folder changed last, in nanoseconds; 0 for one that is not there."""
        try:
            return os.stat(self._data / folder).st_mtime_ns  # noqa: PTH116 -- thousands a second
        except OSError:
            return 0

    def _listed(self, folder: str) -> tuple[list[str], list[str], int]:
        """The folders and the files in a folder, and its date before it was listed: 0 where that cannot be relied on.

        Links to folders are followed as far as the folders of endpoints and variants, links to files nowhere.
        """
        folders: list[str] = []
        files: list[str] = []
        date, now = self._date(folder), time.time()
        followed = folder.count("/") < 2
        with suppress(OSError), os.scandir(self._data / folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=followed):
                    folders.append(entry.name)
                elif entry.name.endswith(".jsonl") and entry.name[0] != "." and entry.is_file(follow_symlinks=False):
                    files.append(entry.name)
        return folders, files, date if now - date / 1e9 > _RACY else 0


def hours_between(first: float, last: float) -> list[str] | None:
    """The hours from the one before ``first`` to that of ``last`` (epoch seconds); None where these are too many.

    >>> hours_between(1795341600.0, 1795341601.0)
    ['2026/11/22/09', '2026/11/22/10']
    """
    start: datetime = utc(min(first, last)).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    count = int((utc(max(first, last)) - start) / HOUR) + 1
    return None if count > MOST_HOURS else [partition(start + number * HOUR) for number in range(count)]
