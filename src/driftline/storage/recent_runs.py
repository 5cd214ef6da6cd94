"""The latest runs of an endpoint as lists show them: by index, and without their documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from driftline.core.documents import Violation
from driftline.core.verdict import Reason
from driftline.storage.tables import executions as table

_COLUMNS = ("id", "schedule", "window_start", "window_end", "revision", "tick", "status", "verdict")


class RunLine(msgspec.Struct, frozen=True):
    """A run in a list. ``rows`` is how many it judged, ``why`` its first violation or reason."""

    id: str
    schedule: str
    window_start: datetime
    window_end: datetime
    revision: int
    tick: datetime
    status: str
    verdict: str | None
    violations: int
    rows: int | None
    why: str


def recent_runs(connection: Connection, endpoint: str, limit: int) -> list[RunLine]:
    """The runs of an endpoint's schedules with the latest ticks, newest first."""
    columns = (table.c[name] for name in (*_COLUMNS, "reasons", "violations", "counts"))
    statement = select(*columns).where(table.c.endpoint == endpoint)
    order = (table.c.tick.desc(), table.c.window_start.desc(), table.c.revision.desc(), table.c.id)
    rows = connection.execute(statement.order_by(*order).limit(limit))
    return [_line(**row._mapping) for row in rows]


def _line(
    *, reasons: tuple[Reason, ...], violations: tuple[Violation, ...], counts: dict[str, int], **own: Any
) -> RunLine:
    return RunLine(violations=len(violations), rows=_rows(counts), why=_why(reasons, violations), **own)


def _rows(counts: dict[str, int]) -> int | None:
    """How many rows were judged: with labels, or decoded."""
    return counts.get("judged", counts.get("rows"))


def _why(reasons: tuple[Reason, ...], violations: tuple[Violation, ...]) -> str:
    return violations[0].line if violations else reasons[0].message if reasons else ""
