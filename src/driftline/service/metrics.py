"""Metrics that a service keeps."""

from __future__ import annotations

from driftline.alerting.metrics import resolved
from driftline.core.errors import InputError
from driftline.core.window import Window
from driftline.resources.metrics import Point, Series
from driftline.service.wiring import Wiring
from driftline.storage import metrics

MOST_SECONDS = 366 * 86_400
"""The longest period of a statistic set."""


class Metrics(Wiring):
    """What a service tells of its metrics."""

    def metric_points(self, series: Series, window: Window | None = None, period: int | None = None) -> list[Point]:
        """The points of a series in a window, in order; of the last day without one. An empty namespace is that of the
        schedule's monitor.

        With a ``period`` in seconds, one statistic set for each that begins in the window and has points. Points older
        than 90 days are statistic sets of an hour, older than 455 days of a day, and are given as they are.
        """
        window = window or self.last_day()
        if period is not None and not 1 <= period <= MOST_SECONDS:
            hint = f"use a number of seconds from 1 to {MOST_SECONDS}"
            raise InputError("a period of no use", evidence=f"{period} seconds", hint=hint)
        with self.store.read() as db:
            series = resolved(db, series)
            if period is not None:
                return metrics.by_period(db, series, period=period, since=window.start, until=window.end)
            return metrics.query(db, series, since=window.start, until=window.end)

    def list_metrics(self, namespace: str | None = None, name: str | None = None) -> list[Series]:
        """Every series there is, filtered."""
        with self.store.read() as db:
            return metrics.listing(db, namespace=namespace, name=name)
