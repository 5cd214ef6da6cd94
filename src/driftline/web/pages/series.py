"""The page of a metric over time: the chart, what it is held against, and the points as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import msgspec
from litestar import MediaType, Response, get

from driftline.core.errors import InputError
from driftline.core.window import Window, format_time
from driftline.reporting.charts.series import Dot, Event, Held, series_chart
from driftline.reporting.text import count, number, shorten
from driftline.resources.metrics import Series
from driftline.service import Service
from driftline.service.dashboard.series import (
    STATISTICS,
    Asked,
    Measure,
    SegmentChoice,
    SeriesOverTime,
    default_window,
    series_over_time,
)
from driftline.service.dashboard.series_guides import Guides, Happening
from driftline.web.api.signature import Given
from driftline.web.pages.moments import moment
from driftline.web.pages.rendering import Raw, environment, show
from driftline.web.pages.zones import chosen

PAGE = 50
RANGES = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "1y": timedelta(days=366),
}
_LONGEST = timedelta(days=3660)
_DIMENSION = "dimension."
_OWN = ("Endpoint", "MonitoringSchedule")


class Choice(msgspec.Struct, frozen=True):
    """Something that can be chosen: the value that the form sends, its words, and whether it is what is shown."""

    value: str
    words: str
    chosen: bool


class SeriesView(msgspec.Struct, frozen=True):
    """What the page of a series shows. ``range`` is empty where start and end were given; ``first`` and ``last`` are
    the places of the points in the table; ``query`` is this page's question without its page."""

    endpoint: str
    schedule: str
    metric: str
    namespace: str
    dimensions: dict[str, str]
    start: datetime
    end: datetime
    range: str
    statistic: str
    period: int
    guides: Guides
    intervals: bool
    points: tuple[Measure, ...]
    happenings: tuple[Happening, ...]
    metrics: tuple[Choice, ...]
    segments: tuple[Choice, ...]
    statistics: tuple[Choice, ...]
    page: int
    pages: int
    query: str


