"""Which run of every schedule spoke last, and what runs found: small columns only, by index, for pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select

from driftline.core.documents import Violation
from driftline.core.verdict import Reason
from driftline.resources.schedules import ScheduleState
from driftline.storage.tables import executions, schedules

SPOKEN = ("Completed", "CompletedWithViolations", "Failed")
"""The states of runs that say something: one that waits, goes on or was stopped hides nothing that was said before."""
_COLUMNS = tuple(
    executions.c[name]
    for name in ("id", "window_start", "window_end", "tick", "status", "verdict", "reasons", "violations", "counts")
)
_NEWEST_FIRST = (executions.c.tick.desc(), executions.c.window_start.desc(), executions.c.revision.desc())


class LastSpoken(msgspec.Struct, frozen=True):
    """A schedule with its newest run that has ended; ``run``, ``verdict`` and ``tick`` are None where there is none."""

    name: str
    endpoint: str
    monitor: str
    problem_type: str
    state: ScheduleState
    next_tick: datetime | None
    run: str | None
    verdict: str | None
    tick: datetime | None


class Found(msgspec.Struct, frozen=True):
    """What a run found, without its statistics."""

    id: str
    window_start: datetime
    window_end: datetime
    tick: datetime
    status: str
    verdict: str | None
    reasons: tuple[Reason, ...] = ()
    violations: tuple[Violation, ...] = ()
    counts: Mapping[str, int] = {}


class Counted(msgspec.Struct, frozen=True):
    """What a run counted."""

    id: str
    window_start: datetime
    window_end: datetime
    counts: Mapping[str, int]


def last_spoken(connection: Connection, *, endpoint: str | None = None) -> list[LastSpoken]:
    """Every schedule, or those of an endpoint, by name.

    One statement. For each schedule the end of the index of its ticks is read, however many runs there are, and of a
    run only what lies before its documents.
    """
    rows = connection.execute(_last_spoken(endpoint)).all()
    return [LastSpoken(*row) for row in rows]


def found(connection: Connection, runs: Sequence[str]) -> dict[str, Found]:
    """What runs found, by their ids."""
    rows = connection.execute(select(*_COLUMNS).where(executions.c.id.in_(runs)))
    return {row.id: Found(**row._mapping) for row in rows}


def lately(connection: Connection, schedule: str, limit: int) -> list[Found]:
    """What the latest runs of a schedule found, newest first: at most ``limit``, of a window only its newest revision.

    Runs that have not ended, or were stopped, found nothing.
    """
    spoken = (executions.c.schedule == schedule, executions.c.status.in_(SPOKEN))
    rows = connection.execute(select(*_COLUMNS).where(*spoken).order_by(*_NEWEST_FIRST).limit(limit))
    newest: dict[tuple[datetime, datetime], Found] = {}
    for row in rows:
        newest.setdefault((row.window_start, row.window_end), Found(**row._mapping))
    return list(newest.values())


def counted(connection: Connection, schedule: str, since: datetime, limit: int) -> list[Counted]:
    """What the latest runs of a schedule counted whose tick is at or after a time, oldest first, once a window."""
    columns = (executions.c[name] for name in ("id", "window_start", "window_end", "counts"))
    chosen = (executions.c.schedule == schedule, executions.c.status.in_(SPOKEN), executions.c.tick >= since)
    rows = connection.execute(select(*columns).where(*chosen).order_by(*_NEWEST_FIRST).limit(limit)).all()
    newest: dict[tuple[datetime, datetime], Counted] = {}
    for row in rows:
        newest.setdefault((row.window_start, row.window_end), Counted(*row))
    return list(reversed(newest.values()))


def _last_spoken(endpoint: str | None) -> Select[tuple[Any, ...]]:
    inner = executions.alias("newest")
    newest = select(inner.c.id).where(inner.c.schedule == schedules.c.name, inner.c.status.in_(SPOKEN))
    newest = newest.order_by(inner.c.tick.desc(), inner.c.window_start.desc(), inner.c.revision.desc()).limit(1)
    joined = schedules.outerjoin(executions, executions.c.id == newest.scalar_subquery())
    kept = (schedules.c[name] for name in ("name", "endpoint", "monitor", "problem_type", "state", "next_tick"))
    said = (executions.c[name] for name in ("id", "verdict", "tick"))
    statement = select(*kept, *said).select_from(joined).order_by(schedules.c.name)
    return statement if endpoint is None else statement.where(schedules.c.endpoint == endpoint)
