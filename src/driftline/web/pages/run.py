"""The page of one run: verdict, reasons, violations, steps, rejects, files, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from anyio.to_thread import run_sync as in_thread
from litestar import MediaType, Response, get
from litestar.response import Stream

from driftline.reporting.charts.share import share_bar
from driftline.reporting.statistics import read_entry
from driftline.reporting.text import count, number
from driftline.resources.executions import Execution, ExecutionStep
from driftline.service import Service
from driftline.service.dashboard.accepting import accept_run
from driftline.service.dashboard.main_metrics import MAIN_METRICS
from driftline.service.dashboard.run_files import Log, ReportFile, report_file
from driftline.service.dashboard.runs import SILENCES, Around, Judgement, around, silence_schedule
from driftline.storage.timeline import RunMark
from driftline.web.access import visitor
from driftline.web.api.signature import Given, Name
from driftline.web.pages.acting import Problem, acted, form
from driftline.web.pages.headers import SECURITY
from driftline.web.pages.rendering import Raw, environment, show

_CHUNK = 1 << 16


class Figure(msgspec.Struct, frozen=True):
    """A metric in short: what it is, its 95 % interval where there is one, and whether it broke a constraint."""

    metric: str
    value: float | None
    lower: float | None
    upper: float | None
    violated: bool


class RunView(msgspec.Struct, frozen=True):
    """What the page of a run shows; ``baseline_name`` and ``silences`` are what its forms offer."""

    run: Execution
    figures: tuple[Figure, ...]
    steps: tuple[ExecutionStep, ...]
    judgements: tuple[Judgement, ...]
    files: tuple[ReportFile, ...]
    log: Log
    before: RunMark | None
    after: RunMark | None
    alarms: tuple[str, ...]
    unaccepted: str
    scheduled: bool
    monitor: str
    baseline_name: str
    silences: tuple[int, ...] = SILENCES
    problem: Problem | None = None


def run_view(service: Service, run_id: str, problem: Problem | None = None) -> RunView:
    """Look at a run."""
    run = service.get_run(run_id)
    found: Around = around(service, run)
    return RunView(
        run,
        tuple(_figures(run)),
        run.steps,
        found.judgements,
        found.files,
        found.log,
        found.before,
        found.after,
        found.alarms,
        found.unaccepted,
        found.schedule is not None,
        found.schedule.monitor if found.schedule else "",
        f"{run.schedule}-{run.tick:%Y-%m-%d}"[:63],
        problem=problem,
    )


def _figures(run: Execution) -> list[Figure]:
    """The metrics that are single numbers, those that broke a constraint first."""
    broken = {violation.subject for violation in run.violations}
    families = [node for name, node in run.statistics.items() if name.endswith("_metrics") and isinstance(node, dict)]
    found = [
        _figure(name, value, name in broken)
        for family in families
        for name, value in family.items()
        if isinstance(value, dict) and "value" in value and not isinstance(value["value"], dict)
    ]
    place = {name: rank for rank, name in enumerate(MAIN_METRICS)}
    return sorted(found, key=lambda one: (not one.violated, place.get(one.metric, len(place))))


def _figure(name: str, node: Mapping[str, Any], violated: bool) -> Figure:
    entry = read_entry(node)
    return Figure(name, entry.value, entry.lower, entry.upper, violated)


environment.globals.update(share_bar=share_bar, number=number)
environment.filters["count"] = count


@get("/runs/{run_id:str}", media_type=MediaType.HTML, sync_to_thread=True)
def run_page(request: Raw, service: Given, run_id: Name) -> Response[Any]:
    """One run."""
    return show(request, "run.html", run_view(service, run_id))


@get("/runs/{run_id:str}/files/{name:str}", sync_to_thread=True)
def run_file(service: Given, run_id: Name, name: Name) -> Stream:
    """A file of a run's report folder, to be kept and not shown: scripts of others may have written it."""
    path = report_file(service, service.get_run(run_id), name)
    headers = {**SECURITY, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Stream(_chunks(path), media_type="application/octet-stream", headers=headers)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


@form("/runs/{run_id:str}/again")
async def run_again(request: Raw, service: Given, run_id: Name) -> Response[Any]:
    """Judge the window of a run anew."""

    def act(typed: Mapping[str, str]) -> str:
        run = service.get_run(run_id)
        return f"/runs/{service.run_schedule(run.schedule, run.window).id}"

    return await _changed(request, service, run_id, "again", act)


@form("/runs/{run_id:str}/accept")
async def run_accept(request: Raw, service: Given, run_id: Name) -> Response[Any]:
    """Make what a run found a baseline, and hold its schedule against it if that is wanted."""

    def act(typed: Mapping[str, str]) -> str:
        given = {field: typed.get(field, "").strip() for field in ("name", "tolerance")}
        made = accept_run(service, run_id, given["name"], tolerance=given["tolerance"], use="use" in typed)
        return f"/baselines/{quote(made.name, safe='')}"

    return await _changed(request, service, run_id, "accept", act)


@form("/runs/{run_id:str}/silence")
async def run_silence(request: Raw, service: Given, run_id: Name) -> Response[Any]:
    """Keep the alarms quiet that watch the schedule of a run."""
    author = visitor.get().name

    def act(typed: Mapping[str, str]) -> str:
        minutes = typed.get("minutes", "")
        wanted = next((one for one in SILENCES if str(one) == minutes), SILENCES[0])
        silence_schedule(service, service.get_run(run_id).schedule, wanted, author)
        return f"/runs/{quote(run_id, safe='')}"

    return await _changed(request, service, run_id, "silence", act)


async def _changed(
    request: Raw, service: Service, run_id: str, which: str, act: Callable[[Mapping[str, str]], str]
) -> Response[Any]:
    await in_thread(service.get_run, run_id)

    def again(problem: Problem) -> Response[Any]:
        return show(request, "run.html", run_view(service, run_id, problem), status=400, here=f"/runs/{run_id}")

    return await acted(request, which, act, again)


HANDLERS = (
    run_page,
    run_file,
)
