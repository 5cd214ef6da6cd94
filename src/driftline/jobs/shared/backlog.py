"""What is on its way to buckets, or may still grow: found in the folders, compared with the ledger, watched."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime

from driftline.core.records import utc
from driftline.jobs.shared.finding import Finder, hours_between
from driftline.jobs.shared.ledger import Entry, Ledger
from driftline.jobs.shared.targets import Target, place_of
from driftline.jobs.shared.waiting import Waiting
from driftline.storage.clock import Clock
from driftline.storage.layout import Layout

SETTLE = 1.0
"""Seconds that a record may take from its time to the file: a time is relied on when it is this long ago."""
FULL_EVERY, DEEP_EVERY = 60.0, 3600.0
"""Seconds between two looks at all folders that changed, and at all folders."""
_NEVER = float("-inf")
_Entries = dict[tuple[str, str], dict[str, Entry]]


class Backlog:
    """The files that wait, of any number of targets. ``clock`` is the schedules'; ``unreadable`` says which file cannot
    be looked at, and why; ``lost`` counts how often a ledger was found that knows nothing yet."""

    def __init__(self, layout: Layout, ledger: Ledger, clock: Clock) -> None:
        self._data, self._ledger, self._clock = layout.data, ledger, clock
        self.finder = Finder(layout.data)
        self.moment = _NEVER
        self.unreadable, self.lost = "", 0
        self._targets: list[Target] = []
        self._waiting: dict[tuple[str, str], Waiting] = {}
        self._unknown: dict[str, set[str]] = {}
        self._samples: deque[tuple[float, float]] = deque()
        self._last = (0.0, 0.0)
        self._next_full = self._next_deep = _NEVER

    def look(self, targets: list[Target], now: float) -> None:
        """Find what is new, and see what became of the rest. ``now`` is real time."""
        moment = self._clock()
        self._settle(time.monotonic(), moment)
        if targets != self._targets:
            self._targets, self._next_deep = targets, _NEVER
            names = {one.name for one in targets}
            self._waiting = {key: one for key, one in self._waiting.items() if key[0] in names}
        if targets:
            entries: _Entries = {}
            for path in self._found(now, moment):
                self._add(path, entries)
            self._watch(now)
            self._learn()

    def waiting(self) -> Iterator[Waiting]:
        """What is not at its target yet, or not all of it."""
        return (one for one in self._waiting.values() if one.left)

    def left(self) -> tuple[int, int]:
        """How many files are not wherever they should be, and their bytes."""
        left: dict[str, int] = {}
        for one in self.waiting():
            left[one.path] = max(left.get(one.path, 0), one.left)
        return len(left), sum(left.values())

    def known(self, target: Target) -> bool:
        """Whether a file that is not entered is not in the bucket either."""
        return target.name not in self._unknown

    def drop(self, one: Waiting) -> None:
        """Watch a file no longer."""
        self._waiting.pop((one.target.name, one.path), None)
        self.resolve(one)

    def resolve(self, one: Waiting) -> None:
        """It is entered now."""
        self._unknown.get(one.target.name, set()).discard(one.path)

    def captured_until(self) -> datetime | None:
        """The time of the schedules up to which all that was captured here is in the store; None while that is not
        known."""
        if self.moment == _NEVER:
            return None
        covered = (one.covered for one in self._waiting.values() if one.target.store and one.covered is not None)
        # A record has the second of its time, so a second that is not over may get more.
        return utc(float(int(min([self.moment, *covered]))))

    def _settle(self, now: float, moment: float) -> None:
        """Take the newest time of the schedules before which every write has come to its file by now."""
        self._samples.append((now, moment))
        while self._samples[0][0] <= now - SETTLE:
            self.moment = self._samples.popleft()[1]

    def _found(self, now: float, moment: float) -> Iterable[str]:
        """Files that may be new: of the hours since the last look, and now and then of all."""
        began = time.monotonic()
        fresh = [one.name for one in self._targets if self.known(one) and not self._ledger.knows(one.name)]
        if fresh or began >= self._next_deep:
            self.finder.forget()
            self._next_deep, self._next_full = began + DEEP_EVERY, _NEVER
            self._unknown |= {name: set() for name in fresh}
            self.lost += len(fresh)
        hours = [hours_between(first, last) for first, last in zip(self._last, (now, moment), strict=True)]
        self._last = (now, moment)
        if None not in hours and began < self._next_full:
            return self.finder.recent(sorted({hour for one in hours for hour in one or ()}))
        found = list(self.finder.every())
        self._next_full = began + max(FULL_EVERY, 30 * (time.monotonic() - began))
        return found

    def _add(self, path: str, entries: _Entries) -> None:
        place = place_of(path)
        if place is None:
            return
        takers = [one for one in self._targets if one.takes(path) and (one.name, path) not in self._waiting]
        known = [(one, self._entry(one, path, entries)) for one in takers]
        if any(entry is not None and entry.origin == "fetched" for _, entry in known):
            return
        for target, entry in known:
            sent = 0 if entry is None else entry.size
            self._waiting[target.name, path] = Waiting(target, self._data, path, place, sent)
            if entry is None and not self.known(target):
                self._unknown[target.name].add(path)

    def _entry(self, target: Target, path: str, entries: _Entries) -> Entry | None:
        folder = path.rpartition("/")[0]
        if (target.name, folder) not in entries:
            entries[target.name, folder] = self._ledger.entries(target.name, folder)
        return entries[target.name, folder].get(path)

    def _watch(self, now: float) -> None:
        """Look at every file that waits or may grow."""
        self.unreadable = ""
        for one in list(self._waiting.values()):
            try:
                if not one.look(self.moment, now):
                    self.drop(one)
            except FileNotFoundError:
                self.drop(one)
            except OSError as error:
                self.unreadable = f"{one.path} cannot be read: {error.strerror or error}; correct its permissions"

    def _learn(self) -> None:
        """Note when all files were entered that were complete when the ledger was new."""
        for name, paths in list(self._unknown.items()):
            closed = (self._waiting.get((name, path)) for path in paths)
            if not any(one is not None and not one.open for one in closed):
                self._ledger.learnt(name)
                del self._unknown[name]
