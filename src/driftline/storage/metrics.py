"""The metric store: points of named series, each a value, a statistic set, or the mark of a missing value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Connection, and_, delete, func, insert, literal, select, type_coerce

from driftline.resources.metrics import Point, Series
from driftline.storage.tables import metrics as table
from driftline.storage.types import EPOCH, MICROSECOND, canonical

HOUR, DAY = 3600, 86_400
"""Resolutions of rolled-up rows in seconds; 0 is a point as it came."""


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


def by_period(
    connection: Connection,
    series: Series,
    *,
    period: int,
    since: datetime,
    until: datetime,
    origin: datetime = EPOCH,
) -> list[Point]:
    """The statistic sets of the periods (of ``period`` seconds, one of them from ``origin`` on) that begin in
    [since, until).

    Computed in the database from rows of every resolution; where rows are coarser than the period, they are given as
    they are. A period in which every value is missing is missing.
    """
    start, micros = _begin(period, origin), period * 1_000_000
    first = origin + -(-((since - origin) // MICROSECOND) // micros) * micros * MICROSECOND
    last = origin + -(-((until - origin) // MICROSECOND) // micros) * micros * MICROSECOND
    statement = select(start.label("start"), *_merged()).where(_of(series), table.c.time >= first, table.c.time < last)
    return [
        Point(EPOCH + row.start * MICROSECOND, row.value, row.sum, row.minimum, row.maximum, row.samples)
        for row in connection.execute(statement.group_by(start).order_by(start))
    ]


def fold(connection: Connection, resolution: int, before: datetime) -> int:
    """Merge rows finer than a resolution (seconds) into statistic sets of it, up to a time; how many rows went.

    Only whole periods are taken. A merged row has its period's beginning for a time, and no run.
    """
    old, start = _finer(resolution, before), _begin(resolution)
    groups = (table.c.namespace, table.c.name, table.c.dimensions)
    merged = select(*groups, start, *_merged(), literal(resolution)).where(old).group_by(*groups, start)
    # What is there now is deleted by its ids and not by the same question, which the new rows might answer too.
    last = connection.execute(select(func.max(table.c.id))).scalar_one_or_none() or 0
    names = ("namespace", "name", "dimensions", "time", "value", "sum", "minimum", "maximum", "count", "resolution")
    connection.execute(insert(table).from_select(names, merged))
    return connection.execute(delete(table).where(old, table.c.id <= last)).rowcount


def any_finer(connection: Connection, resolution: int, before: datetime) -> bool:
    """Whether :func:`fold` would find anything: asked first, so that it seldom takes the write lock."""
    return connection.execute(select(table.c.id).where(_finer(resolution, before)).limit(1)).first() is not None


def any_before(connection: Connection, before: datetime) -> bool:
    """Whether any row is older than a time."""
    return connection.execute(select(table.c.id).where(table.c.time < before).limit(1)).first() is not None


def forget_before(connection: Connection, before: datetime) -> int:
    """Take away every row older than a time; how many."""
    return connection.execute(delete(table).where(table.c.time < before)).rowcount


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


def of_run(connection: Connection, run: str, *, limit: int) -> list[Series]:
    """The series in which a run has a point, in the order in which it told them."""
    statement = select(table.c.namespace, table.c.name, table.c.dimensions).where(table.c.run == run)
    rows = connection.execute(statement.order_by(table.c.id).limit(limit))
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


def _finer(resolution: int, before: datetime) -> ColumnElement[bool]:
    """Rows of a finer resolution in the periods that are over at a time."""
    micros = resolution * 1_000_000
    end = EPOCH + (before - EPOCH) // MICROSECOND // micros * micros * MICROSECOND
    return and_(table.c.resolution < resolution, table.c.time < end)


def _begin(period: int, origin: datetime = EPOCH) -> ColumnElement[int]:
    micros = period * 1_000_000
    # Less than a period, so that a time since the epoch less it stays positive: databases divide towards zero.
    offset = (origin - EPOCH) // MICROSECOND % micros
    return (type_coerce(table.c.time, BigInteger) - offset) // micros * micros + offset


def _merged() -> tuple[ColumnElement[Any], ...]:
    """The value (mean), sum, extremes and count of a group of rows; missing ones have no part in them."""
    total, count = func.sum(table.c.sum), func.sum(table.c.count)
    value = total / func.nullif(count, 0.0)
    return (
        value.label("value"),
        total.label("sum"),
        func.min(table.c.minimum).label("minimum"),
        func.max(table.c.maximum).label("maximum"),
        count.label("samples"),
    )
