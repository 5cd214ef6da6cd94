"""``/api/metrics``."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromQuery, JSONBody

from driftline.alerting.metrics import dimensions_of
from driftline.resources.alarms import Transition
from driftline.resources.metrics import NewPoints, Point, Series
from driftline.web.api.signature import Given, Maybe, Name


@get("/metrics", sync_to_thread=True)
def list_metrics(service: Given, namespace: Maybe = None, name: Maybe = None) -> list[Series]:
    """Every metric series."""
    return service.list_metrics(namespace, name)


@get("/metrics/{name:str}", sync_to_thread=True)
def get_metric(
    service: Given,
    name: Name,
    schedule: FromQuery[str],
    endpoint: FromQuery[str],
    namespace: FromQuery[str] = "",
    start: Maybe = None,
    end: Maybe = None,
    period: FromQuery[int | None] = None,
) -> list[Point]:
    """The points of a schedule's metric; the last day by default. With a period (seconds), one statistic set each.

    Without a namespace it is that of the schedule's monitor.
    """
    series = Series(namespace, name, dimensions_of(endpoint, schedule))
    return service.metric_points(series, service.window_of(start, end), period)


@post("/metrics", status_code=200, sync_to_thread=True)
def put_metrics(service: Given, data: JSONBody[NewPoints]) -> list[Transition]:
    """Keep points of any series, and judge the alarms on them at once; the changes of state that this made."""
    return service.put_metrics(data.points)


HANDLERS = (list_metrics, get_metric, put_metrics)
