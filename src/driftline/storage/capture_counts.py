"""What became of the requests of each hour: captured, sampled out, or dropped for want of disk."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, func, select

from driftline.core.window import Window
from driftline.storage.tables import capture_counts as table
from driftline.storage.types import insert_into


class CaptureCounts(msgspec.Struct, frozen=True):
    """Numbers of requests; of the captured ones, ``withheld`` have a side of which nothing was recorded."""

    captured: int = 0
    sampled_out: int = 0
    dropped: int = 0
    withheld: int = 0


def add(connection: Connection, endpoint: str, moment: datetime, delta: CaptureCounts) -> None:
    """Add to the counts of the hour of a moment."""
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    values = msgspec.structs.asdict(delta)
    statement = insert_into(connection, table).values(endpoint=endpoint, hour=hour, **values)
    grown = {name: table.c[name] + number for name, number in values.items()}
    connection.execute(statement.on_conflict_do_update(index_elements=["endpoint", "hour"], set_=grown))


def total(connection: Connection, endpoint: str, window: Window) -> CaptureCounts:
    """The sums over the whole hours that a window touches."""
    hours = list(window.hours())
    if not hours:
        return CaptureCounts()
    sums = (func.coalesce(func.sum(table.c[name]), 0) for name in CaptureCounts.__struct_fields__)
    inside = (table.c.endpoint == endpoint, table.c.hour >= hours[0], table.c.hour <= hours[-1])
    row = connection.execute(select(*sums).where(*inside)).one()
    return CaptureCounts(*(int(number) for number in row))


def by_hour(connection: Connection, endpoint: str, window: Window) -> dict[datetime, CaptureCounts]:
    """The counts of every recorded hour that begins in a window, in order."""
    inside = (table.c.endpoint == endpoint, table.c.hour >= window.start, table.c.hour < window.end)
    rows = connection.execute(select(table).where(*inside).order_by(table.c.hour))
    return {row.hour: CaptureCounts(row.captured, row.sampled_out, row.dropped, row.withheld) for row in rows}


def last_hour(connection: Connection, endpoint: str, before: datetime) -> datetime | None:
    """The last hour before a time in which a request was counted; None when there is none."""
    asked = table.c.captured + table.c.sampled_out + table.c.dropped
    wanted = (table.c.endpoint == endpoint, table.c.hour < before, asked > 0)
    found: datetime | None = connection.execute(
        select(table.c.hour).where(*wanted).order_by(table.c.hour.desc()).limit(1)
    ).scalar()
    return found
