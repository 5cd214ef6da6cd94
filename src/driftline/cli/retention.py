"""``driftline retention …``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from driftline.cli.endpoints import Json, Url
from driftline.cli.output import brief, out, table

if TYPE_CHECKING:
    from driftline.resources.endpoints import Endpoint
    from driftline.resources.retention import RetentionReport

retention = typer.Typer(help="How long data is kept.", no_args_is_help=True)
_HOW = "how long: such as P30D, or 'forever'"
Length = Annotated[str | None, typer.Option(help=_HOW, metavar="DURATION")]


@retention.command("set")
def set_retention(
    name: Annotated[str, typer.Argument(help="the endpoint's name")],
    captures: Length = None,
    originals: Length = None,
    labels: Length = None,
    merged: Length = None,
    reports: Length = None,
    executions: Length = None,
    metrics: Length = None,
    url: Url = None,
    json: Json = False,
) -> int:
    """Say how long each kind of an endpoint's data is kept; what is not given stays, at first for ever."""
    from driftline.client import Client
    from driftline.resources.retention import Retention

    out.json = json
    wanted = Retention(captures, originals, labels, merged, reports, executions, metrics)
    with Client(url) as client:
        found = client.set_retention(name, wanted)
    out.result(found.retention or {}, _settings(found))
    return 0


@retention.command("show")
def show_retention(name: str, url: Url = None, json: Json = False) -> int:
    """How long each kind of an endpoint's data is kept."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.get_endpoint(name)
    out.result(found.retention or {}, _settings(found))
    return 0


@retention.command("run")
def run_retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be deleted")] = False,
    url: Url = None,
    json: Json = False,
) -> int:
    """Delete now what need not be kept; the service does it once a day by itself."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        report = client.run_retention(dry_run=dry_run)
    out.result(report, _report(report))
    return 0


def _settings(found: Endpoint) -> list[str]:
    from driftline.resources.retention import Retention

    kept = found.retention or {}
    rows = [(kind, kept.get(kind, "forever")) for kind in Retention.__struct_fields__]
    return [found.name, *table(rows, ("data", "kept"))]


def _report(report: RetentionReport) -> list[str]:
    rows = [
        (
            one.endpoint or "",
            one.kind,
            brief(one.before) + (" (held)" if one.held else ""),
            one.files,
            f"{one.bytes:,}",
            one.rows,
            "; ".join(one.skipped),
        )
        for one in report.removed
    ]
    header = ("endpoint", "data", "before", "files", "bytes", "rows", "left alone")
    said = "would be deleted" if report.dry_run else "deleted"
    return [*table(rows, header), f"{report.files} files with {report.bytes:,} bytes {said}"]
