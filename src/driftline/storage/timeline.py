"""Runs of one schedule as a line of windows: what stands next to each other, read without what is heavy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Connection, Text, and_, case, func, or_, select, type_coerce

from driftline.core.verdict import Verdict
from driftline.core.window import Window
from driftline.resources.executions import Execution, ExecutionStatus, RunCause
from driftline.storage.tables import executions as table
from driftline.storage.types import EPOCH, MICROSECOND


class RunMark(msgspec.Struct, frozen=True):
    """A run as far as a line of many shows it."""

    id: str
    tick: datetime
    window_start: datetime
    window_end: datetime
    revision: int
    status: ExecutionStatus
    verdict: Verdict | None

    @property
    def window(self) -> Window:
        """What the run reads."""
        return Window(self.window_start, self.window_end)


class Revision(msgspec.Struct, frozen=True):
    """One judgement of a window: what it counted, and its statistics as JSON text."""

    id: str
    revision: int
    status: ExecutionStatus
    verdict: Verdict | None
    cause: RunCause
    counts: dict[str, int]
    item_count: int | None
    created: datetime
    statistics: bytes


class Judged(msgspec.Struct, frozen=True):
    """What a run says of the points that it published."""

    id: str
    tick: datetime
    window_start: datetime
    window_end: datetime
    verdict: Verdict | None
    item_count: int | None


class Together(msgspec.Struct, frozen=True):
    """What several runs say: how many they are, their rows added up, and the worst verdict."""

    runs: int
    rows: int | None
    verdict: Verdict | None


_RANKED = ("", "OK", "UNKNOWN", "VIOLATED")
"""Verdicts from the best to the worst, after none."""
_MARK = tuple(table.c[name] for name in RunMark.__struct_fields__)
_JUDGED = tuple(table.c[name] for name in Judged.__struct_fields__)
_LATEST = (table.c.tick.desc(), table.c.window_start.desc(), table.c.revision.desc())
_EARLIEST = (table.c.tick, table.c.window_start, table.c.revision.desc())


def marks(connection: Connection, schedule: str, *, since: datetime, until: datetime, limit: int) -> list[RunMark]:
    """The runs of a schedule with a tick in [since, until), latest first; of one window the latest revision first."""
    wanted = (table.c.schedule == schedule, table.c.tick >= since, table.c.tick < until)
    statement = select(*_MARK).where(*wanted).order_by(*_LATEST).limit(limit)
    return [RunMark(**_known(dict(row._mapping))) for row in connection.execute(statement)]


def neighbours(connection: Connection, run: Execution) -> tuple[RunMark | None, RunMark | None]:
    """The latest revisions of the windows before and after a run's; None where there is none."""
    tick, start = table.c.tick, table.c.window_start
    # The first condition of each is what the index is searched by.
    before = and_(tick <= run.tick, or_(tick < run.tick, start < run.window_start))
    after = and_(tick >= run.tick, or_(tick > run.tick, start > run.window_start))
    return _first(connection, run, before, _LATEST), _first(connection, run, after, _EARLIEST)


def revisions(connection: Connection, schedule: str, window: Window, *, limit: int = 50) -> list[Revision]:
    """The judgements of a window, latest first."""
    columns = [table.c[name] for name in Revision.__struct_fields__ if name != "statistics"]
    text = type_coerce(table.c.statistics, Text).label("statistics")
    statement = select(*columns, text).where(
        table.c.schedule == schedule, table.c.window_start == window.start, table.c.window_end == window.end
    )
    rows = connection.execute(statement.order_by(table.c.revision.desc()).limit(limit))
    return [_revision(dict(row._mapping)) for row in rows]


def judged(connection: Connection, runs: Iterable[str]) -> dict[str, Judged]:
    """What is known of runs, by their ids; those that are gone are left out."""
    statement = select(*_JUDGED).where(table.c.id.in_(list(runs)))
    return {row.id: Judged(**_known(dict(row._mapping))) for row in connection.execute(statement)}


def ended(connection: Connection, schedule: str, *, since: datetime, until: datetime, limit: int) -> list[Judged]:
    """What the latest revisions of a schedule's windows say whose tick is in [since, until), latest first."""
    statement = select(*_JUDGED).where(*_within(schedule, since, until), ~_revised())
    rows = connection.execute(statement.order_by(*_LATEST).limit(limit))
    return [Judged(**_known(dict(row._mapping))) for row in rows]


def together(
    connection: Connection, schedule: str, *, since: datetime, until: datetime, period: int
) -> dict[datetime, Together]:
    """What the latest revisions of a schedule's windows say, by periods of so many seconds, aligned to the epoch."""
    micros = period * 1_000_000
    start = type_coerce(table.c.tick, BigInteger) // micros * micros
    rank = case(*((table.c.verdict == name, place) for place, name in enumerate(_RANKED)), else_=0)
    columns = (func.count(), func.sum(table.c.item_count), func.max(rank))
    statement = select(start, *columns).where(*_within(schedule, since, until), ~_revised()).group_by(start)
    rows = connection.execute(statement)
    return {EPOCH + begin * MICROSECOND: _together(*said) for begin, *said in rows}


def _together(runs: int, rows: Any, worst: int) -> Together:
    """``rows`` are a decimal where the driver gives sums as such."""
    return Together(runs, None if rows is None else int(rows), Verdict(_RANKED[worst]) if worst else None)


def _within(schedule: str, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return table.c.schedule == schedule, table.c.tick >= since, table.c.tick < until


def _revised() -> ColumnElement[bool]:
    """Whether a later revision of a run's window exists."""
    later = table.alias()
    same = (later.c[name] == table.c[name] for name in ("schedule", "window_start", "window_end"))
    return select(later.c.id).where(*same, later.c.revision > table.c.revision).exists()


def statistics_of(connection: Connection, runs: Sequence[str]) -> dict[str, bytes]:
    """The statistics of runs as JSON text, by their ids: heavy, so for few runs only."""
    text = type_coerce(table.c.statistics, Text)
    found = connection.execute(select(table.c.id, text.label("text")).where(table.c.id.in_(list(runs))))
    return {row.id: row.text.encode() for row in found}


def _first(
    connection: Connection, run: Execution, beside: ColumnElement[bool], order: tuple[ColumnElement[Any], ...]
) -> RunMark | None:
    statement = select(*_MARK).where(table.c.schedule == run.schedule, beside).order_by(*order).limit(1)
    row = connection.execute(statement).first()
    return None if row is None else RunMark(**_known(dict(row._mapping)))


def _revision(row: dict[str, Any]) -> Revision:
    row["statistics"] = str(row["statistics"]).encode()
    return Revision(**_known(row))


def _known(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"verdict": None if row["verdict"] is None else Verdict(str(row["verdict"]))}
