"""``driftline export …``: files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftline.cli.endpoints import Json, Url
from driftline.cli.output import out

if TYPE_CHECKING:
    from driftline.core.window import Window

export = typer.Typer(help="Files for other programs.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option("--output", "-o", help="the folder to write to")]


@export.command("prometheus")
def export_prometheus(
    output: Folder,
    token: Annotated[bool, typer.Option("--token", help="the service asks for a token")] = False,
    url: Url = None,
    json: Json = False,
) -> int:
    """Write Prometheus's configuration, and rules with one alert for every alarm of the service."""
    from driftline.client import Client
    from driftline.client.exports import prometheus_files

    out.json = json
    with Client(url) as client:
        files = prometheus_files(client.url, client.list_alarms(), token=token)
    return _write(files, output)


@export.command("alertmanager")
def export_alertmanager(output: Folder, json: Json = False) -> int:
    """Write a configuration of Alertmanager to begin with."""
    from driftline.client.exports import alertmanager_files

    out.json = json
    return _write(alertmanager_files(), output)


@export.command("grafana")
def export_grafana(output: Folder, json: Json = False) -> int:
    """Write a dashboard to import into Grafana."""
    from driftline.client.exports import grafana_files

    out.json = json
    return _write(grafana_files(), output)


@export.command("merged")
def export_merged(
    endpoint: Annotated[str, typer.Argument(help="the endpoint's name")],
    output: Annotated[Path, typer.Option("--output", "-o", help="FILE.parquet, or FILE.jsonl")],
    data: Annotated[Path, typer.Option("--data", help="the data folder")],
    start: Annotated[str | None, typer.Option(help="from this time on, such as 2026-11-22T10:00Z")] = None,
    end: Annotated[str | None, typer.Option(help="up to this time")] = None,
    columns: Annotated[bool, typer.Option("--columns", help="Parquet: one column a cell of a CSV input")] = False,
    unlabelled: Annotated[bool, typer.Option("--unlabelled", help="also predictions without a label")] = False,
    json: Json = False,
) -> int:
    """Write an endpoint's captures with their labels, to train with: Parquet, or JSON lines of merged records."""
    from driftline.jobs.exchange import have_all
    from driftline.pipeline.export import export_merged
    from driftline.storage.layout import Layout

    out.json = json
    layout = Layout(data)
    places = layout.captures(endpoint), layout.labels(endpoint)
    window = _window(start, end)
    have_all(layout, places, window)
    written = export_merged(*places, output, window=window, columns=columns, unlabelled=unlabelled)
    out.result(written, [f"{output}: {written.rows:,} rows, {written.labelled:,} with a label"])
    return 0


def _window(start: str | None, end: str | None) -> Window | None:
    """All times without either; where one is missing, as early or as late as can be."""
    from driftline.core.window import Window, parse_time

    if start is None and end is None:
        return None
    return Window(parse_time(start or "1970-01-02"), parse_time(end or "9999-12-31"))


def _write(files: dict[str, str], folder: Path) -> int:
    from driftline.storage.files import write_atomic

    paths = [folder / name for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        write_atomic(path, text.encode())
    out.result([str(path) for path in paths], [str(path) for path in paths])
    return 0
