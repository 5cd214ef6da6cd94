"""``driftline deploy``, ``invoke``, ``endpoint …`` and ``labels put``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftline.cli.output import brief, out, plain, table

if TYPE_CHECKING:
    from driftline.resources.endpoints import Endpoint
    from driftline.resources.labels import LabelFormat

Url = Annotated[str | None, typer.Option(help="address of the service (else DRIFTLINE_URL, else the local default)")]
Json = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
Percent = Annotated[float | None, typer.Option("--capture-percent", min=0, max=100, help="share of requests captured")]

Sensitive = Annotated[
    list[str] | None,
    typer.Option(help="a column never recorded in clear: SIDE:COLUMN:drop|hash|mask, again for each; none for none"),
]
Destination = Annotated[
    str | None, typer.Option("--capture-destination", help="an s3:// folder below which the captures also appear")
]

endpoint = typer.Typer(help="The endpoints of a service.", no_args_is_help=True)
labels = typer.Typer(help="Ground truth.", no_args_is_help=True)


def deploy(
    name: Annotated[str, typer.Argument(help="the endpoint's name")],
    model: Annotated[Path, typer.Option("--model", help="the model file: XGBoost JSON, UBJ or model.tar.gz")],
    capture_percent: Percent = None,
    capture: Annotated[str | None, typer.Option(help="input, output or both (input,output)")] = None,
    sensitive: Sensitive = None,
    destination: Destination = None,
    url: Url = None,
    json: Json = False,
) -> int:
    """Deploy a model as an endpoint, or give an endpoint another model.

    A new endpoint captures input and output of every request; another keeps its settings where none are given.
    """
    from driftline.client import Client

    out.json = json
    settings: dict[str, Any] = {"capture_percent": capture_percent, "destination": destination}
    if capture is not None:
        settings |= {f"capture_{side}": side in _sides(capture) for side in ("input", "output")}
    with Client(url) as client:
        found = client.deploy(name, model, sensitive=columns_of(sensitive), **settings)
        out.result(
            found, [f"{name} serves {model}", f"  POST {client.url}/endpoints/{name}/invocations", *_capture(found)]
        )
    return 0


def invoke(
    name: Annotated[str, typer.Argument(help="the endpoint's name")],
    content_type: Annotated[str, typer.Option("--content-type", help="of the body")] = "text/csv",
    inference_id: Annotated[str | None, typer.Option("--inference-id", help="the id that a label will name")] = None,
    url: Url = None,
) -> int:
    """Send standard input to an endpoint and print its answer."""
    from driftline.client import Client

    with Client(url) as client:
        answer = client.invoke(name, sys.stdin.buffer.read(), content_type, inference_id=inference_id)
    sys.stdout.buffer.write(answer if answer.endswith(b"\n") else answer + b"\n")
    sys.stdout.buffer.flush()
    return 0


@endpoint.command("list")
def list_endpoints(url: Url = None, json: Json = False) -> int:
    """Every endpoint."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.list_endpoints()
    rows = [(row.name, _model(row), f"{row.capture.percent:g} %", brief(row.updated)) for row in found]
    out.result(found, table(rows, ("endpoint", "model", "captured", "updated")))
    return 0


@endpoint.command("show")
def show_endpoint(name: str, url: Url = None, json: Json = False) -> int:
    """One endpoint: its model, its capture settings, and what was captured in the last day."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.get_endpoint(name)
        hours = client.capture_counts(name)
    rows = [(brief(row.hour), row.captured, row.sampled_out, row.dropped, row.withheld) for row in hours]
    model = [f"  {key}: {value}" for key, value in plain(found.model).items()] or [f"  {_model(found)}"]
    lines = [name, *model, *_capture(found)]
    out.result(
        plain(found, hours=hours),
        [*lines, *table(rows, ("hour", "captured", "sampled out", "dropped", "a side withheld"))],
    )
    return 0


@endpoint.command("capture")
def change_capture(
    name: str,
    percent: Annotated[float | None, typer.Option(min=0, max=100, help="share of requests captured")] = None,
    capture: Annotated[str | None, typer.Option(help="input, output or both (input,output)")] = None,
    sensitive: Sensitive = None,
    destination: Destination = None,
    url: Url = None,
    json: Json = False,
) -> int:
    """Change what is captured, while the endpoint serves."""
    from driftline.client import Client

    out.json = json
    settings: dict[str, Any] = {} if percent is None else {"percent": percent}
    if capture is not None:
        sides = _sides(capture)
        settings |= {"input": "input" in sides, "output": "output" in sides}
    with Client(url) as client:
        found = client.configure_capture(name, sensitive=columns_of(sensitive), destination=destination, **settings)
    out.result(found, [name, *_capture(found)])
    return 0


@endpoint.command("delete")
def delete_endpoint(name: str, url: Url = None) -> int:
    """Stop serving an endpoint and pause its schedules; captures, labels and reports stay."""
    from driftline.client import Client

    with Client(url) as client:
        client.delete_endpoint(name)
    out.say(f"{name} is no longer served; its captures, labels and reports stay")
    return 0


@labels.callback()
def _labels() -> None:
    """Ground truth."""


@labels.command("put")
def put_labels(
    name: Annotated[str, typer.Argument(help="the endpoint's name")],
    file: Annotated[Path, typer.Argument(help="FILE.csv with an id and a label column, or FILE.jsonl")],
    id_column: Annotated[str | None, typer.Option(help="CSV column of the inference id")] = None,
    label_column: Annotated[str | None, typer.Option(help="CSV column of the label")] = None,
    url: Url = None,
    json: Json = False,
) -> int:
    """Put ground truth for an endpoint's predictions."""
    from driftline.cli.analysis import read_file
    from driftline.client import Client

    out.json = json
    kind: LabelFormat = "csv" if file.suffix.lower() == ".csv" else "jsonl"
    with Client(url) as client:
        receipt = client.put_labels(name, read_file(file), kind, id_column=id_column, label_column=label_column)
    left = f", {receipt.without_label} rows without a label left out" if receipt.without_label else ""
    out.result(receipt, [f"{receipt.accepted} labels for {name}{left}"])
    return 0


def _sides(capture: str) -> set[str]:
    from driftline.core.errors import InputError

    sides = {side.strip() for side in capture.split(",") if side.strip()}
    if not sides or not sides <= {"input", "output"}:
        raise InputError(f"--capture {capture!r} is not understood", hint="write input, output, or input,output")
    return sides


def columns_of(sensitive: list[str] | None) -> list[str] | None:
    """The columns of the option: None where it is not given, an empty list for the word ``none``."""
    if not sensitive:
        return None
    return [] if sensitive == ["none"] else sensitive


def _model(found: Endpoint) -> str:
    if found.kind == "model":
        return " ".join(part for part in (found.model.runtime, found.model.format) if part)
    return f"to {found.upstream}" if found.upstream else "served elsewhere"


def _capture(found: Endpoint) -> list[str]:
    capture = found.capture
    sides = [side for side in ("input", "output") if getattr(capture, side)]
    lines = [f"  captures {capture.percent:g} % of requests ({' and '.join(sides) or 'neither side'})"]
    if capture.destination:
        lines.append(f"  they also appear below {capture.destination}")
    return [*lines, *(f"  {rule.action}: column {rule.column} of the {rule.side}" for rule in capture.sensitive)]
