"""The state of a service as Prometheus reads it: what this data folder knows, whichever process is asked."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.metadata import version

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from driftline.core.errors import AwayError
from driftline.jobs.overdue import overdue
from driftline.resources.executions import OverdueWindow
from driftline.resources.schedules import Schedule
from driftline.service.model_metrics import alarm_families, model_families
from driftline.service.shipping_metrics import shipping_families
from driftline.service.wiring import Wiring
from driftline.serving.request_counts import BOUNDS, RequestCount, read_counts
from driftline.storage import alarms, observed, schedules
from driftline.storage.capture_counts import CaptureCounts

REQUESTS = "counters"
"""The folder under the data folder where web processes count requests."""


class Prometheus(Wiring):
    """What a service tells Prometheus."""

    def prometheus(self, accept: str = "") -> tuple[bytes, str]:
        """Everything there is to see, with its content type: Prometheus's text, or OpenMetrics where ``accept`` asks.

        It is the same from every process of the service.
        """
        encode, content_type = choose_encoder(accept)
        return encode(_Families(self._families())), content_type

    def _families(self) -> list[Metric]:
        """One look at the store, in one transaction."""
        now = self.now()
        info = InfoMetricFamily("driftline_build", "The version that answers.", {"version": version("driftline")})
        requests = _requests(read_counts(self.layout.data / REQUESTS))
        if self.store.away is not None:
            return [info, *_database(self.store.away), *requests]
        with self.store.read() as db:
            every = schedules.listing(db)
            last = {row.name: run for row in every if (run := observed.last_run(db, row.name)) is not None}
            waiting = observed.waiting(db)
            return [
                info,
                *_database(None),
                *requests,
                _captures(captures := observed.captures(db)),
                _withheld(captures),
                _schedules(every),
                _runs(observed.runs(db)),
                _overdue(every, overdue(db, now)),
                *_queue(waiting, now),
                _deliveries(observed.notifications(db)),
                *model_families(every, last, observed.published(db, [run.id for run in last.values()])),
                *alarm_families(alarms.listing(db)),
                *shipping_families(self.layout, time.time()),
            ]


class _Families(Collector):
    """Families that are there already."""

    def __init__(self, families: list[Metric]) -> None:
        self._found = families

    def collect(self) -> Iterator[Metric]:
        yield from self._found


def _database(away: AwayError | None) -> tuple[Metric, Metric]:
    """While it is away there is nothing else to tell but what this data folder knows."""
    since = 0.0 if away is None or away.since is None else away.since.timestamp()
    return (
        GaugeMetricFamily("driftline_database_up", "1 while the database answers, 0 while it is away.", away is None),
        GaugeMetricFamily(
            "driftline_database_away_since_seconds",
            "Since when the database is away, in Unix time; 0 while not.",
            since,
        ),
    )


def _requests(counts: Iterable[RequestCount]) -> tuple[Metric, Metric]:
    total = CounterMetricFamily(
        "driftline_requests", "Invocations answered or refused.", labels=("endpoint", "status", "outcome")
    )
    seconds = HistogramMetricFamily(
        "driftline_request_duration_seconds",
        "Time from an invocation's arrival until its answer was handed over.",
        labels=("endpoint", "status", "outcome"),
    )
    for count in counts:
        labels = (count.endpoint, str(count.status), count.outcome)
        buckets = _cumulative(count.buckets)
        total.add_metric(labels, buckets[-1][1])
        seconds.add_metric(labels, buckets, count.seconds)
    return total, seconds


def _cumulative(buckets: tuple[int, ...]) -> list[tuple[str, float]]:
    bounds = (*(repr(bound) for bound in BOUNDS), "+Inf")
    return [(bound, sum(buckets[: place + 1])) for place, bound in enumerate(bounds)]


def _withheld(counts: dict[str, CaptureCounts]) -> Metric:
    """A part of the captured ones, and so no result of its own."""
    family = CounterMetricFamily(
        "driftline_capture_withheld",
        "Captured requests with a side left out, because its sensitive columns could not be found for certain.",
        labels=("endpoint",),
    )
    for name, count in sorted(counts.items()):
        family.add_metric((name,), count.withheld)
    return family


def _captures(counts: dict[str, CaptureCounts]) -> Metric:
    family = CounterMetricFamily(
        "driftline_capture_records",
        "Requests by what became of their record: captured, sampled out, or dropped for want of disk.",
        labels=("endpoint", "result"),
    )
    for name, count in sorted(counts.items()):
        for result in ("captured", "sampled_out", "dropped"):
            family.add_metric((name, result), getattr(count, result))
    return family


def _schedules(every: list[Schedule]) -> Metric:
    family = GaugeMetricFamily("driftline_schedules", "Schedules by state.", labels=("state",))
    for state in ("active", "paused"):
        family.add_metric((state,), sum(row.state == state for row in every))
    return family


def _runs(counts: dict[tuple[str, str, str], int]) -> Metric:
    family = GaugeMetricFamily("driftline_runs", "Runs that are kept.", labels=("schedule", "endpoint", "status"))
    for kind, number in counts.items():
        family.add_metric(kind, number)
    return family


def _overdue(every: list[Schedule], late: list[OverdueWindow]) -> Metric:
    """Windows that should have been judged by now; a schedule that owes none has a 0."""
    family = GaugeMetricFamily(
        "driftline_windows_overdue",
        "Windows that should have been judged more than five minutes ago.",
        labels=("schedule", "endpoint"),
    )
    owed = Counter(window.schedule for window in late)
    for row in every:
        family.add_metric((row.name, row.endpoint), owed[row.name])
    return family


def _queue(waiting: list[tuple[str, datetime]], now: datetime) -> tuple[Metric, Metric]:
    age = max(0.0, (now - waiting[0][1]).total_seconds()) if waiting else 0.0
    return (
        GaugeMetricFamily("driftline_queue_length", "Runs that have not begun.", len(waiting)),
        GaugeMetricFamily("driftline_queue_age_seconds", "How long the first of them has waited.", age),
    )


def _deliveries(counts: dict[str, int]) -> Metric:
    family = GaugeMetricFamily("driftline_deliveries", "Notifications that are kept.", labels=("status",))
    for status in sorted({"pending", "sent", "failed", *counts}):
        family.add_metric((status,), counts.get(status, 0))
    return family
