"""Running what is due: claim, run under a heartbeat, then result, metrics, alarms and notices in one transaction."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection

from driftline.alerting import metrics as published
from driftline.alerting import watch
from driftline.core.documents import dump, finite
from driftline.core.errors import AwayError, DriftlineError, UnreachableError
from driftline.core.plain_text import plain
from driftline.core.records import utc
from driftline.core.verdict import Reason, Verdict
from driftline.core.window import Window, format_time
from driftline.jobs import run_log, waiting
from driftline.jobs.analyses import analysis_of
from driftline.jobs.asked import asked, held
from driftline.jobs.baseline_files import refresh
from driftline.jobs.delivering import deliver
from driftline.jobs.exchange import Exchange, discard
from driftline.jobs.fetching import Ask, Buckets, asking
from driftline.jobs.heartbeat import Heartbeat
from driftline.jobs.isolation import MOST_ATTEMPTS, Isolation, Limits, RunFailed, lost_each_time, persistent
from driftline.jobs.messages import ended
from driftline.jobs.places import output_of, places_of
from driftline.jobs.shared import Shared
from driftline.pipeline import ProgramRun, Run, RunResult
from driftline.pipeline.measuring import LABEL_LOOKBACK
from driftline.pipeline.programs import remove_input
from driftline.resources.executions import Execution, ExecutionStatus, ExecutionStep, RejectedRecords
from driftline.resources.metrics import Dimensioned, StatisticSet
from driftline.resources.schedules import Schedule
from driftline.storage import executions, metrics, schedules
from driftline.storage.clock import Clock, system_clock
from driftline.storage.database import Store
from driftline.storage.executions import Outcome
from driftline.storage.layout import Layout
from driftline.storage.nodes import Node
from driftline.storage.types import canonical

logger = logging.getLogger("driftline.jobs")
Runner = Callable[[Run], RunResult]
_AWAY_PAUSE = 0.5
LOG = "log.txt"
"""What a run did and what its process printed, beside its report."""
_STATUS: dict[Verdict, ExecutionStatus] = {
    Verdict.OK: "Completed",
    Verdict.VIOLATED: "CompletedWithViolations",
    Verdict.UNKNOWN: "Completed",
}


class _Told(msgspec.Struct, frozen=True):
    """What a run tells the metric store: its metrics, those with more dimensions, and which had constraints."""

    metrics: dict[str, float | StatisticSet | None] = {}
    constrained: tuple[str, ...] = ()
    dimensioned: tuple[Dimensioned, ...] = ()


class Worker:
    """Runs executions one at a time.

    ``clock`` is the schedules' time; ``real`` is real time, by which leases run. ``owner`` must be unique to this
    worker. ``link`` is the address of a run's page with ``{run}`` where the execution's id goes. With ``isolation``
    every run has a process of its own, within the limits of its schedule; else ``runner`` runs it in this one. What
    many nodes share is had from ``shared`` and put there.
    """

    def __init__(
        self,
        store: Store,
        layout: Layout,
        runner: Runner,
        clock: Clock,
        *,
        owner: str,
        real: Clock = system_clock,
        lease: timedelta = timedelta(seconds=60),
        link: str | None = None,
        isolation: Isolation[Run, RunResult] | None = None,
        shared: Shared | None = None,
    ) -> None:
        self.store = store
        self.layout = layout
        self.runner = runner
        self.clock = clock
        self.owner = owner
        self.real = real
        self.lease = lease
        self.link = link
        self.isolation = isolation
        self._buckets = Buckets(layout)
        self._exchange = None if shared is None else Exchange(layout, shared)

    def run_next(self) -> Execution | None:
        """Run the execution that has waited longest and return it as it ended; None when none is waiting.

        A run that fails is recorded as Failed with its traceback and is no exception here. When the lease was lost
        meanwhile (the run was stopped, deleted, or taken for dead) the result is discarded. A run that needs the store
        of many nodes, or the database, while that cannot be reached is given back, and returned as it waits.
        """
        execution = self._claim()
        if execution is None:
            return None
        logger.info("run %s: %s %s revision %d", execution.id, execution.schedule, execution.window, execution.revision)
        extend = partial(_extend, execution)
        log = self.layout.data / execution.report / LOG if self.isolation is not None else None
        run_log.begin(log, execution)
        with Heartbeat(self.store, f"run {execution.id}", extend, self.real, self.lease) as heartbeat:
            try:
                outcome, told = self._outcome(execution, heartbeat.lost)
                run_log.end(log, outcome)
                self._leave(execution, heartbeat.lost)
            except _Away as away:
                if not self._out_of_patience(execution):
                    return self._give_back(execution, away.error)
                outcome, told = _failure(away.error), _Told()
            except AwayError as away:
                return self._once_back(partial(self._give_back, execution, away))
        return self._once_back(partial(self._record, execution, outcome, told))

    def _once_back(self, write: Callable[[], Execution]) -> Execution:
        """Write as soon as the database is there; for as long as a lease lasts, since then the run may be another's."""
        deadline = time.monotonic() + self.lease.total_seconds()
        while True:
            try:
                return write()
            except AwayError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_AWAY_PAUSE)

    def _claim(self) -> Execution | None:
        now, real = utc(self.clock()), utc(self.real())
        with self.store.read() as connection:
            if not executions.waiting(connection, real):
                return None
            complete = waiting.complete(connection, now, real) if self._exchange is not None else None
            if complete is not None and not executions.waiting(connection, real, complete):
                return None
        with self.store.write() as connection:
            return executions.claim(
                connection, owner=self.owner, now=now, real=real, lease=self.lease, complete=complete
            )

    def _leave(self, execution: Execution, lost: threading.Event) -> None:
        """Put the report where all nodes can have it; not of a run whose result is discarded."""
        if self._exchange is not None and not lost.is_set():
            with self._reaching():
                self._exchange.send(self.layout.data / execution.report)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """What is done with objects; those of a store of many nodes will come back."""
        try:
            yield
        except UnreachableError as error:
            if self._exchange is None:
                raise
            raise _Away(error) from error

    def _out_of_patience(self, execution: Execution) -> bool:
        since = execution.waiting_since
        return since is not None and utc(self.real()) - since >= waiting.patience()

    def _give_back(self, execution: Execution, error: DriftlineError) -> Execution:
        """A run that could not reach the store, or the database, waits, and then any scheduler may try it again."""
        real = utc(self.real())
        until = real + waiting.pause(real - (execution.waiting_since or real))
        seen = f" ({error.evidence})" if error.evidence else ""
        why = plain(f"Waits: {error.what}{seen}. It is tried again after {format_time(until.replace(microsecond=0))}.")
        discard(self.layout.data / execution.report)
        with self.store.write() as connection:
            executions.give_back(connection, execution, real, until, why)
            stored = executions.get(connection, execution.id)
        logger.warning("run %s was given back: %s", execution.id, error)
        return stored

    def _outcome(self, execution: Execution, lost: threading.Event) -> tuple[Outcome, _Told]:
        """How the run ended, and what it tells; raises :class:`_Away`, or :class:`AwayError`, for one that should be
        tried again."""
        constrained: tuple[str, ...] = ()
        try:
            with self._reaching():
                refresh(self.store, self._buckets, execution.schedule, utc(self.clock()))
            run, schedule = self._run_of(execution)
            limits = Limits(schedule.time_limit, schedule.memory_limit)
            constrained = run.constrained
            if execution.attempts > MOST_ATTEMPTS:
                raise lost_each_time("run the window again")
            fetched = self._fetch(run, schedule, asking(lost, limits.seconds))
            result = self._result(run, limits, lost)
            self._deliver(execution, schedule, run, result, lost)
            return _outcome_of(result, fetched), _Told(result.metrics, constrained, result.dimensioned)
        except (_Away, AwayError):
            raise
        except Exception as error:
            logger.exception("run %s of %s failed", execution.id, execution.schedule)
            return _failure(error), _Told(constrained=constrained)

    def _fetch(self, run: Run, schedule: Schedule, ask: Ask) -> _Fetched:
        """Have captures and labels of other nodes, and of buckets elsewhere, in the folders that the run reads."""
        if run.window is None or run.as_of is None:
            return _Fetched()
        until = max(run.as_of, run.window.end) + timedelta(microseconds=1)
        labels, places = Window(run.window.start - LABEL_LOOKBACK, until), places_of(self.layout, schedule)
        if self._exchange is None:
            self._buckets.fetch(places, run.window, labels, ask)
            return _Fetched()
        with self.store.read() as connection:
            behind = () if schedule.of_batches else waiting.missing(connection, run.window, utc(self.real()))
        with self._reaching():
            self._buckets.fetch(places, run.window, labels, ask)
            return _Fetched(self._exchange.fetch(schedule, places, run, labels, ask), tuple(behind))

    def _deliver(
        self, execution: Execution, schedule: Schedule, run: Run, result: RunResult, lost: threading.Event
    ) -> None:
        """Write what was found to the schedule's bucket; not of a run whose result is discarded."""
        if output_of(schedule) is not None and not lost.is_set():
            violated = bool(result.violations)
            with self._reaching():
                deliver(self._buckets.objects, schedule, execution.tick, run, violated=violated)

    def _result(self, run: Run, limits: Limits, lost: threading.Event) -> RunResult:
        if self.isolation is None:
            return self.runner(run)
        log = None if run.report is None else Path(run.report) / LOG
        isolation = self.isolation

        def once() -> RunResult:
            try:
                return isolation(run, limits, log=log, stop=lost)
            finally:
                if isinstance(run, ProgramRun) and run.report is not None:
                    remove_input(run.report)

        return persistent(once)

    def _run_of(self, execution: Execution) -> tuple[Run, Schedule]:
        with self.store.read() as connection:
            schedule = schedules.get(connection, execution.schedule)
            analysis = analysis_of(connection, schedule)
            run = asked(self.layout, schedule, execution.window, utc(self.clock()), analysis)
            run = held(connection, self.layout, run, schedule, execution)
        return msgspec.structs.replace(run, report=str(self.layout.data / execution.report)), schedule

    def _record(self, execution: Execution, outcome: Outcome, told: _Told) -> Execution:
        now = utc(self.clock())
        with self.store.write() as connection:
            if not executions.finish(connection, execution, outcome, now):
                logger.warning("run %s is no longer ours; its result is discarded", execution.id)
                return execution
            self._tell(connection, execution, outcome, told)
            stored = executions.get(connection, execution.id)
        logger.info("run %s: %s", stored.id, stored.message)
        return stored

    def _tell(self, connection: Connection, execution: Execution, outcome: Outcome, told: _Told) -> None:
        """Publish the metrics and judge the alarms; of one window's revisions only the newest speaks."""
        *older, newest = executions.revisions(connection, execution.schedule, execution.window)
        if newest != execution.id:
            return
        metrics.forget_runs(connection, older)
        schedule = schedules.get(connection, execution.schedule)
        namespace, own = published.namespace_of(schedule), published.own_dimensions(schedule)
        published.publish(
            connection,
            endpoint=execution.endpoint,
            schedule=execution.schedule,
            time=execution.tick,
            metrics=told.metrics,
            run=execution.id,
            untold=told.constrained if outcome.verdict == Verdict.UNKNOWN else (),
            namespace=namespace,
            dimensioned=told.dimensioned,
            own=own,
        )
        more = {canonical(one.dimensions): one.dimensions for one in told.dimensioned}
        for dimensions in ({}, *more.values()):
            watch.evaluate_series(
                connection,
                namespace,
                dimensions | own,
                now=utc(self.clock()),
                real=utc(self.real()),
                run=execution.id,
                link=None if self.link is None else self.link.replace("{run}", execution.id),
            )


