"""Runs beside a run: those of its schedule before and after it, and what the latest before it violated."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, and_, or_, select

from driftline.core.documents import Violation
from driftline.core.verdict import Verdict
from driftline.storage.tables import executions as table


class Judged(msgspec.Struct, frozen=True):
    """What a run of a window violated."""

    id: str
    tick: datetime
    window_start: datetime
    window_end: datetime
    revision: int
    verdict: Verdict | None
    item_count: int | None
    violations: tuple[Violation, ...]


def judged_until(connection: Connection, schedule: str, tick: datetime, limit: int) -> list[Judged]:
    """The last so many runs of a schedule up to a tick, newest first; of one window the latest revision first."""
    columns = (table.c[name] for name in Judged.__struct_fields__)
    statement = select(*columns).where(table.c.schedule == schedule, table.c.tick <= tick)
    order = (table.c.tick.desc(), table.c.window_start.desc(), table.c.revision.desc(), table.c.id)
    return [_judged(row) for row in connection.execute(statement.order_by(*order).limit(limit))]


def beside(
    connection: Connection, schedule: str, run: str, tick: datetime, window_start: datetime
) -> tuple[str | None, str | None]:
    """The ids of the runs before and after a run of a schedule; of one window the latest revision."""
    key = (table.c.tick, table.c.window_start)
    before = or_(key[0] < tick, and_(key[0] == tick, key[1] < window_start))
    after = or_(key[0] > tick, and_(key[0] == tick, key[1] > window_start))
    mine = (table.c.schedule == schedule, table.c.id != run)
    # Bounds on the tick alone let the index be walked from the run on.
    down = select(table.c.id).where(*mine, table.c.tick <= tick, before)
    up = select(table.c.id).where(*mine, table.c.tick >= tick, after)
    newest = table.c.revision.desc()
    return (
        connection.execute(down.order_by(key[0].desc(), key[1].desc(), newest).limit(1)).scalar_one_or_none(),
        connection.execute(up.order_by(key[0], key[1], newest).limit(1)).scalar_one_or_none(),
    )


def _judged(row: object) -> Judged:
    values = dict(row._mapping)  # type: ignore[attr-defined]
    values["verdict"] = None if values["verdict"] is None else Verdict(values["verdict"])
    return Judged(**values)
