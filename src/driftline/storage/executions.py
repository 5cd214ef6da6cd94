"""Executions: one row per schedule, window and revision, claimed under a lease."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from driftline.core.documents import Violation
from driftline.core.errors import ConflictError, NotFoundError
from driftline.core.verdict import Reason, Verdict
from driftline.core.window import Window
from driftline.resources.executions import Execution, ExecutionStatus, ExecutionStep, RejectedRecords, RunCause
from driftline.resources.schedules import Schedule
from driftline.storage.leases import Leases
from driftline.storage.tables import executions as table
from driftline.storage.types import insert_into, new_id

_HEAVY = {"statistics", "rejects", "trace"}
_LEASES = Leases(table, table.c.id, (table.c.tick, table.c.created, table.c.id), table.c.resume_after)
_TOLD = ("resume_after", "waiting_since")
"""Columns that only mean something while a run waits."""


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended."""

    status: ExecutionStatus
    verdict: Verdict
    message: str
    reasons: tuple[Reason, ...] = ()
    violations: tuple[Violation, ...] = ()
    steps: tuple[ExecutionStep, ...] = ()
    counts: dict[str, int] = {}
    statistics: dict[str, Any] = {}
    rejects: tuple[RejectedRecords, ...] = ()
    item_count: int | None = None
    error: str | None = None
    trace: str | None = None
    captures: str | None = None


def add(
    connection: Connection,
    schedule: Schedule,
    window: Window,
    *,
    tick: datetime,
    revision: int,
    report: str,
    now: datetime,
    cause: RunCause = "tick",
) -> Execution | None:
    """A Pending execution; None when this schedule, window and revision has one already."""
    execution = Execution(
        new_id(),
        schedule.name,
        schedule.endpoint,
        window.start,
        window.end,
        revision,
        tick,
        "Pending",
        report,
        now,
        cause=cause,
    )
    statement = insert_into(connection, table).values(**msgspec.structs.asdict(execution)).on_conflict_do_nothing()
    # What comes back is asked for, because the number of inserted rows is not told by every driver.
    return None if connection.execute(statement.returning(table.c.id)).first() is None else execution


