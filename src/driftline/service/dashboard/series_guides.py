"""What a series is held against, and what happened meanwhile: baseline, threshold, deployments, new baselines."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection

from driftline.core.constraint_documents import read_any_constraints
from driftline.core.documents import ModelQualityConstraints
from driftline.core.errors import DriftlineError, NotFoundError
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.window import Window
from driftline.monitors.data_quality.publish import DRIFTED_SHARE, NON_NULL
from driftline.reporting.charts.mark import SIGNS
from driftline.resources.metrics import Series
from driftline.resources.schedules import Schedule
from driftline.service.dashboard.series_values import value_in
from driftline.storage import audit, baselines, endpoints

_CHANGES = ("deploy", "register_endpoint", "change_capture")
Kind = Literal["deployed", "baseline"]


class Guides(msgspec.Struct, frozen=True):
    """What a series is held against. ``sign`` is ≥ where values must be at least the ``threshold``, ≤ where at most;
    ``name`` is the baseline's."""

    name: str = ""
    baseline: float | None = None
    lower: float | None = None
    upper: float | None = None
    threshold: float | None = None
    sign: str = "≥"


class Happening(msgspec.Struct, frozen=True):
    """Something that happened to what is measured: a deployment or change of the endpoint, or of the baseline."""

    time: datetime
    kind: Kind
    text: str


def guides(connection: Connection, schedule: Schedule, series: Series) -> Guides:
    """The baseline's value of a series with its interval, and its threshold; empty without a baseline."""
    if schedule.baseline is None:
        return Guides()
    stored = baselines.get(connection, schedule.baseline)
    analysis = schedule.monitor in ("bias", "attribution")
    entry = value_in(stored.constraints if analysis else stored.statistics, series)
    threshold, sign = (None, "≥") if analysis else _threshold(stored, series.name)
    return Guides(stored.name, entry.value, entry.lower, entry.upper, threshold, sign)


def _threshold(stored: baselines.Baseline, name: str) -> tuple[float | None, str]:
    try:
        found = read_any_constraints(stored.constraints, f"baseline {stored.name}")
    except DriftlineError:
        return None, "≥"
    if isinstance(found, ModelQualityConstraints):
        one = found.constraints.get(name)
        return (None, "≥") if one is None else (one.threshold, SIGNS[one.comparison_operator])
    return _of_column(found, name) if isinstance(found, DataQualityConstraints) else (None, "≥")


def _of_column(found: DataQualityConstraints, name: str) -> tuple[float | None, str]:
    """The least share of present values, or the largest share of drifted features. A feature's distance is beyond its
    threshold only where it is also beyond chance, so it is no line."""
    if name == DRIFTED_SHARE:
        return (found.drift.largest_drifted_share if found.drift else None), "≤"
    wanted = name.removeprefix(NON_NULL) if name.startswith(NON_NULL) else None
    return next((one.completeness for one in found.features if one.name == wanted), None), "≥"


def happenings(connection: Connection, schedule: Schedule, window: Window) -> list[Happening]:
    """Deployments of the endpoint and changes of the baseline in a window, in order.

    They are what the audit log says; without it what the endpoint and the baseline know of themselves.
    """
    found = [
        Happening(entry.time, "deployed", f"{schedule.endpoint}: {entry.action.replace('_', ' ')}")
        for entry in audit.changes(connection, f"endpoints/{schedule.endpoint}", since=window.start, until=window.end)
        if entry.action in _CHANGES
    ]
    found += _own(connection, schedule, window)
    if schedule.baseline is not None:
        found += [
            Happening(entry.time, "baseline", f"baseline {schedule.baseline} stored")
            for entry in audit.changes(
                connection, f"baselines/{schedule.baseline}", since=window.start, until=window.end
            )
        ]
    return sorted({(one.time.replace(microsecond=0, second=0), one.kind): one for one in found}.values(), key=_time)


def _own(connection: Connection, schedule: Schedule, window: Window) -> list[Happening]:
    found = []
    try:
        endpoint = endpoints.get(connection, schedule.endpoint)
    except NotFoundError:
        pass
    else:
        times = {endpoint.created: "deployed"} | (
            {} if endpoint.updated == endpoint.created else {endpoint.updated: "changed"}
        )
        found += [Happening(moment, "deployed", f"{endpoint.name} {verb}") for moment, verb in times.items()]
    if schedule.baseline is not None:
        created = baselines.get(connection, schedule.baseline).created
        found.append(Happening(created, "baseline", f"baseline {schedule.baseline} stored"))
    return [one for one in found if one.time in window]


def _time(one: Happening) -> datetime:
    return one.time
