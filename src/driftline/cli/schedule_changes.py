"""``driftline schedule update``, ``backfill`` and ``overdue``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from driftline.cli.endpoints import Json, Url
from driftline.cli.output import OK, UNKNOWN, out, table
from driftline.cli.schedules import schedule


@schedule.command("update")
def update_schedule(
    name: str,
    cron: Annotated[str | None, typer.Option(help="'0 * * * *' or 'cron(0 * ? * * *)', in UTC")] = None,
    start_offset: Annotated[str | None, typer.Option(help="added to the window's start, such as -PT3H")] = None,
    end_offset: Annotated[str | None, typer.Option(help="added to the window's end, such as -PT2H")] = None,
    baseline: Annotated[str | None, typer.Option(help="a baseline the service has")] = None,
    catch_up: Annotated[str | None, typer.Option(help="windows missed while nothing ran: all, or latest")] = None,
    time_limit: Annotated[float | None, typer.Option(min=1, help="seconds after which a run is stopped")] = None,
    memory_limit: Annotated[int | None, typer.Option(min=256, help="MiB beyond which a run is stopped")] = None,
    rejudge_step: Annotated[float | None, typer.Option(min=0, max=1, help="0: never")] = None,
    url: Url = None,
    json: Json = False,
) -> int:
    """Change a schedule; what is not given stays. Ticks to come follow the change."""
    from driftline.client import Client

    out.json = json
    given: dict[str, Any] = {
        "cron": cron,
        "start_offset": start_offset,
        "end_offset": end_offset,
        "baseline": baseline,
        "catch_up": catch_up,
        "time_limit": time_limit,
        "memory_limit": None if memory_limit is None else memory_limit << 20,
        "rejudge_step": rejudge_step,
    }
    with Client(url) as client:
        found = client.update_schedule(name, **{key: value for key, value in given.items() if value is not None})
    out.result(found, [f"{name} runs at {found.cron} (UTC); next {found.next_tick or 'never'}"])
    return OK


@schedule.command("backfill")
def backfill_schedule(
    name: str,
    start: Annotated[str, typer.Option(help="ticks after this instant, ISO 8601 UTC")],
    end: Annotated[str, typer.Option(help="up to and with this one")],
    url: Url = None,
    json: Json = False,
) -> int:
    """Run every past window whose tick is in (start, end] and that has no run yet."""
    from driftline.client import Client
    from driftline.core.window import parse_time

    out.json = json
    with Client(url) as client:
        found = client.backfill_schedule(name, parse_time(start), parse_time(end))
    out.result(found, [f"{len(found)} runs were added", *(f"  {run.id}  {run.window}" for run in found)])
    return OK


@schedule.command("overdue")
def list_overdue(url: Url = None, json: Json = False) -> int:
    """Windows that should have been judged by now. Exit code 3 when there are any."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.list_overdue()
    rows = [(window.schedule, window.endpoint, window.message) for window in found]
    out.result(found, table(rows, ("schedule", "endpoint", "why")) if rows else ["no window is overdue"])
    return UNKNOWN if found else OK
