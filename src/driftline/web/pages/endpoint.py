"""The page of one endpoint."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from litestar import MediaType, Response, get
from litestar.params import FromQuery
from markupsafe import Markup

from driftline.core.window import HOUR
from driftline.reporting.charts.bars import Bar, stacked_bars
from driftline.reporting.charts.lines import timeline
from driftline.reporting.text import number
from driftline.service.dashboard.endpoint import EndpointView, endpoint_view
from driftline.web.access import visitor
from driftline.web.api.signature import Given, Name
from driftline.web.pages.rendering import Raw, environment, show
from driftline.web.pages.zones import UTC, chosen

_REQUESTS = (
    ("part-good", "captured"),
    ("part-some", "captured with a side withheld"),
    ("part-none", "sampled out"),
    ("part-bad", "dropped"),
)
_LABELS = (("part-good", "with a label"), ("part-none", "without"))
_WIDE, _HALF, _NARROW = 900.0, 520.0, 340.0


@get("/endpoints/{name:str}", media_type=MediaType.HTML, sync_to_thread=True)
def endpoint_page(request: Raw, service: Given, name: Name, days: FromQuery[str] = "2") -> Response[Any]:
    """One endpoint."""
    zone = UTC if request.query_params.get("export") == "1" else chosen(request.cookies)
    wanted = int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 2
    audited = visitor.get().role == "admin"
    view = endpoint_view(service, name, days=wanted, zone=ZoneInfo(zone), audited=audited)
    return show(request, "endpoint.html", view)


def traffic_chart(view: EndpointView, zone: str, *, narrow: bool) -> Markup:
    """What became of the requests of each hour."""
    bars = [
        Bar(one.hour, one.hour + HOUR, (one.captured - one.withheld, one.withheld, one.sampled_out, one.dropped))
        for one in view.hours
    ]
    width = _NARROW if narrow else _WIDE
    return stacked_bars("Requests an hour", _REQUESTS, bars, view.since, view.now, ZoneInfo(zone), width=width)


def label_chart(view: EndpointView, zone: str, *, narrow: bool) -> Markup:
    """The predictions of each judged window, with and without a label."""
    bars = [Bar(one.start, one.end, (one.matched, one.unlabelled)) for one in view.labels]
    title = "Predictions of each window, with and without a label"
    width = _NARROW if narrow else _HALF
    return stacked_bars(title, _LABELS, bars, view.since, view.now, ZoneInfo(zone), width=width)


def lag_chart(view: EndpointView, zone: str, *, narrow: bool) -> Markup:
    """How many minutes labels took."""
    lines = [
        ("now", "half of them, minutes", [(one.end, _float(one.lag_median)) for one in view.labels]),
        ("was", "95 % of them, minutes", [(one.end, _float(one.lag_p95)) for one in view.labels]),
    ]
    width = _NARROW if narrow else _HALF
    return timeline("Time until labels came", lines, view.since, view.now, ZoneInfo(zone), width=width)


def _float(value: int | None) -> float | None:
    return None if value is None else float(value)


environment.globals.update(traffic_chart=traffic_chart, label_chart=label_chart, lag_chart=lag_chart)
environment.filters["figure"] = number


HANDLERS = (endpoint_page,)
