"""The page of a schedule: its windows as a line, the runs of it, what it is, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import msgspec
from anyio.to_thread import run_sync as in_thread
from litestar import MediaType, Response, get

from driftline.core.cron_words import in_words
from driftline.core.verdict import Verdict
from driftline.core.window import format_time, parse_time
from driftline.reporting.charts.timeline import GLYPHS, WORDS, Tile, timeline_chart, timeline_legend
from driftline.resources.executions import Execution, ExecutionStatus, RunCause
from driftline.resources.schedules import Schedule
from driftline.service import Service
from driftline.service.dashboard.timeline import Slot, Timeline, schedule_timeline
from driftline.web.api.signature import Given, Maybe, Name
from driftline.web.pages.acting import Problem, acted, form
from driftline.web.pages.moments import moment
from driftline.web.pages.rendering import Raw, environment, show
from driftline.web.pages.zones import chosen

PAGE = 50


class RunLine(msgspec.Struct, frozen=True):
    """A run as a line of the table; ``seconds`` its steps took, ``coverage`` the share that had a label."""

    id: str
    window_start: datetime
    window_end: datetime
    tick: datetime
    revision: int
    cause: RunCause
    status: ExecutionStatus
    verdict: Verdict | None
    rows: int | None
    coverage: float | None
    seconds: float | None
    violations: int
    message: str | None


class ScheduleView(msgspec.Struct, frozen=True):
    """What the page of a schedule shows; ``older`` and ``newer`` are where the lines before and after are."""

    schedule: Schedule
    now: datetime
    cron_words: str
    timeline: Timeline
    slots: tuple[Slot, ...]
    runs: tuple[RunLine, ...]
    page: int
    more: bool
    before: str
    older: str
    newer: str
    problem: Problem | None = None


class Leaving(msgspec.Struct, frozen=True):
    """What the page that asks before a schedule is deleted shows."""

    schedule: Schedule


def schedule_view(
    service: Service, name: str, before: str = "", page: int = 1, problem: Problem | None = None
) -> ScheduleView:
    """Look at a schedule. ``before`` is the ISO 8601 instant at which the line of windows ends, if not now."""
    schedule = service.get_schedule(name)
    line = schedule_timeline(service, name, parse_time(before) if before else None)
    place = (page - 1) * PAGE
    runs = service.list_runs(schedule=name, since=line.start, until=line.end, limit=PAGE + 1, offset=place)
    return ScheduleView(
        schedule,
        service.now(),
        in_words(schedule.cron),
        line,
        line.slots,
        tuple(map(_line, runs[:PAGE])),
        page,
        len(runs) > PAGE,
        before,
        _at(name, line.older),
        _at(name, line.newer if line.newer is None or line.newer <= service.now() else None) or _newest(name, line),
        problem,
    )


def _newest(name: str, line: Timeline) -> str:
    return "" if line.newer is None else _path(name)


def _at(name: str, before: datetime | None) -> str:
    return "" if before is None else f"{_path(name)}?{urlencode({'before': format_time(before)})}"


def _path(name: str) -> str:
    return f"/schedules/{quote(name, safe='')}"


def _line(run: Execution) -> RunLine:
    # Its start and its end are of the schedules' clock, which may stand still.
    seconds = sum(step.seconds for step in run.steps) if run.steps else None
    return RunLine(
        run.id,
        run.window_start,
        run.window_end,
        run.tick,
        run.revision,
        run.cause,
        run.status,
        run.verdict,
        run.item_count,
        run.label_coverage,
        seconds,
        len(run.violations),
        run.message,
    )


def tiles(slots: tuple[Slot, ...], zone: str) -> list[Tile]:
    """Windows as tiles of the chart, with times in a zone."""
    place = ZoneInfo(zone)
    return [
        Tile(slot.tick.astimezone(place), slot.state, _told(slot, place), f"/runs/{slot.run}" if slot.run else "")
        for slot in slots
    ]


def _told(slot: Slot, zone: ZoneInfo) -> str:
    start, end = slot.window_start.astimezone(zone), slot.window_end.astimezone(zone)
    revision = f", revision {slot.revision}" if slot.revision > 1 else ""
    last = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M}–{last}: {WORDS.get(slot.state, slot.state)}{revision}"


environment.globals.update(
    timeline_chart=timeline_chart, timeline_legend=timeline_legend, tiles=tiles, state_glyphs=GLYPHS, state_words=WORDS
)


@get("/schedules/{name:str}", media_type=MediaType.HTML, sync_to_thread=True)
def schedule_page(request: Raw, service: Given, name: Name, before: Maybe = None, page: Maybe = None) -> Response[Any]:
    """One schedule: its windows and its runs."""
    number = int(page) if page and page.isdecimal() and len(page) < 6 else 1
    return show(request, "schedule.html", schedule_view(service, name, before or "", max(number, 1)))


@get("/schedules/{name:str}/delete", media_type=MediaType.HTML)
async def schedule_delete_page(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Ask whether a schedule shall be deleted."""
    return show(request, "schedule_delete.html", Leaving(await in_thread(service.get_schedule, name)))


@form("/schedules/{name:str}/run")
async def schedule_run(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Run the last complete window now."""
    return await _changed(request, service, name, "run", lambda typed: f"/runs/{service.run_schedule(name).id}")


@form("/schedules/{name:str}/pause")
async def schedule_pause(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Let no further tick become due."""
    return await _changed(request, service, name, "pause", lambda typed: _path(service.pause_schedule(name).name))


@form("/schedules/{name:str}/resume")
async def schedule_resume(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Go on from now."""
    return await _changed(request, service, name, "resume", lambda typed: _path(service.resume_schedule(name).name))


@form("/schedules/{name:str}/backfill")
async def schedule_backfill(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Run every tick of a time whose window has no run."""

    def act(typed: Mapping[str, str]) -> str:
        zone = ZoneInfo(chosen(request.cookies))
        start, end = (moment(typed.get(field, ""), zone) for field in ("start", "end"))
        added = service.backfill_schedule(name, start, end)
        return f"{_at(name, end) if added and end < service.now() else _path(name)}"

    return await _changed(request, service, name, "backfill", act)


@form("/schedules/{name:str}/delete")
async def schedule_delete(request: Raw, service: Given, name: Name) -> Response[Any]:
    """Delete a schedule with its runs."""

    def act(typed: Mapping[str, str]) -> str:
        endpoint = service.get_schedule(name).endpoint
        service.delete_schedule(name)
        return f"/endpoints/{quote(endpoint, safe='')}"

    return await _changed(request, service, name, "delete", act)


async def _changed(
    request: Raw, service: Service, name: str, which: str, act: Callable[[Mapping[str, str]], str]
) -> Response[Any]:
    def again(problem: Problem) -> Response[Any]:
        return show(
            request, "schedule.html", schedule_view(service, name, problem=problem), status=400, here=_path(name)
        )

    return await acted(request, which, act, again)


HANDLERS = (
    schedule_page,
    schedule_delete_page,
)