class _Fetched(msgspec.Struct, frozen=True):
    """What a run had before it: the fingerprint of its captures, and the nodes whose captures may be missing."""

    captures: str | None = None
    behind: tuple[Node, ...] = ()


class _Away(Exception):
    """The store cannot be reached, so that the run should be tried again."""

    def __init__(self, error: UnreachableError) -> None:
        super().__init__(error.what)
        self.error = error


def _extend(execution: Execution, connection: Connection, until: datetime) -> bool:
    return executions.extend(connection, execution, until)


def _outcome_of(result: RunResult, fetched: _Fetched) -> Outcome:
    judgement = result.judgement
    missing = (waiting.incomplete(fetched.behind),) if fetched.behind else ()
    said = [ended(judgement, len(result.violations)), *(f"Beware: {reason.message}." for reason in missing)]
    return Outcome(
        status=_STATUS[judgement.verdict],
        verdict=judgement.verdict,
        message=" ".join(said),
        reasons=(*judgement.reasons, *missing),
        violations=tuple(map(finite, result.violations)),
        steps=_plain(result.steps, tuple[ExecutionStep, ...]),
        counts=dict(result.counts) | ({"nodes_behind": len(fetched.behind)} if missing else {}),
        statistics=_plain(result.statistics),
        rejects=_plain(result.rejects, tuple[RejectedRecords, ...]),
        item_count=result.item_count,
        captures=fetched.captures,
    )


def _failure(error: Exception) -> Outcome:
    what = error.what if isinstance(error, DriftlineError) else f"{type(error).__name__}: {error}"
    evidence: dict[str, Any] = error.as_dict() if isinstance(error, DriftlineError) else {"type": type(error).__name__}
    return Outcome(
        status="Failed",
        verdict=Verdict.UNKNOWN,
        message=plain(f"Failed: {what}"),
        reasons=(Reason("failed", plain(what), {key: plain(value) for key, value in evidence.items()}),),
        error=plain(str(error) or what),
        trace=plain(error.trace if isinstance(error, RunFailed) else "".join(traceback.format_exception(error))),
    )


def _plain(document: Any, kind: Any = Any) -> Any:
    """The document as it is stored; numbers that JSON cannot hold become their names, as in the files."""
    return msgspec.json.decode(dump(document), type=kind)
