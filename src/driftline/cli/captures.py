"""``driftline endpoint register`` and ``proxy``, ``captures import`` and ``labels import``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftline.cli.endpoints import Json, Percent, Sensitive, Url, columns_of, endpoint, labels
from driftline.cli.output import out, plain

if TYPE_CHECKING:
    from driftline.client.trees import Found
    from driftline.resources.captures import ImportReceipt

captures = typer.Typer(help="Captured requests.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="a folder of JSON lines, hours below it as yyyy/mm/dd/hh, or one file")]
Name = Annotated[str, typer.Argument(help="the endpoint's name")]


@endpoint.command("register")
def register(
    name: Name, capture_percent: Percent = None, sensitive: Sensitive = None, url: Url = None, json: Json = False
) -> int:
    """Make an endpoint known whose model is served elsewhere, so that schedules can watch it.

    Its captures come from the capture library, from events, or from an import.
    """
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.register_endpoint(name, capture_percent=capture_percent, sensitive=columns_of(sensitive))
        lines = [f"{name} is external: it answers nothing here", f"  events: {client.url}/api/endpoints/{name}/events"]
    out.result(found, lines)
    return 0


@endpoint.command("proxy")
def proxy(
    name: Name,
    upstream: Annotated[str, typer.Option(help="URL that predictions are asked of, such as http://host/v1/predict")],
    capture_percent: Percent = None,
    sensitive: Sensitive = None,
    url: Url = None,
    json: Json = False,
) -> int:
    """Stand in front of any HTTP model server: requests are forwarded, answers passed back, both captured."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        found = client.register_endpoint(
            name, upstream=upstream, capture_percent=capture_percent, sensitive=columns_of(sensitive)
        )
        lines = [f"{name} forwards to {upstream}", f"  POST {client.url}/endpoints/{name}/invocations"]
    out.result(found, lines)
    return 0


@captures.callback()
def _captures() -> None:
    """Captured requests."""


@captures.command("import")
def import_captures(name: Name, folder: Folder, url: Url = None, json: Json = False) -> int:
    """Take capture files of another system, each record into the hour of its inference; the same content once."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:

        def send(found: Found, body: bytes) -> ImportReceipt:
            return client.import_captures(name, body, variant=found.variant or "AllTraffic")

        return _import("captures", name, folder, send)


@labels.command("import")
def import_labels(name: Name, folder: Folder, url: Url = None, json: Json = False) -> int:
    """Take ground-truth files of another system into the hours of their folders, or of the files' own time."""
    from driftline.client import Client

    out.json = json
    with Client(url) as client:
        return _import(
            "labels", name, folder, lambda found, body: client.import_labels(name, body, collected=found.moment)
        )


def _import(what: str, name: str, folder: Path, send: Callable[[Found, bytes], ImportReceipt]) -> int:
    from driftline.client.elsewhere import total
    from driftline.client.trees import pieces, tree_of

    tree = tree_of(folder)
    for path in tree.outside:
        out.say(f"{path} is passed over: the link leads out of {folder}")
    receipts = [send(found, piece) for found in tree.files for piece in pieces(found.path)]
    receipt = total(receipts)
    lines = [
        f"{receipt.records} {what} for {name} from {len(tree.files)} files",
        f"  {receipt.repeated} were there already, {receipt.refused} lines refused, "
        f"{len(tree.outside)} links passed over",
        *(f"  {sample}" for sample in receipt.samples),
    ]
    out.result(plain(receipt, read=len(tree.files), outside=len(tree.outside)), lines)
    return 0
