"""``driftline schedule …`` and ``driftline runs …``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from driftline.cli.endpoints import Json, Url
from driftline.cli.options import Classes, ProbabilityAttribute, by_comma
from driftline.cli.output import UNKNOWN, brief, out, paint, plain, table, verdict
from driftline.core.verdict import EXIT_CODES

if TYPE_CHECKING:
    from driftline.client import Client
    from driftline.core.constraint_documents import Monitor
    from driftline.core.documents import ProblemType
    from driftline.resources.executions import Execution
    from driftline.resources.schedules import CatchUp, Schedule

CatchUpOption = Annotated[str, typer.Option(help="windows missed while nothing ran: all, or only the latest")]
TimeLimit = Annotated[float, typer.Option(min=1, help="seconds after which a run is stopped")]
MemoryLimit = Annotated[int, typer.Option(min=256, help="MiB beyond which a run is stopped")]
RejudgeStep = Annotated[
    float, typer.Option(min=0, max=1, help="judge again when late labels cover so much more; 0: never")
]
schedule = typer.Typer(help="When windows are judged.", no_args_is_help=True)
runs = typer.Typer(help="What was judged.", no_args_is_help=True)


@schedule.command("create")
def create_schedule(
    name: str,
    endpoint: Annotated[str, typer.Option(help="the endpoint to monitor")],
    cron: Annotated[str, typer.Option(help="'0 * * * *' or 'cron(0 * ? * * *)', in UTC")] = "0 * * * *",
    monitor: Annotated[str, typer.Option(help="model-quality, data-quality, bias or attribution")] = "model-quality",
    problem_type: Annotated[
        str, typer.Option("--problem-type", help="BinaryClassification, MulticlassClassification, Regression")
    ] = "BinaryClassification",
    constraints: Annotated[
        Path | None, typer.Option(help="constraints.json or analysis.json of a baseline, or its folder")
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="a baseline the service has, instead of --constraints")] = None,
    probability_attribute: ProbabilityAttribute = None,
    probability_threshold: Annotated[
        float | None, typer.Option(help="positive when the score is above this (0.5; of bias as in its baseline)")
    ] = None,
    inference_attribute: Annotated[str | None, typer.Option(help="CSV column or JMESPath of the prediction")] = None,
    classes: Classes = None,
    names: Annotated[
        list[str] | None, typer.Option(help="names of the captured columns, outputs first, by comma")
    ] = None,
    program: Annotated[
        str | None, typer.Option(help="a program of the service's programs.toml in the place of the analysis")
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="what measures: local, spark (needs DRIFTLINE_SPARK), or auto, by size")
    ] = None,
    minimum_sample: Annotated[int, typer.Option(min=1, help="fewer judged rows give no verdict")] = 30,
    further: Annotated[str | None, typer.Option("--attributes", help="further attributes, as a JSON object")] = None,
    start_offset: Annotated[str, typer.Option(help="added to the window's start, such as -PT3H")] = "PT0S",
    end_offset: Annotated[str, typer.Option(help="added to the window's end, such as -PT2H")] = "PT0S",
    catch_up: CatchUpOption = "all",
    time_limit: TimeLimit = 1800.0,
    memory_limit: MemoryLimit = 2048,
    rejudge_step: RejudgeStep = 0.05,
    url: Url = None,
    json: Json = False,
) -> int:
    """Judge an endpoint on a schedule. A run at a tick reads from the tick before it, plus the offsets."""
    from driftline.client import Client

    out.json = json
    attributes: dict[str, Any] = {"minimum_sample": minimum_sample} | _further(further)
    given = {
        "probability_threshold": probability_threshold,
        "probability_attribute": probability_attribute,
        "inference_attribute": inference_attribute,
        "classes": list(by_comma(classes)) or None,
        "names": list(by_comma(names)) or None,
        "program": program,
        "engine": engine,
    }
    with Client(url) as client:
        found = client.create_schedule(
            name=name,
            endpoint=endpoint,
            cron=cron,
            monitor=monitor,
            problem_type=cast("ProblemType", problem_type),
            attributes=attributes | {key: value for key, value in given.items() if value is not None},
            start_offset=start_offset,
            end_offset=end_offset,
            catch_up=cast("CatchUp", catch_up),
            time_limit=time_limit,
            memory_limit=memory_limit << 20,
            rejudge_step=rejudge_step,
            baseline=_baseline(client, name, constraints, monitor) or baseline,
        )
    out.result(found, [f"{name} judges {endpoint} at {cron} (UTC); first run at {_tick(found)}"])
    return 0


@schedule.command("list")
def list_schedules(url: Url = None, json: Json = False) -> int:
    """Every schedule."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.list_schedules()
    rows = [(row.name, row.endpoint, row.cron, row.state, _tick(row)) for row in found]
    out.result(found, table(rows, ("schedule", "endpoint", "cron", "state", "next run")))
    return 0


