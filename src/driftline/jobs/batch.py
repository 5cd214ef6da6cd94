"""Batch jobs at work: claimed one after the other, each in a process of its own, beside the runs of schedules."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from driftline.core.errors import DriftlineError
from driftline.core.plain_text import plain
from driftline.core.records import utc
from driftline.jobs.batch_kinds import BatchDone, BatchWork, Task, log_of, read_settings, work
from driftline.jobs.heartbeat import Heartbeat
from driftline.jobs.isolation import MOST_ATTEMPTS, Isolation, Limits, RunFailed, lost_each_time, persistent
from driftline.jobs.shared import Shared
from driftline.resources.baseline_jobs import BaselineSettings
from driftline.resources.batch_jobs import BatchJob, BatchLimits
from driftline.resources.transforms import TransformSettings
from driftline.storage import batch_jobs
from driftline.storage.batch_jobs import BatchOutcome
from driftline.storage.clock import Clock
from driftline.storage.database import Store
from driftline.storage.layout import Layout

logger = logging.getLogger("driftline.jobs")


class BatchWorker:
    """Does batch jobs one at a time; several workers may share a store. ``owner`` must be unique to this one.

    ``clock`` is the service's time, ``real`` real time, by which leases run. Without ``isolation`` jobs are done in
    this process, and cannot be stopped. Models of other nodes are had from ``shared``, and logs put there.
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
        isolation: Isolation[Task, BatchDone] | None = None,
        shared: Shared | None = None,
    ) -> None:
        self._store, self._layout, self._clock = store, layout, clock
        self._owner, self._real, self._lease = owner, real, lease
        self._isolation, self._shared = isolation, shared
        self._leaving = threading.Event()
        self._lost = threading.Event()

    def leave(self) -> None:
        """Break off the job under way and give it back, for whoever claims it next."""
        self._leaving.set()
        self._lost.set()

    def run_next(self) -> BatchJob | None:
        """Do the job that has waited longest and return it as it ended; None when none is waiting.

        A job that fails is recorded as Failed and is no exception here. When the lease was lost meanwhile (it was
        stopped, or taken for dead) the result is discarded.
        """
        job = self._claim()
        if job is None:
            return None
        logger.info("batch job %s (%s), attempt %d", job.name, job.kind, job.attempts)
        extend = partial(_extend, job)
        with Heartbeat(self._store, f"batch job {job.name}", extend, self._real, self._lease) as heartbeat:
            self._lost = heartbeat.lost
            if self._leaving.is_set():
                heartbeat.lost.set()
            outcome = self._outcome(job, heartbeat.lost)
            self._send_log(job)
        return self._record(job, outcome)

    def _claim(self) -> BatchJob | None:
        real = utc(self._real())
        with self._store.read() as db:
            if not batch_jobs.waiting(db, real):
                return None
        with self._store.write() as db:
            return batch_jobs.claim(db, owner=self._owner, now=utc(self._clock()), real=real, lease=self._lease)

    def _outcome(self, job: BatchJob, lost: threading.Event) -> BatchOutcome | None:
        """How the job ended; None when it was broken off."""
        try:
            if job.attempts > MOST_ATTEMPTS:
                raise lost_each_time("start another job")
            settings: BatchLimits = read_settings(job.kind, job.settings)
            if self._shared is not None and (model := _model_of(settings)):
                self._shared.have(self._layout.data / model)
            task = Task(job.kind, BatchWork(job.name, settings, str(self._layout.data), utc(self._clock())))
            done = self._done(task, Limits(settings.time_limit, settings.memory_limit), lost)
            return BatchOutcome("Completed", done.message, result=done.result)
        except Exception as error:
            if self._leaving.is_set() and isinstance(error, RunFailed) and error.code == "stopped":
                return None
            logger.exception("batch job %s failed", job.name)
            return _failure(error)

    def _done(self, task: Task, limits: Limits, lost: threading.Event) -> BatchDone:
        isolation = self._isolation
        if isolation is None:
            return work(task, lambda *_: None)
        log = log_of(self._layout, task.work.name)
        return persistent(lambda: isolation(task, limits, log=log, stop=lost))

    def _send_log(self, job: BatchJob) -> None:
        """Put the log where all nodes can have it; what a job did does not depend on that."""
        log = log_of(self._layout, job.name)
        if self._shared is None or not log.is_file():
            return
        try:
            self._shared.send(log)
        except DriftlineError as error:
            logger.warning("the log of batch job %s is on this node only: %s", job.name, error)

    def _record(self, job: BatchJob, outcome: BatchOutcome | None) -> BatchJob:
        with self._store.write() as db:
            ours = batch_jobs.release(db, job) if outcome is None else self._finish(db, job, outcome)
            ended = batch_jobs.get(db, job.name)
        told = ended.message or "given back, because this worker leaves"
        logger.info("batch job %s: %s", job.name, told if ours else "no longer ours; its result is discarded")
        return ended

    def _finish(self, db: Connection, job: BatchJob, outcome: BatchOutcome) -> bool:
        return batch_jobs.finish(db, job, outcome, utc(self._clock()))


def _model_of(settings: BatchLimits) -> str | None:
    """The model that a job works with, below the data folder; None where it needs none."""
    if isinstance(settings, TransformSettings):
        return settings.model_path
    return settings.model if isinstance(settings, BaselineSettings) else None


def _extend(job: BatchJob, connection: Connection, until: datetime) -> bool:
    return batch_jobs.extend(connection, job, until)


def _failure(error: Exception) -> BatchOutcome:
    what = error.what if isinstance(error, DriftlineError) else f"{type(error).__name__}: {error}"
    return BatchOutcome("Failed", plain(f"Failed: {what}"), error=plain(str(error) or what))
