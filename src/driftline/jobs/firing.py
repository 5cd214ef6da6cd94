"""For demonstrations and tests: schedules run every few seconds, ahead of their ticks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from driftline.core.cron import Cron
from driftline.core.errors import DriftlineError, NotFoundError
from driftline.jobs.planning import revise, window_of
from driftline.resources.executions import Execution
from driftline.storage import executions, schedules
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.storage.leases import UNFINISHED

logger = logging.getLogger("driftline.jobs")


class Firing:
    """Every ``seconds`` of real time each active schedule runs the window of its next tick, as far as it has come, in
    the next revision; not while a run of it is unfinished, and never a schedule of a single time. Its ticks stay.

    A schedule runs first so many seconds after it is first seen here.
    """

    def __init__(
        self, store: Store, layout: Layout, seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._layout, self._seconds, self._monotonic = store, layout, seconds, monotonic
        self._due: dict[str, float] = {}

    def look(self, now: datetime) -> list[Execution]:
        """Add the runs that are due; what they are."""
        with self._store.read() as connection:
            every = [one for one in schedules.listing(connection) if one.state == "active" and not Cron(one.cron).once]
        real = self._monotonic()
        self._due = {one.name: self._due.get(one.name, real + self._seconds) for one in every}
        added = []
        for name in [name for name, due in self._due.items() if due <= real]:
            try:
                execution = self._fire(name, now)
            except DriftlineError as error:
                logger.warning("%s was not run ahead of its tick: %s", name, error)
                execution = None
            if execution is not None:
                self._due[name] = real + self._seconds
                added.append(execution)
        return added

    def _fire(self, name: str, now: datetime) -> Execution | None:
        with self._store.write() as connection:
            try:
                schedule = schedules.get(connection, name, lock=True)
            except NotFoundError:
                return None
            busy = any(executions.listing(connection, schedule=name, status=one, limit=1) for one in UNFINISHED)
            tick = schedule.next_tick
            if busy or tick is None or tick <= now or schedule.state != "active":
                return None
            window = window_of(schedule, tick)
            if window.start == window.end:
                return None
            return revise(connection, self._layout, schedule, window, now, cause="fired")
