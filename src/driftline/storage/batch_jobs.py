"""Batch jobs: one row a job, claimed under a lease."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from driftline.core.errors import ConflictError, NotFoundError
from driftline.resources.batch_jobs import BatchJob, BatchJobStatus
from driftline.storage.leases import Leases
from driftline.storage.tables import batch_jobs as table

_LEASES = Leases(table, table.c.name, (table.c.created, table.c.name))


class BatchOutcome(msgspec.Struct, frozen=True):
    """How a batch job ended."""

    status: BatchJobStatus
    message: str
    error: str | None = None
    result: dict[str, Any] = {}


def add(connection: Connection, name: str, kind: str, settings: dict[str, Any], *, now: datetime) -> BatchJob:
    """A Pending job; :class:`ConflictError` when there is one of this name."""
    job = BatchJob(name, kind, settings, "Pending", now)
    try:
        with connection.begin_nested():
            connection.execute(table.insert().values(**msgspec.structs.asdict(job)))
    except IntegrityError:
        raise ConflictError(f"the batch job {name} exists", hint="choose another name") from None
    return job


def get(connection: Connection, name: str) -> BatchJob:
    """One job; :class:`NotFoundError` when there is none."""
    row = connection.execute(select(table).where(table.c.name == name)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no batch job {name}", hint="list them to see their names")
    return BatchJob(**row._mapping)


def listing(
    connection: Connection,
    *,
    kind: str | None = None,
    status: BatchJobStatus | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[BatchJob]:
    """Jobs, newest first, filtered."""
    statement = select(table)
    for column, value in ((table.c.kind, kind), (table.c.status, status)):
        if value is not None:
            statement = statement.where(column == value)
    statement = statement.order_by(table.c.created.desc(), table.c.name).limit(limit).offset(offset)
    return [BatchJob(**row._mapping) for row in connection.execute(statement)]


def waiting(connection: Connection, real: datetime) -> bool:
    """Whether there is anything to claim."""
    return _LEASES.waiting(connection, real)


def claim(connection: Connection, *, owner: str, now: datetime, real: datetime, lease: timedelta) -> BatchJob | None:
    """Take the oldest job that is Pending, or whose runner let its lease run out; None when there is none."""
    row = _LEASES.claim(connection, owner=owner, now=now, real=real, lease=lease)
    return None if row is None else BatchJob(**row._mapping)


def extend(connection: Connection, job: BatchJob, until: datetime) -> bool:
    """Lengthen the lease; False when it is no longer ours."""
    return _LEASES.extend(connection, job.name, job, until)


def finish(connection: Connection, job: BatchJob, outcome: BatchOutcome, now: datetime) -> bool:
    """Store how a claimed job ended; False, and nothing stored, when its lease is no longer ours."""
    return _LEASES.finish(connection, job.name, job, msgspec.structs.asdict(outcome) | {"finished": now})


def release(connection: Connection, job: BatchJob) -> bool:
    """Give a claimed job back unfinished, as if it had not been tried; False when its lease is no longer ours."""
    values = {"status": "Pending", "attempts": job.attempts - 1, "started": None}
    return _LEASES.finish(connection, job.name, job, values)


def stop(connection: Connection, name: str, now: datetime) -> None:
    """Stop a job that has not finished; raises :class:`ConflictError` when it has, :class:`NotFoundError` for none."""
    if not _LEASES.stop(connection, name, now):
        found = get(connection, name)
        raise ConflictError(f"the batch job {name} is {found.status} already", hint="there is nothing to stop")
