"""What a run says to the metric store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from driftline.resources.metrics import Dimensioned, Point, Series, StatisticSet, point, statistic_set
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
"""Where each monitor's metrics go."""
DEVIATION = "_std"


def dimensions_of(endpoint: str, schedule: str) -> dict[str, str]:
    """The dimensions of an endpoint's monitor.

    >>> dimensions_of("churn", "hourly")
    {'Endpoint': 'churn', 'MonitoringSchedule': 'hourly'}
    """
    return {"Endpoint": endpoint, "MonitoringSchedule": schedule}


def resolved(connection: Connection, series: Series) -> Series:
    """A series whose namespace is that of its schedule's monitor, where it has none yet.

    A schedule that does not exist (yet) is taken for one of model quality.
    """
    if series.namespace:
        return series
    name = series.dimensions.get("MonitoringSchedule")
    monitor = None if name is None else schedules.monitor_of(connection, name)
    return msgspec.structs.replace(series, namespace=NAMESPACES[monitor or "model-quality"])


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
) -> list[str]:
    """Store one point per metric of a run (``f2``, ``f2_std``, …) at the time of its tick; returns the names.

    A metric without a finite value is stored as missing. ``untold`` are metrics on which the run reached no verdict:
    they and their deviations are stored as missing whatever value they have. A metric that an alarm watches and the
    run did not compute is missing too, so that a run that failed does not look like silence. ``dimensioned`` metrics
    have dimensions beside those of the run.
    """
    dimensions = dimensions_of(endpoint, schedule)
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