def series_view(service: Service, query: Mapping[str, str], zone: str = "UTC") -> SeriesView:
    """Look at a series; ``query`` is that of the page's address. Times without a zone are of the reader's.

    Raises :class:`InputError` for what cannot be understood, :class:`NotFoundError` for an unknown schedule.
    """
    query = _settled(service, query)
    window = _window(service.now(), query, ZoneInfo(zone))
    found = series_over_time(service, _asked(query), window)
    pages = max(1, -(-len(found.points) // PAGE))
    page = int(query["page"]) if query.get("page", "").isdecimal() and len(query["page"]) < 6 else 1
    return SeriesView(
        found.schedule.endpoint,
        found.schedule.name,
        found.series.name,
        found.series.namespace,
        _beside(found.series),
        window.start,
        window.end,
        _range(query),
        found.statistic,
        found.period,
        found.guides,
        found.intervals,
        found.points,
        found.happenings,
        tuple(_metrics(found)),
        tuple(_segments(found)),
        tuple(Choice(one, one, one == found.statistic) for one in STATISTICS),
        min(max(page, 1), pages),
        pages,
        urlencode({name: value for name, value in query.items() if name != "page"}),
    )


def _settled(service: Service, query: Mapping[str, str]) -> dict[str, str]:
    """The question with the choice of a series put in its place, and with a schedule."""
    query = {name: value for name, value in query.items() if value}
    given = query.pop("series", "")
    if given:
        query = {name: value for name, value in query.items() if not _names_series(name)}
        query |= {name: value for name, value in parse_qsl(given) if _names_series(name)}
    if "schedule" not in query:
        endpoint = query.get("endpoint", "")
        own = [one.name for one in service.list_schedules() if one.endpoint == endpoint] if endpoint else []
        if not own:
            raise InputError("no schedule is named", hint="add ?schedule= with the name of one")
        query["schedule"] = own[0]
    return query


def _names_series(name: str) -> bool:
    return name in ("metric", "namespace") or name.startswith(_DIMENSION)


def _asked(query: Mapping[str, str]) -> Asked:
    beside = {name.removeprefix(_DIMENSION): value for name, value in query.items() if name.startswith(_DIMENSION)}
    column, _, segment = query.get("segment", "").partition("=")
    return Asked(
        query["schedule"],
        query.get("metric", ""),
        query.get("namespace", ""),
        {name: value for name, value in beside.items() if name not in _OWN},
        query.get("statistic", STATISTICS[0]),
        SegmentChoice(column, segment) if column else None,
    )


def _range(query: Mapping[str, str]) -> str:
    return "" if "start" in query or "end" in query else query.get("range", "7d")


def _window(now: datetime, query: Mapping[str, str], zone: ZoneInfo) -> Window:
    name = _range(query)
    if name:
        if name not in RANGES:
            raise InputError(f"{name[:40]!r} is not a range", hint=f"use one of {', '.join(RANGES)}, or start and end")
        return default_window(now, RANGES[name])
    end = moment(query["end"], zone) if "end" in query else default_window(now, RANGES["7d"]).end
    start = moment(query["start"], zone) if "start" in query else max(end, _EARLIEST + RANGES["7d"]) - RANGES["7d"]
    if not (timedelta() < end - start <= _LONGEST and start >= _EARLIEST and end <= now + _LONGEST):
        evidence = f"{format_time(start)} to {format_time(end)}"
        raise InputError("the time is of no use", evidence=evidence, hint="end after the start, within ten years")
    return Window(start, end)


_EARLIEST = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _beside(series: Series) -> dict[str, str]:
    return {name: value for name, value in series.dimensions.items() if name not in _OWN}


def _metrics(found: SeriesOverTime) -> Iterable[Choice]:
    known = found.choices if found.series in found.choices or not found.series.name else (found.series, *found.choices)
    return (Choice(_address(one), _words(one), one == found.series) for one in known)


def _address(series: Series) -> str:
    beside = {_DIMENSION + name: value for name, value in sorted(_beside(series).items())}
    return urlencode({"metric": series.name, "namespace": series.namespace, **beside})


def _words(series: Series) -> str:
    beside = ", ".join(value for name, value in sorted(_beside(series).items()) if name != "ExplainabilityMethod")
    return shorten(f"{series.name} ({beside})" if beside else series.name, 120)


def _segments(found: SeriesOverTime) -> Iterable[Choice]:
    known = dict.fromkeys(found.segments) | ({found.segment: None} if found.segment else {})
    return (
        Choice(f"{one.column}={one.segment}", shorten(f"{one.column}: {one.segment}", 80), one == found.segment)
        for one in known
    )


def drawn(view: SeriesView, zone: str, *, linked: bool = True) -> Any:
    """The chart of a view, with times in a zone; an exported one leads nowhere."""
    place = ZoneInfo(zone)
    held = view.guides
    return series_chart(
        [_dot(one, view, place, linked=linked) for one in view.points],
        view.start.astimezone(place),
        view.end.astimezone(place),
        title=f"{view.metric} of {view.schedule}",
        held=Held(held.baseline, held.lower, held.upper, held.threshold, held.sign),
        events=[_event(one, place) for one in view.happenings],
    )


def _event(one: Happening, zone: ZoneInfo) -> Event:
    moment = one.time.astimezone(zone)
    return Event(moment, "D" if one.kind == "deployed" else "B", f"{moment:%Y-%m-%d %H:%M} {one.text}")


def _dot(one: Measure, view: SeriesView, zone: ZoneInfo, *, linked: bool) -> Dot:
    violated = one.verdict == "VIOLATED" and _beyond(one.value, view.guides)
    moment = one.time.astimezone(zone)
    parts = [f"{moment:%Y-%m-%d %H:%M}", "no value" if one.value is None else number(one.value)]
    if one.lower is not None and one.upper is not None:
        parts.append(f"{number(one.lower)} to {number(one.upper)}")
    parts += [f"n {count(one.rows)}"] if one.rows is not None else []
    parts += [str(one.verdict)] if one.verdict else []
    href = address_of(one, view) if linked else ""
    return Dot(moment, one.value, one.lower, one.upper, one.rows, violated, ", ".join(parts), href)


def _beyond(value: float | None, guides: Guides) -> bool:
    """Whether a value broke its threshold; without one the verdict of the run alone says so."""
    if value is None or guides.threshold is None:
        return value is not None and guides.threshold is None and not guides.name
    return value < guides.threshold if guides.sign == "≥" else value > guides.threshold


def address_of(one: Measure, view: SeriesView) -> str:
    """Where a point leads: to its run; of several, to the series within its time; else to the windows around it."""
    if one.run is not None:
        return f"/runs/{one.run}"
    if view.period:
        end = one.time + timedelta(seconds=view.period)
        return f"/series?{_outside(view.query)}&{urlencode({'start': format_time(one.time), 'end': format_time(end)})}"
    before = format_time(one.time + timedelta(hours=1))
    return f"/schedules/{view.schedule}?{urlencode({'before': before})}"


@lru_cache(maxsize=64)
def _outside(query: str) -> str:
    """A question without its time: every point of a chart has the same."""
    return urlencode([(name, value) for name, value in parse_qsl(query) if name not in ("range", "start", "end")])


def query_with(view: SeriesView, **changes: object) -> str:
    """This page's question with something changed; a range takes the place of start and end."""
    left = ("start", "end", "page") if "range" in changes else ()
    kept = {name: value for name, value in parse_qsl(view.query) if name not in left}
    return urlencode(kept | {name: str(value) for name, value in changes.items()})


environment.globals.update(
    series_query=query_with, series_drawn=drawn, series_address=address_of, series_ranges=tuple(RANGES)
)


@get("/series", media_type=MediaType.HTML, sync_to_thread=True)
def series_page(request: Raw, service: Given) -> Response[Any]:
    """A metric over time."""
    query = dict(parse_qsl(request.scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
    return show(request, "series.html", series_view(service, query, chosen(request.cookies)))


HANDLERS = (series_page,)
