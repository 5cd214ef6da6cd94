"""What a run says to the metric store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection

from driftline.resources.metrics import Series
from driftline.storage import alarms as alarm_rows
from driftline.storage import metrics as store

MODEL_QUALITY = "aws/sagemaker/Endpoints/model-metrics"
DEVIATION = "_std"


def dimensions_of(endpoint: str, schedule: str) -> dict[str, str]:
    """The dimensions of an endpoint's monitor.

    >>> dimensions_of("churn", "hourly")
    {'Endpoint': 'churn', 'MonitoringSchedule': 'hourly'}
    """
    return {"Endpoint": endpoint, "MonitoringSchedule": schedule}


def publish(
    connection: Connection,
    *,
    endpoint: str,
    schedule: str,
    time: datetime,
    metrics: Mapping[str, float | None],
    run: str,
    untold: Iterable[str] = (),
) -> list[str]:
    """Store one point per metric of a run (``f2``, ``f2_std``, …) at the time of its tick; returns the names.

    A metric without a finite value is stored as missing. ``untold`` are metrics on which the run reached no verdict:
    they and their deviations are stored as missing whatever value they have. A metric that an alarm watches and the
    run did not compute is missing too, so that a run that failed does not look like silence.
    """
    dimensions = dimensions_of(endpoint, schedule)
    values = dict(metrics)
    for name in untold:
        values[name] = None
        if name + DEVIATION in values:
            values[name + DEVIATION] = None
    for _, name in alarm_rows.watching(connection, MODEL_QUALITY, dimensions):
        values.setdefault(name, None)
    store.add(
        connection,
        [(Series(MODEL_QUALITY, name, dimensions), store.point(time, value, run)) for name, value in values.items()],
    )
    return list(values)
