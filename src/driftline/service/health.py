"""Whether a service can do its work: what a load balancer and an orchestrator ask before they send requests."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

from driftline.core.errors import DriftlineError
from driftline.core.records import utc
from driftline.core.window import format_time
from driftline.resources.health import Check, Readiness
from driftline.service.wiring import Wiring
from driftline.storage import heartbeat, nodes, schedules, spool
from driftline.storage.clock import system_clock
from driftline.storage.version import standing

LEAST_FREE = 256 << 20
"""Bytes of free disk below which captures are about to be lost."""
SILENT = 30.0
"""Seconds without a sign of life after which the scheduler counts as dead."""
OVERDUE = timedelta(minutes=2)


class Health(Wiring):
    """What a service tells of itself."""

    def readiness(self, *, captures_lost: bool = False, scheduler_elsewhere: bool = False) -> Readiness:
        """Store, data folder, scheduler and captures; ``captures_lost`` is what a serving process knows of its own.

        While the database is away a node can still do what callers of endpoints need, and is ready: or all nodes would
        be taken out of service at once. ``scheduler_elsewhere`` is for a node that has none of its own.
        """
        away = self.store.away
        scheduler = self.any_scheduler() if scheduler_elsewhere else self._scheduler()
        checks = (
            self._store(),
            self._folder(),
            scheduler,
            self._schedules(),
            self._captures(captures_lost),
            *self._shipping(),
        )
        since = None if away is None else away.since or self.now()
        return Readiness(all(check.ok for check in checks), checks, since)

    def _store(self) -> Check:
        if (away := self.store.away) is not None:
            since = "" if away.since is None else f" since {format_time(away.since)}"
            said = f"the database has been away{since}; endpoints are served and captured as they were last known"
            return Check("store", True, said, "see the log; is the database up?")
        try:
            with self.store.read() as db:
                current = standing(db)
        except DriftlineError:
            return Check("store", False, "the store cannot be reached", "see the log; is the database up?")
        if current.behind or not current.usable:
            return Check("store", False, "the store is of another version", "start the service of one version")
        return Check("store", True, "the store answers and is of this version")

    def _folder(self) -> Check:
        try:
            probe = self.layout.logs / f".probe-{uuid.uuid4().hex}"
            probe.write_bytes(b"driftline")
            probe.unlink()
            free = shutil.disk_usage(self.layout.data).free
        except OSError as error:
            hint = "free some room, or correct the folder's permissions"
            return Check("data folder", False, f"the data folder cannot be written: {error.strerror}", hint)
        if free < LEAST_FREE:
            hint = "free some room: on a full disk predictions are answered but not captured"
            return Check("data folder", False, f"the disk is nearly full: {free >> 20} MiB are free", hint)
        return Check("data folder", True, f"the data folder can be written, {free >> 20} MiB are free")

    def _scheduler(self) -> Check:
        silence = heartbeat.silence(self.layout)
        hint = "is its process running? see the log, and driftline doctor"
        if silence is None or silence > SILENT:
            said = "gave no sign of life yet" if silence is None else f"has been silent for {silence:.0f} s"
            return Check("scheduler", False, f"the scheduler {said}", hint)
        return Check("scheduler", True, f"the scheduler gave a sign of life {silence:.0f} s ago")

    def any_scheduler(self) -> Check:
        """One that is silent is told, and is no failure of a node that only serves."""
        hint = "is a node with --role scheduler running? see driftline node list"
        try:
            with self.store.read() as db:
                last = nodes.last_sign(db, nodes.SCHEDULER)
        except DriftlineError:
            return Check("scheduler", True, "it is not known whether a scheduler works", hint)
        silence = None if last is None else (utc(system_clock()) - last).total_seconds()
        if silence is None or silence > SILENT:
            said = "has given a sign of life yet" if silence is None else f"gave a sign of life for {silence:.0f} s"
            return Check("scheduler", True, f"no scheduler {said}", hint)
        return Check("scheduler", True, f"a scheduler of another node gave a sign of life {max(0, silence):.0f} s ago")

    def _schedules(self) -> Check:
        """A late tick is told and is no failure: one long run makes the others wait."""
        if self.store.away is not None:
            return Check("schedules", True, "it is not known whether ticks wait", "see the log; is the database up?")
        try:
            with self.store.read() as db:
                late = schedules.late(db, self.now() - OVERDUE)
        except DriftlineError:
            return Check("schedules", False, "the schedules cannot be read", "see the log; is the database up?")
        if late:
            hint = "is a long run going on? see driftline runs list, and the log"
            return Check("schedules", True, f"{len(late)} schedules have a tick that nobody took up yet", hint)
        return Check("schedules", True, "every tick that is over was taken up")

    def _captures(self, lost: bool) -> Check:
        if not lost:
            return Check("captures", True, "no capture was lost in the last minute")
        if spool.full(self.layout.data):
            room = "bring the store back that they wait for, or give them more room (DRIFTLINE_SPOOL_BYTES)"
        else:
            room = "free some room on the disk, and see the log"
        hint = f"predictions are answered all the same; {room}"
        return Check("captures", False, "captures were lost in the last minute", hint)

    def _shipping(self) -> Iterator[Check]:
        """Where there is a shipper. A spool that does not drain is told and is no failure: captures are kept here."""
        said = spool.figures(self.layout)
        if said is None:
            return
        silence = time.time() - said.seen
        if silence > spool.STALE:
            hint = "start it with driftline serve, with the variables it had; if there are to be no buckets any longer,"
            what = f"the shipper has been silent for {silence:.0f} s, {said.files} files waited then"
            yield Check("shipping", True, what, f"{hint} remove shipping.json from the data folder")
        elif said.files and said.trouble:
            waited = time.time() - said.oldest if said.oldest is not None else 0.0
            what = f"{said.files} files with {said.bytes:,} bytes wait to be shipped, the first for {waited:.0f} s"
            yield Check("shipping", not said.full, what, "see driftline doctor --data, and the log of the shipper")
        else:
            yield Check("shipping", True, f"captures and labels are shipped, {said.files} files wait")
