"""Compacting past hours: which are due, whose turn it is, and the work in a process of its own."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event

from sqlalchemy import Connection

from driftline.core.errors import DriftlineError, InputError
from driftline.core.records import utc
from driftline.core.window import HOUR, Window, parse_duration
from driftline.engine.compacted.hour import look
from driftline.jobs.compacting import LEAST_AGE, Compacted, Hour, compact_hour, folders_of, hours_of
from driftline.jobs.heartbeat import Heartbeat
from driftline.jobs.isolation import MOST_ATTEMPTS, Isolation, Limits
from driftline.jobs.shared.store import Shared, open_shared
from driftline.storage import arrivals, compactions
from driftline.storage.clock import Clock
from driftline.storage.compactions import Compaction
from driftline.storage.database import Store
from driftline.storage.layout import Layout

logger = logging.getLogger("driftline.jobs")
VARIABLE = "DRIFTLINE_COMPACT_AFTER"
"""The variable that says how long ago an hour must have ended to be compacted; ``never`` leaves all as they are."""
AFTER = "PT6H"
NEVER = "never"
LOOK_EVERY = 300.0
"""Seconds of real time between two looks for hours that are due."""
LIMITS = Limits(seconds=3600.0, memory=2 << 30)
_KEPT = timedelta(days=32)


def age() -> timedelta | None:
    """How long ago an hour must have ended, from the environment; None where nothing is compacted."""
    given = os.environ.get(VARIABLE, "").strip() or AFTER
    if given == NEVER:
        return None
    length = parse_duration(given)
    if length < LEAST_AGE:
        raise InputError(
            f"{VARIABLE} is too short: an hour's last files may still be written",
            evidence=given,
            hint="give PT10M or more, such as PT6H, or 'never'",
        )
    return length


class Compactor:
    """Compacts the hours of a data folder; several on one store do each hour once.

    ``clock`` is the schedules' time, by which hours end, ``real`` real time. ``owner`` must be unique to this one.
    Without ``isolation`` the work is done in this process.
    """

    def __init__(
        self,
        store: Store,
        layout: Layout,
        clock: Clock,
        *,
        owner: str,
        real: Clock,
        lease: timedelta,
        isolation: Isolation[Hour, Compacted] | None = None,
        shared: Callable[[Layout], Shared | None] = open_shared,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._layout, self._clock = store, layout, clock
        self._owner, self._real, self._lease = owner, real, lease
        self._isolation, self._open, self._monotonic = isolation, shared, monotonic
        self._looked = float("-inf")
        self._seen: dict[Path, int] = {}
        self._leaving, self._lost = Event(), Event()

    def leave(self) -> None:
        """Break off the compaction under way and give it back, for whoever claims it next."""
        self._leaving.set()
        self._lost.set()

    def work(self, stop: Event) -> int:
        """Look for hours that are due, if it is time, and compact what waits, also for others; how many hours."""
        if self._monotonic() - self._looked >= LOOK_EVERY:
            self._looked = self._monotonic()
            self._look()
        done = 0
        while not stop.is_set() and self._next():
            done += 1
        return done

    def _look(self) -> None:
        length = age()
        if length is None:
            return
        before = utc(self._clock()) - length
        wanted = [*self._local(before), *self._arrived(before)]
        if wanted:
            with self._store.write() as db:
                for endpoint, hour in sorted(set(wanted)):
                    compactions.ask(db, endpoint, hour)
                compactions.forget(db, utc(self._clock()) - _KEPT)

    def _local(self, before: datetime) -> Iterator[tuple[str, datetime]]:
        """The hours that are due by what lies in this data folder; one that did not change is not looked into again."""
        for folder in folders_of(self._layout.data / "captures"):
            for hour, path in hours_of(folder):
                if hour + HOUR <= before:
                    changed = path.stat().st_mtime_ns if path.exists() else 0
                    if self._seen.get(path) != changed and look(path).due:
                        yield folder.name, hour
                    self._seen[path] = changed

    def _arrived(self, before: datetime) -> list[tuple[str, datetime]]:
        """Hours that many nodes put into the store and nobody compacted yet."""
        if self._open(self._layout) is None:
            return []
        with self._store.read() as db:
            known = compactions.known(db, before - _KEPT)
            came = [one for one in arrivals.since(db, 0) if one.kind == "captures"]
        every = [(one.endpoint, one.hour) for one in came if before - _KEPT <= one.hour and one.hour + HOUR <= before]
        return [one for one in every if one not in known]

    def _next(self) -> bool:
        real = utc(self._real())
        with self._store.read() as db:
            if not compactions.waiting(db, real):
                return False
        with self._store.write() as db:
            one = compactions.claim(db, owner=self._owner, now=utc(self._clock()), real=real, lease=self._lease)
        if one is None:
            return False
        extend = partial(_extend, one)
        with Heartbeat(self._store, f"compaction {one.key}", extend, self._real, self._lease) as heartbeat:
            self._lost = heartbeat.lost
            if self._leaving.is_set():
                heartbeat.lost.set()
            status = self._status(one, heartbeat.lost)
        with self._store.write() as db:
            compactions.finish(db, one, status, utc(self._clock()))
        return status == "Completed"

    def _status(self, one: Compaction, lost: Event) -> compactions.Status:
        """How the work on an hour ended; it is given back where another time may do better."""
        try:
            done = self._done(Hour(str(self._layout.data), one.endpoint, one.hour), lost)
        except DriftlineError as error:
            if self._leaving.is_set():
                return "Pending"
            logger.warning("%s %s is not compacted: %s", one.endpoint, one.hour.isoformat(), error)
            return "Pending" if one.attempts < MOST_ATTEMPTS else "Failed"
        if done.files:
            sizes = (done.files, done.bytes_before, done.bytes_after)
            logger.info("%s %s: compacted %d files, %d to %d bytes", one.endpoint, one.hour.isoformat(), *sizes)
        return "Completed"

    def _done(self, asked: Hour, lost: Event) -> Compacted:
        shared = self._open(self._layout)
        captures = self._layout.captures(asked.endpoint)
        if shared is not None:
            shared.have_hours(captures, Window(asked.hour, asked.hour + HOUR), lambda: None)
        if self._isolation is None:
            done = compact_hour(asked, lambda *_: None)
        else:
            done = self._isolation(asked, LIMITS, stop=lost)
        if shared is not None:
            for path in done.paths:
                shared.send(Path(path))
        return done


def _extend(one: Compaction, connection: Connection, until: datetime) -> bool:
    return compactions.extend(connection, one, until)
