"""What a run says to the metric store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from driftline.resources.metrics import Dimensioned, Point, Series, StatisticSet, point, statistic_set
from driftline.resources.schedules import Schedule
from driftline.storage import alarms as alarm_rows
from driftline.storage import metrics as store
from driftline.storage import schedules

MODEL_QUALITY = "aws/sagemaker/Endpoints/model-metrics"
DATA_QUALITY = "aws/sagemaker/Endpoints/data-metrics"
BIAS = "aws/sagemaker/Endpoints/bias-metrics"
ATTRIBUTION = "aws/sagemaker/Endpoints/explainability-metrics"
NAMESPACES = {
    "model-quality": MODEL_QUALITY,
    "data-quality": DATA_QUALITY,
    "bias": BIAS,
    "attribution": ATTRIBUTION,
}
"""Where each monitor's metrics go, when it looks at an endpoint."""
_BATCHES = "aws/sagemaker/ModelMonitoring/"
"""Where they go, under the same last names, when it looks at batch transforms."""
DEVIATION = "_std"


def dimensions_of(endpoint: str, schedule: str) -> dict[str, str]:
    """The dimensions of an endpoint's monitor.

    >>> dimensions_of("churn", "hourly")
    {'Endpoint': 'churn', 'MonitoringSchedule': 'hourly'}
    """
    return {"Endpoint": endpoint, "MonitoringSchedule": schedule}


def place_of(endpoint: str, schedule: str, monitor: str, *, of_batches: bool) -> tuple[str, dict[str, str]]:
    """Where a schedule's metrics go, and the dimensions that all of them have: of one that looks at batches its name.

    >>> place_of("churn", "daily", "data-quality", of_batches=True)
    ('aws/sagemaker/ModelMonitoring/data-metrics', {'MonitoringSchedule': 'daily'})
    """
    namespace = NAMESPACES[monitor]
    if of_batches:
        return _BATCHES + namespace.rpartition("/")[2], {"MonitoringSchedule": schedule}
    return namespace, dimensions_of(endpoint, schedule)


def namespace_of(schedule: Schedule) -> str:
    """Where a schedule's metrics go."""
    return _place(schedule)[0]


def own_dimensions(schedule: Schedule) -> dict[str, str]:
    """The dimensions that all metrics of a schedule have."""
    return _place(schedule)[1]


def _place(schedule: Schedule) -> tuple[str, dict[str, str]]:
    return place_of(schedule.endpoint, schedule.name, schedule.monitor, of_batches=schedule.of_batches)


def resolved(connection: Connection, series: Series) -> Series:
    """A series with the namespace of its schedule, where it has none yet, and of a schedule of batches without an
    endpoint among its dimensions.

    A schedule that does not exist (yet) is taken for one of model quality.
    """
    if series.namespace:
        return series
    name = series.dimensions.get("MonitoringSchedule")
    schedule = None if name is None else schedules.find(connection, name)
    if schedule is None:
        return msgspec.structs.replace(series, namespace=MODEL_QUALITY)
    dimensions = {key: value for key, value in series.dimensions.items() if key != "Endpoint"}
    kept = dimensions if schedule.of_batches else series.dimensions
    return msgspec.structs.replace(series, namespace=namespace_of(schedule), dimensions=kept)


def publish(
    connection: Connection,
    *,
    endpoint: str,
    schedule: str,
    time: datetime,
    metrics: Mapping[str, float | StatisticSet | None],
    run: str,
    untold: Iterable[str] = (),
    namespace: str = MODEL_QUALITY,
    dimensioned: Iterable[Dimensioned] = (),
    own: Mapping[str, str] | None = None,
) -> list[str]:
    """Store one point per metric of a run (``f2``, ``f2_std``, …) at the time of its tick; returns the names.

    A metric without a finite value is stored as missing. ``untold`` are metrics on which the run reached no verdict:
    they and their deviations are stored as missing whatever value they have. A metric that an alarm watches and the
    run did not compute is missing too, so that a run that failed does not look like silence. ``dimensioned`` metrics
    have dimensions beside those of the run, which are those of an endpoint's monitor unless ``own`` are given.
    """
    dimensions = dimensions_of(endpoint, schedule) if own is None else dict(own)
    values = dict(metrics)
    for name in untold:
        values[name] = None
        if name + DEVIATION in values:
            values[name + DEVIATION] = None
    for _, name in alarm_rows.watching(connection, namespace, dimensions):
        values.setdefault(name, None)
    every = [*dimensioned, *(Dimensioned(name, {}, value) for name, value in values.items())]
    store.add(
        connection,
        [(Series(namespace, one.name, one.dimensions | dimensions), _point(time, one.value, run)) for one in every],
    )
    return list(values)


def _point(time: datetime, value: float | StatisticSet | None, run: str) -> Point:
    if not isinstance(value, StatisticSet):
        return point(time, value, run)
    return statistic_set(
        time, total=value.total, minimum=value.minimum, maximum=value.maximum, count=value.count, run=run
    )
