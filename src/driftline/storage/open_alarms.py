"""Alarms as pages tell them: the open ones of all endpoints, or those of one endpoint, without their definitions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, case, func, select

from driftline.resources.alarms import AlarmState
from driftline.storage.tables import alarms as table
from driftline.storage.types import canonical

_COLUMNS = tuple(
    table.c[name] for name in ("name", "metric", "dimensions", "state", "state_since", "reason", "acknowledged")
)
_WORST_FIRST = (
    case((table.c.state == "ALARM", 0), (table.c.state == "INSUFFICIENT_DATA", 1), else_=2),
    table.c.state_since.desc(),
    table.c.name,
)


class AlarmLine(msgspec.Struct, frozen=True):
    """An alarm in a list. ``endpoint`` and ``schedule`` are empty where its dimensions name none."""

    name: str
    metric: str
    endpoint: str
    schedule: str
    state: AlarmState
    since: datetime
    reason: str
    acknowledged_by: str = ""
    note: str = ""


def open_alarms(connection: Connection, limit: int) -> tuple[list[AlarmLine], int]:
    """The alarms that are not OK: those in ALARM first, then by how lately they changed. And how many there are."""
    not_ok = table.c.state != "OK"
    rows = connection.execute(select(*_COLUMNS).where(not_ok).order_by(*_WORST_FIRST).limit(limit))
    number = connection.execute(select(func.count()).select_from(table).where(not_ok)).scalar_one()
    return [_line(row) for row in rows], int(number)


def alarms_of(connection: Connection, endpoint: str, limit: int) -> list[AlarmLine]:
    """The alarms whose dimension ``Endpoint`` it is, the worst first."""
    # The text of the dimensions narrows the choice; their meaning decides.
    named = table.c.dimensions.contains(canonical({"Endpoint": endpoint})[1:-1], autoescape=True)
    rows = connection.execute(select(*_COLUMNS).where(named).order_by(*_WORST_FIRST))
    return [line for line in map(_line, rows) if line.endpoint == endpoint][:limit]


def _line(row: Row[Any]) -> AlarmLine:
    dimensions: Mapping[str, str] = msgspec.json.decode(row.dimensions, type=dict[str, str])
    noted = row.acknowledged or {}
    return AlarmLine(
        row.name,
        row.metric,
        dimensions.get("Endpoint", ""),
        dimensions.get("MonitoringSchedule", ""),
        row.state,
        row.state_since,
        row.reason,
        noted.get("author", ""),
        noted.get("note", ""),
    )
