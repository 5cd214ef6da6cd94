"""The shapes of the API's requests and answers that are not stored as they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from driftline.alerting.alarms import Alarm, MissingData, Operator, Statistic
from driftline.alerting.targets import mask
from driftline.monitors.quality.recipes import NAMESPACE
from driftline.storage.baselines import Baseline
from driftline.storage.deliveries import Delivery


class CaptureChange(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Capture settings to change; what is left out stays."""

    percent: float | None = None
    input: bool | None = None
    output: bool | None = None


class NewSchedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A schedule to create; ``baseline`` names one that the service has."""

    name: str
    endpoint: str
    cron: str
    monitor: str = "model-quality"
    problem_type: str = "BinaryClassification"
    attributes: dict[str, Any] = {}
    start_offset: str = "PT0S"
    end_offset: str = "PT0S"
    baseline: str | None = None


class NewBaseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The documents of a baseline, as in its files."""

    constraints: dict[str, Any]
    statistics: dict[str, Any] = {}


class BaselineView(msgspec.Struct, frozen=True):
    """A baseline with its documents."""

    name: str
    monitor: str
    created: datetime
    constraints: dict[str, Any]
    statistics: dict[str, Any]


class NewAlarm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alarm on a metric of one schedule, or, with ``dimensions``, of any series."""

    metric: str
    operator: Operator
    threshold: float
    endpoint: str | None = None
    schedule: str | None = None
    namespace: str = NAMESPACE
    dimensions: dict[str, str] | None = None
    statistic: Statistic = "Average"
    period: int = 3600
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    treat_missing: MissingData = "missing"
    alarm_actions: tuple[str, ...] = ()
    ok_actions: tuple[str, ...] = ()
    insufficient_data_actions: tuple[str, ...] = ()


class RunWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The window to run; the last complete one when both are left out."""

    start: str | None = None
    end: str | None = None


class CaptureHour(msgspec.Struct, frozen=True):
    """What became of the requests of one hour."""

    hour: datetime
    captured: int
    sampled_out: int
    dropped: int


class DeliveryView(msgspec.Struct, frozen=True):
    """A notification without its target's secrets."""

    id: str
    target: str
    status: str
    attempts: int
    last_error: str | None
    created: datetime
    sent: datetime | None


def baseline_view(baseline: Baseline) -> BaselineView:
    """A stored baseline with its documents as JSON."""
    documents = (msgspec.json.decode(baseline.constraints), msgspec.json.decode(baseline.statistics))
    return BaselineView(baseline.name, baseline.monitor, baseline.created, *documents)


def delivery_view(delivery: Delivery) -> DeliveryView:
    """A delivery as it may be shown."""
    target = mask(delivery.target)
    return DeliveryView(
        delivery.id, target, delivery.status, delivery.attempts, delivery.last_error, delivery.created, delivery.sent
    )


def alarm_of(name: str, body: NewAlarm) -> Alarm:
    """The alarm that a request describes."""
    given = {field: getattr(body, field) for field in NewAlarm.__struct_fields__ if field not in _OF_SERIES}
    dimensions = body.dimensions
    if dimensions is None:
        pairs = {"Endpoint": body.endpoint, "MonitoringSchedule": body.schedule}
        dimensions = {key: value for key, value in pairs.items() if value is not None}
    return Alarm(name=name, dimensions=dimensions, **given)


_OF_SERIES = ("endpoint", "schedule", "dimensions")
