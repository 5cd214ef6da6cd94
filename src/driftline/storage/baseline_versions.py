"""What the constraints of baselines were before: every version, who made it, when and why."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, select

from driftline.core.errors import ConflictError, NotFoundError
from driftline.core.plain_text import plain
from driftline.storage.tables import baseline_versions as table

_LONGEST = 300
_LISTED = ("baseline", "version", "monitor", "author", "note", "created")


class Edit(msgspec.Struct, frozen=True):
    """Who changes a baseline, when and why; ``since`` is the version that was looked at, None where none was."""

    time: datetime
    author: str = ""
    note: str = ""
    since: int | None = None


class VersionRow(msgspec.Struct, frozen=True):
    """A version of a baseline's constraints; ``size`` is that of its document in bytes."""

    baseline: str
    version: int
    monitor: str
    author: str
    note: str
    created: datetime
    size: int


def add(connection: Connection, baseline: str, monitor: str, constraints: bytes, edit: Edit) -> int:
    """Add a version, the row of the baseline being locked; constraints as they are in the newest add none.

    The newest version. Raises :class:`ConflictError` when it is another than ``edit.since``.
    """
    number = newest(connection, baseline)
    if edit.since is not None and edit.since != number:
        raise ConflictError(
            f"the baseline {baseline} was changed meanwhile",
            evidence=f"version {edit.since} was edited, and the newest is version {number}",
            hint="look at what was changed, and make the change again on the newest version",
        )
    if number and document(connection, baseline, number) == constraints:
        return number
    author, note = plain(edit.author)[:_LONGEST], plain(edit.note)[:_LONGEST]
    row = {"baseline": baseline, "version": number + 1, "monitor": monitor, "constraints": constraints}
    connection.execute(table.insert().values(**row, author=author, note=note, created=edit.time))
    return number + 1


def newest(connection: Connection, baseline: str) -> int:
    """The number of the newest version, 0 when there is none."""
    return int(connection.execute(select(func.max(table.c.version)).where(table.c.baseline == baseline)).scalar() or 0)


def listing(connection: Connection, baseline: str, *, limit: int = 100, offset: int = 0) -> list[VersionRow]:
    """Versions, newest first, without their documents."""
    columns = (*(table.c[name] for name in _LISTED), func.length(table.c.constraints).label("size"))
    statement = select(*columns).where(table.c.baseline == baseline).order_by(table.c.version.desc())
    return [VersionRow(**row._mapping) for row in connection.execute(statement.limit(limit).offset(offset))]


def get(connection: Connection, baseline: str, version: int) -> VersionRow:
    """One version; :class:`NotFoundError` when there is none of that number."""
    columns = (*(table.c[name] for name in _LISTED), func.length(table.c.constraints).label("size"))
    row = connection.execute(select(*columns).where(_is(baseline, version))).one_or_none()
    if row is None:
        raise _absent(baseline, version)
    return VersionRow(**row._mapping)


def document(connection: Connection, baseline: str, version: int) -> bytes:
    """The constraints of one version; :class:`NotFoundError` when there is none of that number."""
    found: bytes | None = connection.execute(select(table.c.constraints).where(_is(baseline, version))).scalar()
    if found is None:
        raise _absent(baseline, version)
    return found


def _is(baseline: str, version: int) -> ColumnElement[bool]:
    return and_(table.c.baseline == baseline, table.c.version == version)


def _absent(baseline: str, version: int) -> NotFoundError:
    hint = "list the versions of the baseline"
    return NotFoundError(f"the baseline {baseline} has no version {version}", hint=hint)