@schedule.command("show")
def show_schedule(name: str, url: Url = None, json: Json = False) -> int:
    """One schedule with its latest runs."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.get_schedule(name)
        latest = client.list_runs(schedule=name, limit=10)
    fields = [f"{key}: {value}" for key, value in plain(found).items()]
    out.result(plain(found, runs=latest), [*fields, "", *_run_table(latest)])
    return 0


@schedule.command("pause")
def pause_schedule(name: str, url: Url = None, json: Json = False) -> int:
    """Let no further run become due."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        return _tell_state(client.pause_schedule(name))


@schedule.command("resume")
def resume_schedule(name: str, url: Url = None, json: Json = False) -> int:
    """Go on from now."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        return _tell_state(client.resume_schedule(name))


@schedule.command("delete")
def delete_schedule(name: str, url: Url = None) -> int:
    """Delete a schedule with its runs; report files stay."""
    from driftline.client import Client

    with Client(url) as client:
        client.delete_schedule(name)
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
    from driftline.core.window import parse_time

    out.json = json
    first, last = (None if text is None else parse_time(text) for text in (start, end))
    with Client(url) as client:
        asked = client.run_schedule(name, start=first, end=last)
        found = client.wait_for_run(asked.id, timeout=timeout)
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
        found = client.list_runs(schedule=schedule_name, endpoint=endpoint, limit=limit)
    out.result(found, _run_table(found))
    return 0


@runs.command("show")
def show_run(run_id: str, url: Url = None, json: Json = False) -> int:
    """One run; its verdict is the exit code."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.get_run(run_id)
    out.result(found, _run_text(found))
    return exit_code(found)


def exit_code(run: Execution) -> int:
    """0 OK, 1 violated, 3 no verdict."""
    return UNKNOWN if run.verdict is None else EXIT_CODES[run.verdict]


def _tell_state(found: Schedule) -> int:
    out.result(found, [f"{found.name} is {found.state}"])
    return 0


def _tick(found: Schedule) -> str:
    return "never" if found.next_tick is None else brief(found.next_tick)


def _baseline(client: Client, name: str, constraints: Path | None, monitor: str) -> str | None:
    """Stores a constraints file, with the statistics beside it, as the baseline of this name; of an analysis the part
    of the monitor, with the configuration beside it."""
    if constraints is None:
        return None
    import msgspec

    from driftline.cli.analysis import read_file
    from driftline.core.constraint_documents import any_constraints_document, read_any_constraints
    from driftline.core.documents import dump

    analysed = _monitor(monitor) in ("bias", "attribution")
    if constraints.is_dir():
        constraints /= "analysis.json" if analysed else "constraints.json"
    found = read_any_constraints(read_file(constraints), str(constraints), _monitor(monitor))
    beside = constraints.with_name("analysis_config.json" if analysed else "statistics.json")
    statistics = msgspec.json.decode(read_file(beside)) if beside.is_file() else None
    document = any_constraints_document(found) if analysed else msgspec.json.decode(read_file(constraints))
    client.put_baseline(name, msgspec.json.decode(dump(document)), statistics)
    return name


def _further(text: str | None) -> dict[str, Any]:
    """The attributes of ``--attributes``; raises :class:`InputError` for what is no JSON object."""
    import msgspec

    from driftline.core.json_text import parse_object

    if text is None:
        return {}
    parse_object(text.encode(), "--attributes")
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def _monitor(name: str) -> Monitor:
    from driftline.core.constraint_documents import Monitor
    from driftline.core.errors import InputError

    if name not in get_args(Monitor):
        raise InputError(f"{name!r} is not a monitor", hint="use " + " or ".join(get_args(Monitor)))
    return cast("Monitor", name)


def _run_table(found: list[Execution]) -> list[str]:
    rows = [(run.id, str(run.window).removesuffix(" UTC"), run.verdict or run.status, run.schedule) for run in found]
    return table(rows, ("run", "reads (UTC)", "verdict", "schedule"))


def _run_text(run: Execution) -> list[str]:
    shown = verdict(run.verdict) if run.verdict else run.status
    lines = [f"{shown}  {run.schedule} reads {run.window}", f"  {run.message or ''}"]
    lines += [f"  {violation.line}" for violation in run.violations]
    error = (run.error or "").splitlines()
    # What went wrong is told once, though the message and a reason say it, too.
    for reason in (one for one in run.reasons if one.message not in error):
        lines.append(f"  {reason.message}")
        lines += [f"    {question}: {answer}" for question, answer in reason.checklist]
    lines += [paint("  " + line, "red") for line in error if not (run.message or "").endswith(line)]
    return [*lines, f"  report in {run.report}"]
