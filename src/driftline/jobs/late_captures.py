"""Captures that reach the store of many nodes after their window was judged: the window is judged again."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from driftline.core.errors import DriftlineError
from driftline.core.records import utc
from driftline.core.window import HOUR, Window
from driftline.engine.files import list_files
from driftline.jobs.late_labels import HORIZON
from driftline.jobs.places import places_of
from driftline.jobs.planning import again
from driftline.jobs.retention import captures_from
from driftline.jobs.shared import Shared
from driftline.jobs.waiting import LIVE, grace
from driftline.pipeline.pieces import fingerprint
from driftline.resources.executions import FINISHED, Execution
from driftline.resources.schedules import Schedule
from driftline.storage import arrivals, executions, nodes, schedules
from driftline.storage.clock import Clock
from driftline.storage.database import Store
from driftline.storage.layout import Layout

logger = logging.getLogger("driftline.jobs")
EVERY, AFTER_TROUBLE = 2.0, 30.0
"""Seconds of real time between two looks, and after one that failed."""
_FOLLOWER = "late_captures"
_AT_ONCE = 5000
Place = tuple[str, datetime]
"""An endpoint and an hour of its captures."""


class LateCaptures:
    """Follows what arrives in the store. One for each scheduler; several do not disturb one another.

    A window is judged again when its capture files are others than those that were there for its run. As long as a
    node is still catching up it is waited for, for the grace time at most, so that there is one revision and not one
    for every file. ``real`` is real time, by which nodes are seen.
    """

    def __init__(
        self,
        store: Store,
        layout: Layout,
        shared: Shared,
        real: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._layout, self._shared, self._real, self._monotonic = store, layout, shared, real, monotonic
        self._next = float("-inf")
        self._number: int | None = None
        self._open: dict[Place, int] = {}
        self._since: dict[str, float] = {}

    def look(self, now: datetime) -> list[Execution]:
        """Judge again what has to be; the runs that were added. Where the store cannot be reached, it is tried again
        later, and nothing is lost."""
        if self._monotonic() < self._next:
            return []
        self._next = self._monotonic() + EVERY
        try:
            return self._look(now)
        except DriftlineError as error:
            self._next = self._monotonic() + AFTER_TROUBLE
            logger.warning("late captures were not looked for: %s", error)
            return []

    def _look(self, now: datetime) -> list[Execution]:
        with self._store.read() as connection:
            before = arrivals.followed(connection, _FOLLOWER)
            number = before if self._number is None else self._number
            came = arrivals.since(connection, number, limit=_AT_ONCE)
        # The newest number of an hour is what has to be dealt with; the hours are looked at in their order.
        looking = self._open | {(one.endpoint, one.hour): one.number for one in came if one.kind == "captures"}
        added: list[Execution] = []
        left: dict[Place, int] = {}
        for endpoint, hours in _by_endpoint(looking).items():
            found, unfinished = self._of(endpoint, hours, now)
            added += found
            left |= {(endpoint, hour): looking[endpoint, hour] for hour in unfinished}
        self._number, self._open = max([number, *(one.number for one in came)]), left
        reached = min([self._number, *(one - 1 for one in left.values())])
        if reached > before:
            with self._store.write() as connection:
                arrivals.follow(connection, _FOLLOWER, reached)
        return added

    def _of(self, endpoint: str, hours: set[datetime], now: datetime) -> tuple[list[Execution], set[datetime]]:
        """The runs added for hours of an endpoint, and those hours that have to be looked at again."""
        span = Window(min(hours), max(hours) + HOUR)
        with self._store.read() as connection:
            newest = executions.newest_of_hours(connection, endpoint, span, now - HORIZON)
            mine = {one.name: one for one in schedules.listing(connection, endpoint=endpoint)} if newest else {}
            # Of an older window only what came late would be left to judge it by.
            kept = captures_from(connection, endpoint, now) if newest else now
        marks: dict[Window, str] = {}
        added: list[Execution] = []
        left: set[datetime] = set()
        for execution in newest:
            touched = hours & set(execution.window.hours())
            schedule = mine.get(execution.schedule)
            if not touched or execution.window_start < kept or not self._reads(schedule):
                continue
            if execution.status == "InProgress" or (_may_be_late(execution, now) and not self._settled(execution)):
                left |= touched
            elif _may_be_late(execution, now) and self._differs(execution, marks):
                added += again(self._store, self._layout, execution, now, "late_captures")
        return added, left

    def _reads(self, schedule: Schedule | None) -> bool:
        """Whether a schedule reads its endpoint's own captures, and goes on."""
        if schedule is None or schedule.state != "active" or schedule.of_batches:
            return False
        return places_of(self._layout, schedule).captures == self._layout.captures(schedule.endpoint)

    def _settled(self, execution: Execution) -> bool:
        """Whether no node is still bringing captures of a window, or it was waited for them long enough."""
        real = utc(self._real())
        with self._store.read() as connection:
            until = nodes.captured_until(connection, real - LIVE)
        since = self._since.setdefault(execution.id, self._monotonic())
        over = timedelta(seconds=self._monotonic() - since) >= grace()
        if over or until is None or until >= execution.window_end:
            del self._since[execution.id]
            return True
        return False

    def _differs(self, execution: Execution, marks: dict[Window, str]) -> bool:
        """Whether other captures are in the store than were there for a run."""
        window, folder = execution.window, self._layout.captures(execution.endpoint)
        if window not in marks:
            folder.mkdir(parents=True, exist_ok=True)
            self._shared.have_hours(folder, window)
            marks[window] = fingerprint(list_files(folder, window), folder)
        return marks[window] != execution.captures


def _may_be_late(execution: Execution, now: datetime) -> bool:
    """Whether a run is over that did not have all captures for all we know. Files of an hour that goes on grow anyway:
    a window that ends within an hour is complete when no node was behind. Of a window that was judged before there was
    a store it is not known which captures there were."""
    if execution.status not in FINISHED or execution.status == "Stopped" or execution.window_end > now:
        return False
    if execution.captures is None:
        return execution.status == "Failed"
    end = execution.window_end
    whole = end == end.replace(minute=0, second=0, microsecond=0)
    return whole or execution.status == "Failed" or execution.counts.get("nodes_behind", 0) > 0


def _by_endpoint(places: Iterable[Place]) -> dict[str, set[datetime]]:
    found: defaultdict[str, set[datetime]] = defaultdict(set)
    for endpoint, hour in places:
        found[endpoint].add(hour)
    return found
