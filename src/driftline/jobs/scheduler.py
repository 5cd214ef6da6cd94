"""The loop that turns time into runs, and runs into notifications."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import httpx
import msgspec

from driftline.alerting.housekeeping import tend
from driftline.alerting.notify import send_due, webhook_client
from driftline.core.errors import AwayError, DriftlineError
from driftline.core.records import utc
from driftline.jobs.batch import BatchWorker
from driftline.jobs.batch_kinds import work
from driftline.jobs.compacting import compact_hour
from driftline.jobs.compaction import Compactor
from driftline.jobs.executions import Runner, Worker
from driftline.jobs.firing import Firing
from driftline.jobs.isolation import Isolation
from driftline.jobs.late_captures import LateCaptures
from driftline.jobs.late_labels import LateLabels
from driftline.jobs.planning import plan_due
from driftline.jobs.retention import run_daily
from driftline.jobs.shared import open_shared
from driftline.jobs.shown_captures import show_again
from driftline.pipeline import Run, RunResult
from driftline.resources.executions import Execution
from driftline.storage import heartbeat, nodes
from driftline.storage.clock import Clock, SharedClock, system_clock
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.storage.node_file import node_of
from driftline.storage.types import new_id
from driftline.storage.watch import Outage

logger = logging.getLogger("driftline.jobs")
CLEAN_EVERY = 60.0
"""Seconds between two looks whether the clean-up of the day is due."""
BATCH_POLL = 0.5
"""Seconds between two looks for batch jobs: somebody waits for each."""
BATCH_WORKERS = 2


class Pass(msgspec.Struct, frozen=True):
    """What one pass did: executions planned, executions run, deliveries tried."""

    planned: int
    ran: int
    sent: int


class Scheduler:
    """Plans due windows, runs them, sends what is pending. Any number may work on one store.

    ``clock`` is the time of the schedules, ``real`` real time (leases, retries). ``link`` is the address of a run's
    page, with ``{run}`` where its id goes, for notifications. ``poll`` is the pause between passes in seconds; by
    default 1, or 0.05 with a :class:`SharedClock`, whose time may jump. With ``isolation`` every run has a process
    of its own. With ``fire_every``, for demonstrations and tests, every schedule also runs every so many seconds,
    see :class:`driftline.jobs.firing.Firing`. Close it after use.
    """

    def __init__(
        self,
        store: Store,
        layout: Layout,
        clock: Clock,
        runner: Runner,
        *,
        real: Clock = system_clock,
        lease: timedelta = timedelta(seconds=60),
        link: str | None = None,
        client: httpx.Client | None = None,
        poll: float | None = None,
        isolation: Isolation[Run, RunResult] | None = None,
        fire_every: float | None = None,
    ) -> None:
        shared = open_shared(layout)
        self.store = store
        self.layout = layout
        self.clock = clock
        self.real = real
        self.poll = poll or (0.05 if isinstance(clock, SharedClock) else 1.0)
        owner = f"{socket.gethostname()}-{os.getpid()}-{new_id()[:8]}"
        self._worker = Worker(
            store,
            layout,
            runner,
            clock,
            owner=owner,
            real=real,
            lease=lease,
            link=link,
            isolation=isolation,
            shared=shared,
        )
        alone = isolation is not None
        self._batch = [
            BatchWorker(
                store,
                layout,
                clock,
                owner=f"{owner}-batch-{number}",
                real=real,
                lease=lease,
                isolation=Isolation(work) if alone else None,
                shared=shared,
            )
            for number in range(BATCH_WORKERS)
        ]
        compacting = Isolation(compact_hour) if alone else None
        self._compactor = Compactor(
            store, layout, clock, owner=f"{owner}-compaction", real=real, lease=lease, isolation=compacting
        )
        self._shared = shared
        self._late = LateLabels(store, layout, shared=shared)
        self._captures = None if shared is None else LateCaptures(store, layout, shared, real)
        self._firing = None if fire_every is None else Firing(store, layout, fire_every)
        self._client = client or webhook_client()
        self._heard = float("-inf")
        self._outage = Outage(logger)

    def tick(self, stop: threading.Event | None = None) -> Pass:
        """One pass: plan what is due and what labels came late for, run what is waiting (no further run once ``stop``
        is set), send what is due. Batch jobs are done too."""
        while not (stop or threading.Event()).is_set() and self._batch[0].run_next() is not None:
            continue
        late = [*self._late.look(utc(self.clock())), *self._late_captures()]
        planned, ran = self._run_due(stop or threading.Event())
        return Pass(planned + len(late), ran, send_due(self.store, self._client, self.real, folder=self.layout.data))

    def run(self, stop: threading.Event) -> None:
        """Pass after pass until ``stop`` is set; a run under way is finished first.

        Notifications, late labels, batch jobs, the clean-up and compaction have threads of their own, so that a slow
        webhook, many label files or a long job delay no run. A batch job or a compaction under way is broken off, and
        taken up again by the next scheduler. A pass that fails, on a full disk say, is logged and tried again.
        """
        beside = {
            "notifications": self._send_until,
            "late-labels": self._look_until,
            "clean-up": self._clean_until,
            "compaction": self._compact_until,
        }
        threads = [threading.Thread(target=target, args=(stop,), name=name) for name, target in beside.items()]
        threads += [
            threading.Thread(target=self._batch_until, args=(worker, stop), name="batch-jobs") for worker in self._batch
        ]
        for thread in threads:
            thread.start()
        try:
            while not stop.is_set():
                self._guarded(lambda: self._run_due(stop))
                stop.wait(self.poll)
        finally:
            stop.set()
            for worker in self._batch:
                worker.leave()
            self._compactor.leave()
            for thread in threads:
                thread.join()

    def close(self) -> None:
        """Close the webhook client."""
        self._client.close()

    def _late_captures(self) -> list[Execution]:
        return [] if self._captures is None else self._captures.look(utc(self.clock()))

    def _planned(self) -> int:
        now = utc(self.clock())
        fired = [] if self._firing is None else self._firing.look(now)
        return plan_due(self.store, self.layout, now) + len(fired)

    def _run_due(self, stop: threading.Event) -> tuple[int, int]:
        planned = self._planned()
        ran = 0
        while not stop.is_set() and self._worker.run_next() is not None:
            ran += 1
            # A long run may have outlasted a tick, which should not wait for the whole queue to be seen.
            planned += self._planned()
        return planned, ran

    def _batch_until(self, worker: BatchWorker, stop: threading.Event) -> None:
        while not stop.is_set():
            self._guarded(lambda: self._run_batch(worker, stop))
            stop.wait(BATCH_POLL)

    def _run_batch(self, worker: BatchWorker, stop: threading.Event) -> None:
        while not stop.is_set() and worker.run_next() is not None:
            continue

    def _look_until(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._guarded(lambda: self._late.look(utc(self.clock())))
            self._guarded(self._late_captures)
            stop.wait(self.poll)

    def _clean_until(self, stop: threading.Event) -> None:
        """Once a day what need not be kept is taken away, beside the runs: it may take long. Captures that a bucket
        lost are shown there again."""
        while not stop.is_set():
            self._guarded(lambda: show_again(self.store, self.layout))
            self._guarded(lambda: tend(self.store, utc(self.clock()), utc(self.real())))
            self._guarded(lambda: run_daily(self.store, self.layout, utc(self.clock()), self._shared))
            stop.wait(max(self.poll, CLEAN_EVERY))

    def _compact_until(self, stop: threading.Event) -> None:
        """Past hours become one file each, beside everything else: it may take minutes."""
        while not stop.is_set():
            self._guarded(lambda: self._compactor.work(stop))
            stop.wait(max(self.poll, CLEAN_EVERY))

    def _send_until(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._beat()
            self._guarded(lambda: self._send(stop))
            stop.wait(self.poll)

    def _send(self, stop: threading.Event) -> None:
        while not stop.is_set() and send_due(self.store, self._client, self.real, limit=1, folder=self.layout.data):
            self._beat()

    def _beat(self) -> None:
        """A sign of life, in the thread that no long run holds up."""
        if time.monotonic() - self._heard > heartbeat.EVERY:
            heartbeat.beat(self.layout)
            self._heard = time.monotonic()
            if self.store.remote:
                self._guarded(self._sign)

    def _sign(self) -> None:
        """For the nodes that have no scheduler of their own."""
        with self.store.write() as connection:
            nodes.sign(connection, node_of(self.layout).name, nodes.SCHEDULER, utc(self.real()))
        self._outage.over()

    def _guarded(self, step: Callable[[], object]) -> None:
        try:
            step()
        except AwayError as error:
            # Every thread meets it at every pass; it is said once a minute.
            self._outage.lasts(error)
        except DriftlineError as error:
            logger.error("%s", error)
        except Exception:
            logger.exception("a pass of the scheduler failed; it will be tried again")
