"""The pages of alarms: the list, and one alarm with what people can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo

import msgspec
from litestar import MediaType, Response, get
from litestar.params import FromQuery
from markupsafe import Markup

from driftline.alerting.wording import limit
from driftline.core.errors import InputError
from driftline.reporting.charts.boxes import Box, Kind, boxes_chart
from driftline.reporting.text import number
from driftline.resources.alarms import Alarm, AlarmState, AlarmStatus, Datapoint, Notification, Transition
from driftline.resources.mutes import ActionTest, Mute
from driftline.service import Service
from driftline.service.dashboard.alarms import AlarmLine, alarm_list, alarm_story
from driftline.web.api.signature import Given, Name
from driftline.web.pages.problems import Problem
from driftline.web.pages.rendering import Raw, environment, show


class AlarmsView(msgspec.Struct, frozen=True):
    """The list of alarms: a page of it as the reader asked for it, and the mutes that are not over."""

    alarms: list[AlarmLine]
    mutes: list[Mute]
    counts: Mapping[str, int]
    state: str
    words: str
    page: int
    more: bool
    problem: Problem | None = None
    typed: Mapping[str, str] = {}


class AlarmView(msgspec.Struct, frozen=True):
    """One alarm: its state and what that rests on, what was told to whom, and what came of a form on its page."""

    alarm: AlarmStatus
    line: AlarmLine
    datapoints: list[Datapoint]
    members: list[AlarmLine]
    history: list[Transition]
    deliveries: list[Notification]
    mutes: list[Mute]
    page: int
    more: bool
    tests: list[ActionTest] | None = None
    problem: Problem | None = None
    typed: Mapping[str, str] = {}


def alarms_view(
    service: Service,
    state: str = "",
    words: str = "",
    page: int = 1,
    *,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> AlarmsView:
    """A page of the alarms, of one state or all; raises :class:`InputError` for a state that there is not."""
    if state and state not in get_args(AlarmState):
        raise InputError(f"{state[:40]!r} is no state of an alarm", hint="use " + ", ".join(get_args(AlarmState)))
    page = _page(page)
    found = alarm_list(service, state=cast(AlarmState, state) if state else None, words=words[:200], page=page)
    return AlarmsView(
        found.alarms, found.mutes, found.counts, state, words[:200], page, found.more, problem, typed or {}
    )


def alarm_view(
    service: Service,
    name: str,
    page: int = 1,
    *,
    tests: list[ActionTest] | None = None,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> AlarmView:
    """One alarm with a page of its history."""
    page = _page(page)
    story = alarm_story(service, name, page=page)
    return AlarmView(
        story.status,
        story.line,
        story.datapoints,
        story.members,
        story.history,
        story.deliveries,
        story.mutes,
        page,
        story.more,
        tests,
        problem,
        typed or {},
    )


@get("/alarms", media_type=MediaType.HTML, sync_to_thread=True)
def alarms_page(request: Raw, service: Given, q: FromQuery[str] = "", page: FromQuery[int] = 1) -> Response[Any]:
    """The alarms, those in ALARM first."""
    # The word "state" is the framework's own among the arguments of a handler.
    return show(request, "alarms.html", alarms_view(service, request.query_params.get("state", ""), q, page))


@get("/alarms/{name:str}", media_type=MediaType.HTML, sync_to_thread=True)
def alarm_page(request: Raw, service: Given, name: Name, page: FromQuery[int] = 1) -> Response[Any]:
    """One alarm."""
    return show(request, "alarm.html", alarm_view(service, name, page))


def boxes(alarm: Alarm, datapoints: list[Datapoint], zone: str) -> Markup:
    """The datapoints of an alarm, drawn, with times in a zone."""
    return boxes_chart([_box(alarm, one, ZoneInfo(zone)) for one in datapoints], alarm.datapoints_to_alarm)


def kind_of(alarm: Alarm, point: Datapoint) -> Kind:
    """What a datapoint says: nothing where it is missing, or where its past is too short for a band."""
    if point.value is None:
        return "missing"
    if alarm.band is not None and point.lower is None:
        return "unjudged"
    return "breaching" if point.breaching else "fine"


def said(alarm: Alarm, point: Datapoint) -> str:
    """What a datapoint says, in words."""
    kind = kind_of(alarm, point)
    if kind == "unjudged":
        return "too little past for a band"
    return "missing, counts as breaching" if kind == "missing" and point.breaching else kind


def judged_by(alarm: Alarm, point: Datapoint) -> str:
    """What a datapoint is compared with."""
    if point.lower is not None and point.upper is not None:
        return f"{number(point.lower)} to {number(point.upper)}"
    return "–" if alarm.band is not None else limit(alarm)


def _box(alarm: Alarm, point: Datapoint, zone: ZoneInfo) -> Box:
    moment: datetime = point.time.astimezone(zone)
    compared = "" if point.value is None else f", compared with {judged_by(alarm, point)}"
    words = f"{moment:%Y-%m-%d %H:%M}: {number(point.value)}{compared}: {said(alarm, point)}"
    counts = point.value is None and point.breaching
    return Box(kind_of(alarm, point), f"{moment:%m-%d %H:%M}", words, counts)


def _page(page: int) -> int:
    """A page that can be asked for."""
    return min(max(page, 1), 1_000_000)


environment.globals.update(alarm_boxes=boxes, alarm_said=said, alarm_limit=judged_by)


HANDLERS = (
    alarms_page,
    alarm_page,
)
