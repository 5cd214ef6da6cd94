"""The commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from driftline.cli import (
    access,
    analysis,
    aws,
    batch_jobs,
    captures,
    constraints,
    demo,
    endpoints,
    export,
    nodes,
    preprocess,
    responses,
    retention,
    schedules,
    service,
)
from driftline.cli import attribution as _attribution  # noqa: F401 - it adds commands
from driftline.cli import aws_import as _aws_import  # noqa: F401 - it adds a command
from driftline.cli import baselines as _baselines  # noqa: F401 - it adds commands
from driftline.cli import bias as _bias  # noqa: F401 - it adds commands
from driftline.cli import data_quality as _data_quality  # noqa: F401 - it adds commands
from driftline.cli import external as _external  # noqa: F401 - it adds commands
from driftline.cli import schedule_changes as _schedule_changes  # noqa: F401 - it adds commands

app = typer.Typer(
    name="driftline",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        typer.echo(f"driftline {importlib.metadata.version('driftline')}")
        raise typer.Exit


@app.callback()
def _app(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version and exit")
    ] = False,
) -> None:
    """Serve a model, capture what it does, join it with the truth, and judge it on a schedule."""


app.add_typer(analysis.baseline, name="baseline")
app.add_typer(analysis.check, name="check")
app.add_typer(constraints.constraints, name="constraints")
app.command("serve")(service.serve)
app.command("deploy")(endpoints.deploy)
app.command("invoke")(endpoints.invoke)
app.add_typer(endpoints.endpoint, name="endpoint")
app.add_typer(endpoints.labels, name="labels")
app.add_typer(captures.captures, name="captures")
app.add_typer(preprocess.preprocess, name="preprocess")
app.add_typer(schedules.schedule, name="schedule")
app.add_typer(schedules.runs, name="runs")
app.add_typer(responses.responses, name="alarm")
app.add_typer(batch_jobs.batch, name="batch")
app.command("demo")(demo.demo)
app.add_typer(access.token, name="token")
app.command("audit")(access.audit)
app.add_typer(retention.retention, name="retention")
app.add_typer(nodes.node, name="node")
app.add_typer(export.export, name="export")
app.add_typer(aws.aws, name="aws")
app.command("doctor")(service.doctor)
