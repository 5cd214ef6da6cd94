"""Alarms: what is watched, the state it is in, every change of it, and who was told."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from driftline.resources.metrics import Series

Statistic = Literal["Average", "Sum", "Minimum", "Maximum", "SampleCount"]
Operator = Literal[
    "LessThanThreshold", "LessThanOrEqualToThreshold", "GreaterThanThreshold", "GreaterThanOrEqualToThreshold"
]
MissingData = Literal["missing", "ignore", "breaching", "notBreaching"]
AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
DeliveryStatus = Literal["pending", "sent", "failed"]


class Alarm(msgspec.Struct, frozen=True):
    """M (``datapoints_to_alarm``) of the last N (``evaluation_periods``) datapoints breach a threshold.

    ``period`` is in seconds. A datapoint is a period, aligned to the epoch, in which the metric was due: it has a
    value, or the mark of a missing one. Silence between runs is no datapoint, so an hourly metric may be watched
    with a period of ten minutes. The actions are targets: ``log`` or http(s) URLs.
    """

    name: str
    metric: str
    namespace: str
    dimensions: dict[str, str]
    operator: Operator
    threshold: float
    statistic: Statistic = "Average"
    period: int = 3600
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    treat_missing: MissingData = "missing"
    alarm_actions: tuple[str, ...] = ()
    ok_actions: tuple[str, ...] = ()
    insufficient_data_actions: tuple[str, ...] = ()

    @property
    def series(self) -> Series:
        """The metric it watches."""
        return Series(self.namespace, self.metric, self.dimensions)

    def actions(self, state: AlarmState) -> tuple[str, ...]:
        """The targets to be told when this state is entered."""
        if state == "ALARM":
            return self.alarm_actions
        return self.ok_actions if state == "OK" else self.insufficient_data_actions


class NewAlarm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alarm to create or change, on a metric of one schedule or, with ``dimensions``, of any series.

    ``period`` is in seconds. Without a ``namespace`` it is that of the model-quality metrics.
    """

    metric: str
    operator: Operator
    threshold: float
    endpoint: str | None = None
    schedule: str | None = None
    namespace: str | None = None
    dimensions: dict[str, str] | None = None
    statistic: Statistic = "Average"
    period: int = 3600
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    treat_missing: MissingData = "missing"
    alarm_actions: tuple[str, ...] = ()
    ok_actions: tuple[str, ...] = ()
    insufficient_data_actions: tuple[str, ...] = ()

    def named(self, name: str, namespace: str) -> Alarm:
        """The alarm of this name; ``namespace`` is used where none was given."""
        given = {field: getattr(self, field) for field in Alarm.__struct_fields__ if field not in _NOT_COPIED}
        dimensions = self.dimensions
        if dimensions is None:
            pairs = {"Endpoint": self.endpoint, "MonitoringSchedule": self.schedule}
            dimensions = {key: value for key, value in pairs.items() if value is not None}
        return Alarm(name=name, namespace=self.namespace or namespace, dimensions=dimensions, **given)


_NOT_COPIED = ("name", "namespace", "dimensions")


class Datapoint(msgspec.Struct, frozen=True):
    """A period's statistic (None: missing) with the time of its newest point and whether it counts as breaching."""

    time: datetime
    value: float | None
    breaching: bool


class AlarmStatus(msgspec.Struct, frozen=True):
    """An alarm with the state it is in, since when and why."""

    name: str
    definition: Alarm
    state: AlarmState
    state_since: datetime
    reason: str


class Transition(msgspec.Struct, frozen=True):
    """One change of state, with the datapoints it rests on and the run that caused it."""

    id: str
    alarm: str
    from_state: AlarmState
    to_state: AlarmState
    time: datetime
    reason: str
    datapoints: tuple[Datapoint, ...] = ()
    run: str | None = None


class Notification(msgspec.Struct, frozen=True):
    """Who was told of a change, and with what outcome; the target is shown without its secrets.

    ``attempts`` counts the tries begun. ``created`` and ``sent`` are real times, whatever clock the schedules follow.
    """

    id: str
    target: str
    status: DeliveryStatus
    attempts: int
    last_error: str | None
    created: datetime
    sent: datetime | None