def get(connection: Connection, execution_id: str) -> Execution:
    """The execution of an id, whole; :class:`NotFoundError` when there is none."""
    row = connection.execute(select(table).where(table.c.id == execution_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no execution {execution_id}", hint="list the executions of its schedule")
    return _execution(row)


def find(connection: Connection, beginning: str) -> Execution | None:
    """The execution whose id begins with these hexadecimal digits, whole; None when there is none, or no one alone."""
    # A range, which the index of ids answers; no digit comes after the letter that ends it.
    inside = and_(table.c.id >= beginning, table.c.id < f"{beginning}g")
    rows = connection.execute(select(table).where(inside).limit(2)).all()
    return _execution(rows[0]) if len(rows) == 1 else None


def listing(
    connection: Connection,
    *,
    schedule: str | None = None,
    endpoint: str | None = None,
    status: ExecutionStatus | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Execution]:
    """Executions with the latest tick first (of one window, the latest revision), filtered; ticks in [since, until)."""
    wanted: list[ColumnElement[bool]] = []
    for column, value in ((table.c.schedule, schedule), (table.c.endpoint, endpoint), (table.c.status, status)):
        if value is not None:
            wanted.append(column == value)
    if since is not None:
        wanted.append(table.c.tick >= since)
    if until is not None:
        wanted.append(table.c.tick < until)
    statement = select(*(column for column in table.c if column.name not in _HEAVY)).where(*wanted)
    order = (table.c.tick.desc(), table.c.window_start.desc(), table.c.revision.desc(), table.c.id)
    return [_execution(row) for row in connection.execute(statement.order_by(*order).limit(limit).offset(offset))]


def latest(connection: Connection, schedule: str, window: Window) -> Execution | None:
    """The highest revision of a schedule's window."""
    statement = select(table).where(_of_window(schedule, window)).order_by(table.c.revision.desc()).limit(1)
    row = connection.execute(statement).one_or_none()
    return None if row is None else _execution(row)


def newest_of_hours(connection: Connection, endpoint: str, hours: Window, since: datetime) -> list[Execution]:
    """The newest revision of every window of an endpoint that touches some hours and whose tick is not before a time,
    without what is heavy."""
    touching = (table.c.window_start < hours.end, table.c.window_end > hours.start)
    light = select(*(column for column in table.c if column.name not in _HEAVY))
    statement = light.where(table.c.endpoint == endpoint, table.c.tick >= since, *touching)
    newest: dict[tuple[str, Window], Execution] = {}
    for row in connection.execute(statement.order_by(table.c.tick, table.c.revision)):
        execution = _execution(row)
        newest[execution.schedule, execution.window] = execution
    return [*newest.values()]


def revisions(connection: Connection, schedule: str, window: Window) -> list[str]:
    """The ids of every revision of a schedule's window, oldest first."""
    statement = select(table.c.id).where(_of_window(schedule, window)).order_by(table.c.revision)
    return list(connection.execute(statement).scalars())


class Complete(msgspec.Struct, frozen=True):
    """Which executions need not wait for captures: those whose window ends by ``until`` or whose tick is not after
    ``patient``, and those of some schedules. What is run before the end of its window cannot wait for it."""

    until: datetime | None
    patient: datetime
    schedules: tuple[str, ...] = ()

    def condition(self) -> ColumnElement[bool]:
        """It as a condition on the table."""
        found = or_(table.c.tick <= self.patient, table.c.cause == "fired", table.c.schedule.in_(self.schedules))
        return found if self.until is None else or_(found, table.c.window_end <= self.until)


def claim(
    connection: Connection,
    *,
    owner: str,
    now: datetime,
    real: datetime,
    lease: timedelta,
    complete: Complete | None = None,
) -> Execution | None:
    """Take the oldest execution that is Pending, or whose runner let its lease run out; None when there is none. Those
    that wait for captures, and those that were given back until later, are passed over.

    ``real`` is real time for the lease; ``now`` is recorded as the start. ``owner`` must be unique to the process.
    """
    ready = None if complete is None else complete.condition()
    row = _LEASES.claim(connection, owner=owner, now=now, real=real, lease=lease, ready=ready)
    return None if row is None else _execution(row)


def waiting(connection: Connection, real: datetime, complete: Complete | None = None) -> bool:
    """Whether there is anything to claim: asked first, so that an idle scheduler never takes the write lock."""
    return _LEASES.waiting(connection, real, None if complete is None else complete.condition())


def give_back(connection: Connection, execution: Execution, real: datetime, until: datetime, why: str) -> bool:
    """Let a claimed run be Pending again, as if it had not been tried, until a (real) time at which it is tried anew;
    False when its lease is no longer ours. ``why`` is its message meanwhile."""
    values = {
        "status": "Pending",
        "attempts": execution.attempts - 1,
        "started": None,
        "message": why,
        "resume_after": until,
        "waiting_since": execution.waiting_since or real,
    }
    return _LEASES.finish(connection, execution.id, execution, values)


def extend(connection: Connection, execution: Execution, until: datetime) -> bool:
    """Lengthen the lease; False when it is no longer ours."""
    return _LEASES.extend(connection, execution.id, execution, until)


def finish(connection: Connection, execution: Execution, outcome: Outcome, now: datetime) -> bool:
    """Store how a claimed run ended; False, and nothing stored, when its lease is no longer ours."""
    values = msgspec.structs.asdict(outcome) | {"verdict": str(outcome.verdict), "finished": now}
    values |= dict.fromkeys(_TOLD)
    return _LEASES.finish(connection, execution.id, execution, values)


def stop(connection: Connection, execution_id: str, now: datetime) -> None:
    """Stop a run that has not finished; its runner's result, if one comes, is discarded.

    Raises :class:`ConflictError` when it has finished, :class:`NotFoundError` when there is no such execution.
    """
    if not _LEASES.stop(connection, execution_id, now):
        found = get(connection, execution_id)
        raise ConflictError(f"the execution {execution_id} is {found.status} already", hint="there is nothing to stop")


def tally(connection: Connection, *, schedule: str | None = None) -> dict[str, int]:
    """How many executions there are by status."""
    statement = select(table.c.status, func.count()).group_by(table.c.status)
    if schedule is not None:
        statement = statement.where(table.c.schedule == schedule)
    return {str(status): int(count) for status, count in connection.execute(statement)}


def _of_window(schedule: str, window: Window) -> ColumnElement[bool]:
    bounds = and_(table.c.window_start == window.start, table.c.window_end == window.end)
    return and_(table.c.schedule == schedule, bounds)


def _execution(row: Any) -> Execution:
    values = dict(row._mapping)
    values["verdict"] = None if values["verdict"] is None else Verdict(values["verdict"])
    return Execution(**values)
