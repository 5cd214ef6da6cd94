"""What runs tell about the data of an hour: which runs read it, and what became of its rows."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, select

from driftline.core.verdict import Reason
from driftline.core.window import Window
from driftline.resources.executions import ExecutionStatus, ExecutionStep, RejectedRecords
from driftline.storage.tables import executions as table

_LATEST_TICK = timedelta(days=40)


class WindowRun(msgspec.Struct, frozen=True):
    """A run as lists show it, with the window it read."""

    id: str
    schedule: str
    window_start: datetime
    window_end: datetime
    revision: int
    status: ExecutionStatus
    verdict: str | None
    item_count: int | None


class RunEvidence(msgspec.Struct, frozen=True):
    """What a run did with the rows of its window."""

    id: str
    schedule: str
    window_start: datetime
    window_end: datetime
    status: ExecutionStatus
    verdict: str | None
    message: str | None
    item_count: int | None
    reasons: tuple[Reason, ...]
    steps: tuple[ExecutionStep, ...]
    counts: dict[str, int]
    rejects: tuple[RejectedRecords, ...]


def overlapping(connection: Connection, endpoint: str, window: Window, *, limit: int) -> list[WindowRun]:
    """The runs of an endpoint whose windows touch one, newest ticks first; ticks later than 40 days are left out."""
    columns = (table.c[name] for name in WindowRun.__struct_fields__)
    statement = select(*columns).where(
        table.c.endpoint == endpoint,
        # A run's tick is never before the beginning of what it reads, and the index knows ticks.
        table.c.tick >= window.start,
        table.c.tick < window.end + _LATEST_TICK,
        table.c.window_start < window.end,
        table.c.window_end > window.start,
    )
    order = (table.c.tick.desc(), table.c.window_start.desc(), table.c.revision.desc())
    return [WindowRun(**row._mapping) for row in connection.execute(statement.order_by(*order).limit(limit))]


def evidence(connection: Connection, run: str) -> RunEvidence | None:
    """What one run did; None when there is no such run."""
    columns = (table.c[name] for name in RunEvidence.__struct_fields__)
    row = connection.execute(select(*columns).where(table.c.id == run)).one_or_none()
    return None if row is None else RunEvidence(**row._mapping)
