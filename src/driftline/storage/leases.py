"""Rows of work that one process at a time may claim, under a lease that it must extend while it works."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sqlalchemy import Column, ColumnElement, Connection, Row, Table, and_, or_, select, true, update

UNFINISHED: tuple[Literal["Pending", "InProgress"], ...] = ("Pending", "InProgress")


class Claim(Protocol):
    """What is known of a claimed row."""

    @property
    def lease_owner(self) -> str | None:
        """Whose claim it is."""

    @property
    def attempts(self) -> int:
        """The number of the claim."""


class Leases:
    """The claims on a table with the columns status, attempts, started, lease_owner and lease_until.

    ``key`` is its primary key; what is first in ``order`` is claimed first, but not before the real time in ``after``,
    where there is such a column.
    """

    def __init__(
        self, table: Table, key: Column[Any], order: tuple[Column[Any], ...], after: Column[Any] | None = None
    ) -> None:
        self._table, self._key, self._order, self._after = table, key, order, after

    def waiting(self, connection: Connection, real: datetime, ready: ColumnElement[bool] | None = None) -> bool:
        """Whether there is anything to claim: asked first, so that an idle scheduler never takes the write lock."""
        return connection.execute(select(self._key).where(self._free(real, ready)).limit(1)).first() is not None

    def claim(
        self,
        connection: Connection,
        *,
        owner: str,
        now: datetime,
        real: datetime,
        lease: timedelta,
        ready: ColumnElement[bool] | None = None,
    ) -> Row[Any] | None:
        """Take the first row that is Pending, or whose owner let its lease run out; None when there is none.

        ``real`` is real time for the lease; ``now`` is recorded as the start. ``owner`` must be unique to the process.
        Rows that are not ``ready`` are passed over.
        """
        free = self._free(real, ready)
        # SQLite is alone in its write transaction; PostgreSQL passes over the rows that a rival is taking.
        first = select(self._key).where(free).order_by(*self._order).limit(1).with_for_update(skip_locked=True)
        values = {
            "status": "InProgress",
            "lease_owner": owner,
            "lease_until": real + lease,
            "attempts": self._table.c.attempts + 1,
            "started": now,
        }
        statement = update(self._table).where(self._key == first.scalar_subquery(), free).values(values)
        return connection.execute(statement.returning(self._table)).one_or_none()

    def extend(self, connection: Connection, key: str, claim: Claim, until: datetime) -> bool:
        """Lengthen the lease; False when it is no longer ours."""
        return self._change(connection, self._held(key, claim), {"lease_until": until})

    def finish(self, connection: Connection, key: str, claim: Claim, values: dict[str, Any]) -> bool:
        """Store how claimed work ended; False, and nothing stored, when its lease is no longer ours."""
        return self._change(connection, self._held(key, claim), values | _UNCLAIMED)

    def stop(self, connection: Connection, key: str, now: datetime) -> bool:
        """Stop work that has not finished, whoever does it; False, and nothing stored, when it has."""
        values = {"status": "Stopped", "finished": now, "message": "Stopped: Job was stopped on request."}
        unfinished = and_(self._key == key, self._table.c.status.in_(UNFINISHED))
        return self._change(connection, unfinished, values | _UNCLAIMED)

    def _change(self, connection: Connection, where: ColumnElement[bool], values: dict[str, Any]) -> bool:
        return connection.execute(update(self._table).where(where).values(values)).rowcount > 0

    def _free(self, real: datetime, ready: ColumnElement[bool] | None) -> ColumnElement[bool]:
        status, after = self._table.c.status, self._after
        due = true() if after is None else or_(after.is_(None), after <= real)
        free = or_(and_(status == "Pending", due), and_(status == "InProgress", self._table.c.lease_until < real))
        return free if ready is None else and_(free, ready)

    def _held(self, key: str, claim: Claim) -> ColumnElement[bool]:
        """The claim itself, not only the work: a later claim of the same row has another attempt number."""
        return and_(
            self._key == key,
            self._table.c.status == "InProgress",
            self._table.c.lease_owner == claim.lease_owner,
            self._table.c.attempts == claim.attempts,
        )


_UNCLAIMED = {"lease_owner": None, "lease_until": None}
