"""Baselines whose files lie in a bucket, where people replace them: what changed there is taken over before a run."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from driftline.core.constraint_documents import monitor_of, read_any_constraints
from driftline.core.errors import InputError, NotFoundError
from driftline.core.table_statistics_reader import read_statistics
from driftline.core.uris import object_uri
from driftline.jobs.analyses import ANALYSED
from driftline.jobs.attributes import DataAttributes, data_attributes
from driftline.jobs.fetching import Buckets
from driftline.resources.schedules import Schedule
from driftline.sagemaker.schedules import derived_name
from driftline.storage import baselines, schedules
from driftline.storage.baseline_versions import Edit
from driftline.storage.database import Store
from driftline.storage.objects import Objects

_NOTHING = b"{}"


class Files(msgspec.Struct, frozen=True):
    """The files of a baseline as they were read."""

    constraints: bytes
    statistics: bytes

    @property
    def digest(self) -> str:
        """What tells them from others."""
        return hashlib.sha256(self.constraints + b"\0" + self.statistics).hexdigest()


def refresh(store: Store, buckets: Buckets, name: str, now: datetime) -> None:
    """Take over the baseline's files of a schedule that names them by ``constraints`` and ``statistics``, if they are
    others than last time. What was edited here in between stays until then.

    Raises :class:`InputError` for constraints that are not there or cannot be used.
    """
    with store.read() as connection:
        schedule = schedules.get(connection, name)
    given = data_attributes(schedule.attributes)
    if given.constraints is None:
        return
    found = _read(buckets.objects, given, schedule.monitor)
    if found.digest == given.baseline_read:
        return
    with store.write() as connection:
        _keep(connection, schedules.get(connection, name, lock=True), found, f"read from {given.constraints}", now)


def _read(objects: Objects, given: DataAttributes, monitor: str) -> Files:
    try:
        constraints = objects.read(object_uri(str(given.constraints)))
    except NotFoundError:
        what = f'No S3 objects found under S3 URL "{given.constraints}": the baseline of this schedule'
        raise InputError(what, hint="upload the file, or wait for the job that makes it") from None
    try:
        statistics = _NOTHING if given.statistics is None else objects.read(object_uri(given.statistics))
    except NotFoundError:
        statistics = _NOTHING
    found = read_any_constraints(constraints, str(given.constraints))
    if monitor_of(found) != monitor:
        hint = f"name the files of a baseline of {monitor}"
        raise InputError(f"{given.constraints} are constraints of {monitor_of(found)}", hint=hint)
    if monitor == "data-quality" and statistics != _NOTHING:
        read_statistics(statistics, str(given.statistics))
    return Files(constraints, statistics)


def _keep(connection: Connection, schedule: Schedule, found: Files, note: str, now: datetime) -> None:
    name = schedule.baseline or derived_name(schedule.name, "baseline")
    statistics = found.statistics
    if schedule.monitor in ANALYSED and schedule.baseline is not None:
        statistics = baselines.get(connection, name).statistics  # of these monitors it is the configuration
    baseline = baselines.Baseline(name, schedule.monitor, statistics, found.constraints, now)
    baselines.put(connection, baseline, Edit(now, "", note))
    attributes = schedule.attributes | {"baseline_read": found.digest}
    schedules.save(connection, msgspec.structs.replace(schedule, baseline=name, attributes=attributes))
