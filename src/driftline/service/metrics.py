"""Metrics that a service keeps."""

from __future__ import annotations

from collections.abc import Sequence

from driftline.alerting import given
from driftline.alerting.metrics import resolved
from driftline.core.errors import InputError
from driftline.core.records import utc
from driftline.core.window import Window
from driftline.resources.alarms import Transition
from driftline.resources.metrics import NewPoint, Point, Series
from driftline.service.wiring import Wiring
from driftline.storage import metrics
from driftline.storage.clock import system_clock
from driftline.storage.types import EPOCH

MOST_SECONDS = 366 * 86_400
"""The longest period of a statistic set."""


class Metrics(Wiring):
    """What a service tells of its metrics."""

    def put_metrics(self, points: Sequence[NewPoint]) -> list[Transition]:
        """Keep points of any series, and judge the alarms on them at once; the changes of state that this made.

        At most 1000 points. Raises :class:`InputError` for one that cannot be kept; then none is.
        """
        with self.store.write() as db:
            return given.take(db, points, now=self.now(), real=utc(system_clock()))

    def metric_points(
        self, series: Series, window: Window | None = None, period: int | None = None, *, from_start: bool = False
    ) -> list[Point]:
        """The points of a series in a window, in order; of the last day without one. An empty namespace is that of the
        schedule's monitor.

        With a ``period`` in seconds, one statistic set for each that begins in the window and has points. Periods are
        counted from the epoch, so that they begin on full hours and days (UTC), or ``from_start`` of the window. Points
        older than 90 days are statistic sets of an hour, older than 455 days of a day, and are given as they are.
        """
        window = window or self.last_day()
        if period is not None and not 1 <= period <= MOST_SECONDS:
            hint = f"use a number of seconds from 1 to {MOST_SECONDS}"
            raise InputError("a period of no use", evidence=f"{period} seconds", hint=hint)
        with self.store.read() as db:
            series = resolved(db, series)
            if period is not None:
                origin = window.start if from_start else EPOCH
                return metrics.by_period(db, series, period=period, since=window.start, until=window.end, origin=origin)
            return metrics.query(db, series, since=window.start, until=window.end)

    def list_metrics(self, namespace: str | None = None, name: str | None = None) -> list[Series]:
        """Every series there is, filtered."""
        with self.store.read() as db:
            return metrics.listing(db, namespace=namespace, name=name)
