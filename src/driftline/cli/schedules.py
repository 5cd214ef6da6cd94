"""``driftline schedule …`` and ``driftline runs …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from driftline.cli.endpoints import Json, Url
from driftline.cli.output import UNKNOWN, out, paint, table, verdict

schedule = typer.Typer(help="When windows are judged.", no_args_is_help=True)
runs = typer.Typer(help="What was judged.", no_args_is_help=True)


@schedule.command("create")
def create_schedule(
    name: str,
    endpoint: Annotated[str, typer.Option(help="the endpoint to monitor")],
    cron: Annotated[str, typer.Option(help="'0 * * * *' or 'cron(0 * ? * * *)', in UTC")] = "0 * * * *",
    monitor: Annotated[str, typer.Option(help="model-quality")] = "model-quality",
    problem_type: Annotated[
        str, typer.Option("--problem-type", help="BinaryClassification, MulticlassClassification, Regression")
    ] = "BinaryClassification",
    constraints: Annotated[Path | None, typer.Option(help="constraints.json of a baseline")] = None,
    baseline: Annotated[str | None, typer.Option(help="a baseline the service has, instead of --constraints")] = None,
    probability_attribute: Annotated[str | None, typer.Option(help="CSV column or JMESPath of the score")] = None,
    probability_threshold: Annotated[float, typer.Option(help="positive when the score is above this")] = 0.5,
    inference_attribute: Annotated[str | None, typer.Option(help="CSV column or JMESPath of the prediction")] = None,
    minimum_sample: Annotated[int, typer.Option(min=1, help="fewer judged rows give no verdict")] = 30,
    start_offset: Annotated[str, typer.Option(help="added to the window's start, such as -PT3H")] = "PT0S",
    end_offset: Annotated[str, typer.Option(help="added to the window's end, such as -PT2H")] = "PT0S",
    url: Url = None,
    json: Json = False,
) -> int:
    """Judge an endpoint on a schedule. A run at a tick reads from the tick before it, plus the offsets."""
    from driftline.client import Client

    out.json = json
    attributes: dict[str, Any] = {"probability_threshold": probability_threshold, "minimum_sample": minimum_sample}
    given = {"probability_attribute": probability_attribute, "inference_attribute": inference_attribute}
    with Client(url) as client:
        found = client.create_schedule(
            name=name,
            endpoint=endpoint,
            cron=cron,
            monitor=monitor,
            problem_type=problem_type,
            attributes=attributes | {key: value for key, value in given.items() if value is not None},
            start_offset=start_offset,
            end_offset=end_offset,
            baseline=_baseline(client, name, constraints) or baseline,
        )
    out.result(found, [f"{name} judges {endpoint} at {cron} (UTC); first run at {found['next_tick']}"])
    return 0


@schedule.command("list")
def list_schedules(url: Url = None, json: Json = False) -> int:
    """Every schedule."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.list_all("schedules")
    rows = [(row["name"], row["endpoint"], row["cron"], row["state"], row["next_tick"] or "never") for row in found]
    out.result(found, table(rows, ("schedule", "endpoint", "cron", "state", "next run")))
    return 0


@schedule.command("show")
def show_schedule(name: str, url: Url = None, json: Json = False) -> int:
    """One schedule with its latest runs."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.show("schedules", name)
        latest = client.list_all("runs", schedule=name, limit=10)
    out.result(
        found | {"runs": latest}, [*(f"{key}: {value}" for key, value in found.items()), "", *_run_table(latest)]
    )
    return 0


@schedule.command("pause")
def pause_schedule(name: str, url: Url = None, json: Json = False) -> int:
    """Let no further run become due."""
    return _act(name, "pause", url, json)


@schedule.command("resume")
def resume_schedule(name: str, url: Url = None, json: Json = False) -> int:
    """Go on from now."""
    return _act(name, "resume", url, json)


@schedule.command("delete")
def delete_schedule(name: str, url: Url = None) -> int:
    """Delete a schedule with its runs; report files stay."""
    from driftline.client import Client

    with Client(url) as client:
        client.delete("schedules", name)
    out.say(f"{name} is deleted; its report files stay")
    return 0


@schedule.command("run")
def run_schedule(
    name: str,
    start: Annotated[str | None, typer.Option(help="first instant, ISO 8601 UTC")] = None,
    end: Annotated[str | None, typer.Option(help="first instant after, ISO 8601 UTC")] = None,
    timeout: Annotated[float, typer.Option(help="seconds to wait for the result")] = 600.0,
    url: Url = None,
    json: Json = False,
) -> int:
    """Run now, the last complete window or the one given, and wait for the verdict (which is the exit code)."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        asked = client.act("schedules", name, "run", {"start": start, "end": end})
        found = client.wait_for_run(asked["id"], timeout=timeout)
    out.result(found, _run_text(found))
    return exit_code(found)


@runs.command("list")
def list_runs(
    schedule_name: Annotated[str | None, typer.Option("--schedule", help="of one schedule")] = None,
    endpoint: Annotated[str | None, typer.Option(help="of one endpoint")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    url: Url = None,
    json: Json = False,
) -> int:
    """Runs, newest first."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.list_all("runs", schedule=schedule_name, endpoint=endpoint, limit=limit)
    out.result(found, _run_table(found))
    return 0


@runs.command("show")
def show_run(run_id: str, url: Url = None, json: Json = False) -> int:
    """One run; its verdict is the exit code."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.show("runs", run_id)
    out.result(found, _run_text(found))
    return exit_code(found)


def exit_code(run: dict[str, Any]) -> int:
    """0 OK, 1 violated, 3 no verdict."""
    return {"OK": 0, "VIOLATED": 1}.get(run["verdict"], UNKNOWN)


def _act(name: str, action: str, url: str | None, json: bool) -> int:
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.act("schedules", name, action)
    out.result(found, [f"{name} is {found['state']}"])
    return 0


def _baseline(client: Any, name: str, constraints: Path | None) -> str | None:
    """Stores a constraints file, with the statistics beside it, as the baseline of this name."""
    if constraints is None:
        return None
    import msgspec

    from driftline.cli.analysis import read_file
    from driftline.core.documents import read_constraints

    document = read_file(constraints)
    read_constraints(document, str(constraints))
    body: dict[str, Any] = {"constraints": msgspec.json.decode(document)}
    statistics = constraints.with_name("statistics.json")
    if statistics.is_file():
        body["statistics"] = msgspec.json.decode(read_file(statistics))
    client.put("baselines", name, body)
    return name


def _window(run: dict[str, Any]) -> str:
    from driftline.core.window import Window, parse_time

    return str(Window(parse_time(run["window_start"]), parse_time(run["window_end"])))


def _run_table(found: list[dict[str, Any]]) -> list[str]:
    rows = [
        (run["id"], _window(run).removesuffix(" UTC"), run["verdict"] or run["status"], run["schedule"])
        for run in found
    ]
    return table(rows, ("run", "reads (UTC)", "verdict", "schedule"))


def _run_text(run: dict[str, Any]) -> list[str]:
    shown = verdict(run["verdict"]) if run["verdict"] else run["status"]
    lines = [f"{shown}  {run['schedule']} reads {_window(run)}", f"  {run['message'] or ''}"]
    lines += [f"  {violation['description']}" for violation in run["violations"]]
    for reason in run["reasons"]:
        lines.append(f"  {reason['message']}")
        lines += [f"    {question}: {answer}" for question, answer in reason.get("checklist", [])]
    if run["error"]:
        lines += [paint("  " + line, "red") for line in run["error"].splitlines()]
    return [*lines, f"  report in {run['report']}"]
