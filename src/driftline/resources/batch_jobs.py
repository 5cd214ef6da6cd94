"""Batch jobs: work that is asked for once, such as the baseline of a dataset."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

BatchJobStatus = Literal["Pending", "InProgress", "Completed", "Failed", "Stopped"]
ENDED: tuple[BatchJobStatus, ...] = ("Completed", "Failed", "Stopped")


class BatchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What every kind of batch job is told: how many seconds it may take, and how many bytes of memory."""

    time_limit: float = 86400.0
    memory_limit: int = 8 << 30


class NewBatchJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch job to be started; which ``settings`` there may be is decided by its ``kind``."""

    name: str
    kind: str
    settings: dict[str, Any]


class BatchJob(msgspec.Struct, frozen=True):
    """A job that runs once. ``kind`` says what it does, ``settings`` with what, ``result`` what it counted.

    ``message`` is the exit message, ``error`` what went wrong. ``lease_until`` is real time, whatever clock the
    service follows; the other times are of the service's clock. Its log is ``jobs/NAME/log.txt`` in the data folder.
    """

    name: str
    kind: str
    settings: dict[str, Any]
    status: BatchJobStatus
    created: datetime
    message: str | None = None
    error: str | None = None
    result: dict[str, Any] = {}
    started: datetime | None = None
    finished: datetime | None = None
    attempts: int = 0
    lease_owner: str | None = None
    lease_until: datetime | None = None
