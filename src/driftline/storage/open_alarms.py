"""Alarms as pages tell them: the open ones of all endpoints, or those of one endpoint, without their definitions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, case, func, or_, select

from driftline.resources.alarms import AlarmState
from driftline.storage.schedules import batch_endpoints, endpoint_of
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
    batches = batch_endpoints(connection)
    return [_line(row, batches) for row in rows], int(number)


def alarms_of(connection: Connection, endpoint: str, limit: int) -> list[AlarmLine]:
    """The alarms on metrics of an endpoint, and of batches that it stands for, the worst first."""
    batches = {name: home for name, home in batch_endpoints(connection).items() if home == endpoint}
    pairs = [{"Endpoint": endpoint}, *({"MonitoringSchedule": name} for name in batches)]
    # The text of the dimensions narrows the choice; their meaning decides.
    named = or_(*(table.c.dimensions.contains(canonical(pair)[1:-1], autoescape=True) for pair in pairs))
    rows = connection.execute(select(*_COLUMNS).where(named).order_by(*_WORST_FIRST))
    return [line for row in rows if (line := _line(row, batches)).endpoint == endpoint][:limit]


def _line(row: Row[Any], batches: Mapping[str, str]) -> AlarmLine:
    dimensions: Mapping[str, str] = msgspec.json.decode(row.dimensions, type=dict[str, str])
    noted = row.acknowledged or {}
    return AlarmLine(
        row.name,
        row.metric,
        endpoint_of(dimensions, batches),
        dimensions.get("MonitoringSchedule", ""),
        row.state,
        row.state_since,
        row.reason,
        noted.get("author", ""),
        noted.get("note", ""),
    )
