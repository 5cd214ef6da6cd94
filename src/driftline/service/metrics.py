"""Metrics that a service keeps."""

from __future__ import annotations

from driftline.core.window import Window
from driftline.resources.metrics import Point, Series
from driftline.service.wiring import Wiring
from driftline.storage import metrics


class Metrics(Wiring):
    """What a service tells of its metrics."""

    def metric_points(self, series: Series, window: Window | None = None) -> list[Point]:
        """The points of a series in a window, in order; of the last day without one."""
        window = window or self.last_day()
        with self.store.read() as db:
            return metrics.query(db, series, since=window.start, until=window.end)

    def list_metrics(self, namespace: str | None = None, name: str | None = None) -> list[Series]:
        """Every series there is, filtered."""
        with self.store.read() as db:
            return metrics.listing(db, namespace=namespace, name=name)
