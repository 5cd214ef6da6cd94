"""What can be seen from outside: sums over captures, runs and deliveries, and the newest run of every schedule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select

from driftline.resources.metrics import Series
from driftline.storage.capture_counts import CaptureCounts
from driftline.storage.tables import capture_counts, deliveries, executions
from driftline.storage.tables import metrics as points

_JUDGED = ("Completed", "CompletedWithViolations")
_SHOWN = ("id", "endpoint", "tick", "verdict", "counts", "statistics", "started", "finished")


class LastRun(msgspec.Struct, frozen=True):
    """The newest run of a schedule that was completed."""

    id: str
    endpoint: str
    tick: datetime
    verdict: str | None
    counts: dict[str, int]
    statistics: dict[str, object]
    started: datetime | None
    finished: datetime | None


def captures(connection: Connection) -> dict[str, CaptureCounts]:
    """What became of all requests so far, by endpoint."""
    names = CaptureCounts.__struct_fields__
    sums = (func.sum(capture_counts.c[name]) for name in names)
    rows = connection.execute(select(capture_counts.c.endpoint, *sums).group_by(capture_counts.c.endpoint))
    return {name: CaptureCounts(*map(int, numbers)) for name, *numbers in rows}


def runs(connection: Connection) -> dict[tuple[str, str, str], int]:
    """How many runs there are by schedule, endpoint and status."""
    kind = (executions.c.schedule, executions.c.endpoint, executions.c.status)
    rows = connection.execute(select(*kind, func.count()).group_by(*kind).order_by(*kind))
    return {(schedule, endpoint, status): int(count) for schedule, endpoint, status, count in rows}


def waiting(connection: Connection) -> list[tuple[str, datetime]]:
    """Schedule and time of creation of every run that has not begun, oldest first."""
    chosen = select(executions.c.schedule, executions.c.created).where(executions.c.status == "Pending")
    return [(row.schedule, row.created) for row in connection.execute(chosen.order_by(executions.c.created))]


def notifications(connection: Connection) -> dict[str, int]:
    """How many notifications there are by status."""
    rows = connection.execute(select(deliveries.c.status, func.count()).group_by(deliveries.c.status))
    return {status: int(count) for status, count in rows}


def last_run(connection: Connection, schedule: str) -> LastRun | None:
    """The completed run of a schedule with the newest tick, in its newest revision."""
    found = select(*(executions.c[name] for name in _SHOWN))
    found = found.where(executions.c.schedule == schedule, executions.c.status.in_(_JUDGED))
    newest = found.order_by(executions.c.tick.desc(), executions.c.revision.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return None if row is None else LastRun(**row._mapping)


def published(connection: Connection, runs: Sequence[str]) -> list[tuple[str, Series, float]]:
    """What runs published: run, series and value; missing values are left out."""
    names = (points.c.run, points.c.namespace, points.c.name, points.c.dimensions, points.c.value)
    chosen = select(*names).where(points.c.run.in_(runs), points.c.value.is_not(None)).order_by(points.c.id)
    return [
        (row.run, Series(row.namespace, row.name, msgspec.json.decode(row.dimensions, type=dict[str, str])), row.value)
        for row in connection.execute(chosen)
    ]
