"""How much traffic endpoints had: sums over their hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from driftline.storage.capture_counts import CaptureCounts
from driftline.storage.tables import capture_counts as table


def traffic_since(connection: Connection, endpoints: Sequence[str], since: datetime) -> dict[str, CaptureCounts]:
    """What became of the requests of endpoints in the hours that began at or after a time; none of quiet ones."""
    sums = (func.sum(table.c[name]) for name in CaptureCounts.__struct_fields__)
    chosen = (table.c.endpoint.in_(endpoints), table.c.hour >= since)
    rows = connection.execute(select(table.c.endpoint, *sums).where(*chosen).group_by(table.c.endpoint))
    return {name: CaptureCounts(*map(int, numbers)) for name, *numbers in rows}
