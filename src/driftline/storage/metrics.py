"""The metric store: points of named series, each a value, a statistic set, or the mark of a missing value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Connection, and_, delete, insert, select, type_coerce

from driftline.resources.metrics import Point, Series
from driftline.storage.tables import metrics as table
from driftline.storage.types import EPOCH, MICROSECOND, canonical


def point(time: datetime, value: float | None, run: str | None = None) -> Point:
    """A point of one sample; None and numbers that are not finite are stored as missing.

    >>> point(EPOCH, 0.5).count, point(EPOCH, float("nan")).value
    (1.0, None)
    """
    if value is None or not math.isfinite(value):
        return Point(time, None, None, None, None, 0.0, run)
    return Point(time, value, value, value, value, 1.0, run)


def statistic_set(
    time: datetime, *, total: float, minimum: float, maximum: float, count: float, run: str | None = None
) -> Point:
    """A point of ``count`` samples (more than 0); its value is their mean."""
    if not (count > 0 and math.isfinite(total) and math.isfinite(minimum) and math.isfinite(maximum)):
        return point(time, None, run)
    return Point(time, total / count, total, minimum, maximum, count, run)


def add(connection: Connection, entries: Iterable[tuple[Series, Point]]) -> None:
    """Store points. Several of one series at the same time are all kept."""
    rows = [
        {
            "namespace": series.namespace,
            "name": series.name,
            "dimensions": canonical(series.dimensions),
            **msgspec.structs.asdict(entry),
        }
        for series, entry in entries
    ]
    if rows:
        connection.execute(insert(table), rows)


def query(
    connection: Connection,
    series: Series,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
) -> list[Point]:
    """The points of a series in [since, until), oldest first; with a limit, the newest that many."""
    wanted = [_of(series)]
    if since is not None:
        wanted.append(table.c.time >= since)
    if until is not None:
        wanted.append(table.c.time < until)
    columns = (table.c[name] for name in Point.__struct_fields__)
    statement = select(*columns).where(*wanted).order_by(table.c.time.desc(), table.c.id.desc()).limit(limit)
    return [Point(**row._mapping) for row in reversed(connection.execute(statement).all())]


def latest_periods(connection: Connection, series: Series, *, period: int, periods: int) -> list[Point]:
    """The points of the last so many periods (of ``period`` seconds, aligned to the epoch) that have any."""
    micros = period * 1_000_000
    number = type_coerce(table.c.time, BigInteger) // micros
    found = select(number).distinct().where(_of(series)).order_by(number.desc()).limit(periods)
    numbers = connection.execute(found).scalars().all()
    return query(connection, series, since=EPOCH + min(numbers) * micros * MICROSECOND) if numbers else []


def listing(connection: Connection, *, namespace: str | None = None, name: str | None = None) -> list[Series]:
    """Every distinct series, optionally of one namespace or metric name."""
    statement = select(table.c.namespace, table.c.name, table.c.dimensions).distinct()
    if namespace is not None:
        statement = statement.where(table.c.namespace == namespace)
    if name is not None:
        statement = statement.where(table.c.name == name)
    rows: Sequence[Any] = connection.execute(
        statement.order_by(table.c.namespace, table.c.name, table.c.dimensions)
    ).all()
    return [Series(row.namespace, row.name, msgspec.json.decode(row.dimensions)) for row in rows]


def forget_runs(connection: Connection, runs: Sequence[str]) -> None:
    """Take back the points of runs whose window is judged anew."""
    if runs:
        connection.execute(delete(table).where(table.c.run.in_(runs)))


def _of(series: Series) -> ColumnElement[bool]:
    return and_(
        table.c.namespace == series.namespace,
        table.c.name == series.name,
        table.c.dimensions == canonical(series.dimensions),
    )
