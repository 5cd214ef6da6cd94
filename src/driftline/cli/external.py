"""``driftline check external``: a program of your own in the place of an analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftline.cli.analysis import Json, check, window_of
from driftline.cli.output import out, verdict
from driftline.core.verdict import EXIT_CODES


@check.command("external")
def check_external(
    program: Annotated[list[str], typer.Argument(help="after --: the program and its words")],
    captures: Annotated[Path, typer.Option(help="what it is told as dataset_source")],
    output: Annotated[Path, typer.Option("-o", "--output", help="folder that it works in and leaves its files in")],
    constraints: Annotated[Path | None, typer.Option(help="constraints.json of a baseline")] = None,
    statistics: Annotated[Path | None, typer.Option(help="statistics.json of a baseline")] = None,
    endpoint: Annotated[str | None, typer.Option(help="the endpoint's name")] = None,
    start: Annotated[str | None, typer.Option(help="first instant, ISO 8601 UTC")] = None,
    end: Annotated[str | None, typer.Option(help="first instant after, ISO 8601 UTC")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="seconds after which it is stopped")] = 600.0,
    memory: Annotated[int, typer.Option(min=16, help="MiB beyond which it is stopped")] = 1024,
    json: Json = False,
) -> int:
    """Run a program by SageMaker's contract of environment variables, and judge by the violations it leaves."""
    from driftline.pipeline.external import Contract, run_external
    from driftline.processes.child import Limits

    out.json = json
    window = window_of(start, end)
    contract = Contract(
        dataset_source=str(captures),
        output_path=str(output),
        start_time=None if window is None else window.start,
        end_time=None if window is None else window.end,
        baseline_constraints=None if constraints is None else str(constraints),
        baseline_statistics=None if statistics is None else str(statistics),
        endpoint=endpoint,
    )
    found = run_external(program, contract, Limits(seconds=seconds, memory=memory << 20))
    for line in found.log.splitlines():
        out.say(f"  {line}")
    document = {
        "verdict": found.judgement.verdict,
        "reasons": found.judgement.reasons,
        "violations": found.violations,
        "metrics": [{"name": series.name, "value": point.value} for series, point in found.metrics],
        "message": found.message,
        "output": str(output),
    }
    lines = [f"{verdict(found.judgement.verdict)}  {program[0]}", *([f"  {found.message}"] if found.message else [])]
    lines += [f"  {violation.line}" for violation in found.violations or ()]
    lines += [f"  {reason.message}" for reason in found.judgement.reasons]
    out.result(document, [*lines, f"  results in {output}"])
    return EXIT_CODES[found.judgement.verdict]
