"""The files of a data folder that are in the store as well: the oldest hours go when they take too much room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from driftline.jobs.shared.ledger import Entry, Ledger
from driftline.jobs.shared.targets import Target, place_of
from driftline.serving.segment import is_open
from driftline.storage.objects import Objects

FOLDERS = ("captures", "labels")
READ_FOR = 2 * 3600.0
"""Seconds for which hours stay that somebody said they would read."""


class Cache:
    """What of captures and labels is both here and in the store. ``again`` is told of a folder of which something has
    to be sent again."""

    def __init__(
        self, data: Path, objects: Objects, ledger: Ledger, store: Target, again: Callable[[str], None]
    ) -> None:
        self._data, self._objects, self._ledger, self._store, self._again = data, objects, ledger, store, again

    def size(self) -> int:
        """Its bytes."""
        return self._ledger.size(self._store.name, FOLDERS)

    def free(self, wanted: int, others: Iterable[Target], now: float) -> int:
        """Take hours away, the oldest first, until so many bytes are free; how many are. ``others`` must have a file
        too, where they take it. The store is asked once more before a file goes."""
        freed = 0
        others = list(others)
        for folder, entries in self._hours():
            if freed >= wanted:
                break
            ready = [entry for entry in entries if self._here(entry) and self._elsewhere(entry, others)]
            sure = self._sure(folder, ready) if ready else []
            freed += self._ledger.evict(self._data, sure, now - READ_FOR)
        return freed

    def prune(self, before: float) -> None:
        """Forget files that are no longer here, and were entered before a (real) time: retention took them away."""
        self._ledger.evict(self._data, [], before - READ_FOR)
        for name in FOLDERS:
            found = self._ledger.entries(self._store.name, name).values()
            gone = [one.path for one in found if one.stored < before and not (self._data / one.path).exists()]
            self._ledger.strike(gone)

    def _hours(self) -> Iterator[tuple[str, list[Entry]]]:
        """The entries of each folder, by the hour of the folder."""
        folders: dict[tuple[float, str], list[Entry]] = defaultdict(list)
        for name in FOLDERS:
            for entry in self._ledger.entries(self._store.name, name).values():
                place = place_of(entry.path)
                hour = place.hour if place is not None and place.hour is not None else entry.stored
                folders[hour, entry.path.rpartition("/")[0]].append(entry)
        for (_, folder), entries in sorted(folders.items()):
            yield folder, entries

    def _here(self, entry: Entry) -> bool:
        """Whether a file is here as it is in the store, and may not be written any longer."""
        try:
            return (self._data / entry.path).stat().st_size == entry.size and not is_open(self._data / entry.path)
        except OSError:
            return False

    def _elsewhere(self, entry: Entry, others: list[Target]) -> bool:
        """Whether every other target that takes a file of this node has it."""
        if entry.origin == "fetched":
            return True
        found = (self._ledger.entry(one.name, entry.path) for one in others if one.takes(entry.path))
        return all(there is not None and there.size == entry.size for there in found)

    def _sure(self, folder: str, entries: list[Entry]) -> list[str]:
        """The files that the store has whole, or that somebody took away there. One of which it has less than the
        ledger says is sent again: an upload that was given up may have come after the one that followed it."""
        there = {one.uri.key: one.size for one in self._objects.level(self._store.uri(folder)).objects}
        sizes = {entry.path: there.get(self._store.uri(entry.path).key, entry.size) for entry in entries}
        short = [entry.path for entry in entries if sizes[entry.path] < entry.size]
        if short:
            self._ledger.strike(short)
            self._again(folder)
        return [entry.path for entry in entries if entry.path not in short]
