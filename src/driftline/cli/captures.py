"""``driftline endpoint register`` and ``proxy``, ``captures …`` and ``labels import``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftline.cli.endpoints import Json, Percent, Sensitive, Url, columns_of, endpoint, labels
from driftline.cli.output import out, plain, table

if TYPE_CHECKING:
    from driftline.client.trees import Found
    from driftline.resources.captures import ImportReceipt

captures = typer.Typer(help="Captured requests.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="a folder of JSON lines, hours below it as yyyy/mm/dd/hh, or one file")]
Data = Annotated[Path, typer.Option("--data", help="the data folder")]
Before = Annotated[str | None, typer.Option(help="hours that ended by this time, such as 2026-11-22T10:00Z")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only say what would be done")]
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


@captures.command("compact")
def compact_captures(name: Name, data: Data, before: Before = None, dry_run: DryRun = False, json: Json = False) -> int:
    """Make one Parquet file of the many capture files of each past hour; what is read stays the same.

    The service does it by itself some hours after each. The files stay until a retention takes them away.
    """
    from driftline.jobs.compacting import compact_due

    out.json = json
    done = list(compact_due(data, name, _before(before), dry_run=dry_run))
    verb = "would be compacted" if dry_run else "compacted"
    rows = [(f"{one.hour:%Y-%m-%d %H:00}", one.files, f"{one.bytes_before:,}", f"{one.bytes_after:,}") for one in done]
    header = ("hour", "files", "bytes", "compacted")
    files = sum(one.files for one in done)
    out.result(done, [*table(rows, header), f"{files} files of {len(done)} hours {verb}"])
    return 0


@captures.command("restore")
def restore_captures(
    name: Name,
    data: Data,
    to: Annotated[Path | None, typer.Option(help="write below this folder instead of beside the Parquet files")] = None,
    before: Before = None,
    json: Json = False,
) -> int:
    """Write the original files of compacted hours again, byte for byte, where they are not; the Parquet files stay."""
    from driftline.jobs.compacting import restore
    from driftline.storage.layout import Layout

    out.json = json
    folder = Layout(data).captures(name)
    paths = [str(path) for path in restore(folder, _before(before), to or folder)]
    out.result(paths, [f"{len(paths)} files of {name} restored"])
    return 0


def _before(given: str | None) -> datetime:
    """The time up to which hours are taken: by default when an hour's files are surely closed."""
    from driftline.core.window import parse_time
    from driftline.jobs.compacting import settled

    return settled() if given is None else min(parse_time(given), settled())


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
