"""Metrics that runs published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from driftline.client.connection import Connection, path_of
from driftline.resources.alarms import Transition
from driftline.resources.metrics import NewPoint, NewPoints, Point, Series


class Metrics(Connection):
    """What a client can ask of metrics."""

    def list_metrics(self, *, namespace: str | None = None, name: str | None = None) -> list[Series]:
        """Every metric series there is, of one namespace or metric name if given."""
        return self._get(path_of("metrics"), list[Series], namespace=namespace, name=name)

    def put_metrics(self, points: Sequence[NewPoint]) -> list[Transition]:
        """Keep points of any series, and judge the alarms on them at once; the changes of state that this made.

        At most 1000 points. Raises :class:`InputError` for one that cannot be kept; then none is.
        """
        return self._write("POST", path_of("metrics"), list[Transition], NewPoints(tuple(points)))

    def metric_points(
        self,
        name: str,
        *,
        schedule: str,
        endpoint: str,
        namespace: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        period: int | None = None,
    ) -> list[Point]:
        """The points of a schedule's metric in [start, end), in order; of the last day by default.

        Without a ``namespace`` it is that of the schedule's monitor. With a ``period`` in seconds, one statistic set
        for each that has points.
        """
        query = {"schedule": schedule, "endpoint": endpoint, "namespace": namespace, "start": start, "end": end}
        return self._get(path_of("metrics", name), list[Point], **query, period=period)
