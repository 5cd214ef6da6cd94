"""What the newest completed run of every schedule found, and the states of alarms, as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, get_args

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from driftline.resources.alarms import AlarmState, AlarmStatus
from driftline.resources.metrics import Series
from driftline.resources.schedules import Schedule
from driftline.storage.observed import LastRun

_ONE = ("endpoint", "schedule", "metric")
_RUN = ("endpoint", "schedule")
_VERDICTS = ("OK", "VIOLATED", "UNKNOWN")


def model_families(
    every: Iterable[Schedule], last: Mapping[str, LastRun], published: Iterable[tuple[str, Series, float]]
) -> list[Metric]:
    """The metrics of models: ``last`` has the newest completed run by schedule, ``published`` what these published."""
    names = {run.id: name for name, run in last.items()}
    value = GaugeMetricFamily("driftline_metric", "The newest value of a metric of a model.", labels=_ONE)
    newest = {}
    for run_id, series, number in published:
        schedule = names[run_id]
        # The same labels twice would make Prometheus refuse the whole page.
        newest[last[schedule].endpoint, schedule, series.name] = number
    for labels, number in newest.items():
        value.add_metric(labels, number)
    return [value, *_bounds(last), *_of_runs(last)]


def alarm_families(statuses: Iterable[AlarmStatus]) -> list[Metric]:
    """Alarms: 1 for the state they are in, 0 for the others."""
    state = GaugeMetricFamily(
        "driftline_alarm_state",
        "1 for the state that an alarm is in, 0 for the others.",
        labels=("alarm", "endpoint", "schedule", "metric", "state"),
    )
    for status in statuses:
        alarm = status.definition
        place = (alarm.dimensions.get("Endpoint", ""), alarm.dimensions.get("MonitoringSchedule", ""))
        for name in get_args(AlarmState):
            state.add_metric((status.name, *place, alarm.metric, name), float(status.state == name))
    return [state]


def _bounds(last: Mapping[str, LastRun]) -> tuple[Metric, Metric]:
    """The intervals of the metrics that have one."""
    lower = GaugeMetricFamily("driftline_metric_lower", "The lower bound of a metric's interval.", labels=_ONE)
    upper = GaugeMetricFamily("driftline_metric_upper", "The upper bound of a metric's interval.", labels=_ONE)
    for schedule, run in last.items():
        for name, interval in _intervals(run.statistics):
            labels = (run.endpoint, schedule, name)
            lower.add_metric(labels, interval["lower"])
            upper.add_metric(labels, interval["upper"])
    return lower, upper


def _intervals(statistics: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, float]]]:
    families = (family for name, family in statistics.items() if name.endswith("_metrics") and isinstance(family, dict))
    for family in families:
        for name, metric in family.items():
            interval = metric.get("confidence_interval") if isinstance(metric, dict) else None
            if isinstance(interval, dict) and all(_is_number(interval.get(side)) for side in ("lower", "upper")):
                yield name, interval


def _is_number(value: object) -> bool:
    """Numbers that JSON cannot hold are kept as text."""
    return isinstance(value, int | float)


def _of_runs(last: Mapping[str, LastRun]) -> list[Metric]:
    time = GaugeMetricFamily("driftline_last_run_tick_seconds", "The tick of the newest completed run.", labels=_RUN)
    took = GaugeMetricFamily("driftline_last_run_duration_seconds", "How long that run took.", labels=_RUN)
    share = GaugeMetricFamily("driftline_label_coverage_ratio", "Its predictions that had a label.", labels=_RUN)
    verdict = GaugeMetricFamily(
        "driftline_last_run_verdict", "1 for the verdict of that run, 0 for the others.", labels=(*_RUN, "verdict")
    )
    for schedule, run in last.items():
        labels = (run.endpoint, schedule)
        time.add_metric(labels, run.tick.timestamp())
        if run.started is not None and run.finished is not None:
            took.add_metric(labels, _seconds(run.started, run.finished))
        if run.counts.get("predictions"):
            share.add_metric(labels, run.counts.get("matched", 0) / run.counts["predictions"])
        for name in _VERDICTS:
            verdict.add_metric((*labels, name), float(run.verdict == name))
    return [time, took, share, verdict]


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())
