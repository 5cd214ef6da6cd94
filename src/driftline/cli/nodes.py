"""``driftline node …``: the data folders that work on one database, seen from any of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftline.cli.endpoints import Json
from driftline.cli.output import brief, out, table

if TYPE_CHECKING:
    from driftline.service import Service

node = typer.Typer(help="The nodes of one database.", no_args_is_help=True)
Data = Annotated[Path, typer.Option("--data", help="the data folder of one of them")]


@node.command("list")
def list_nodes(data: Data, json: Json = False) -> int:
    """Every node: its version, when it was last seen, and what waits on its disk for the store."""
    out.json = json
    with _service(data) as service:
        found = service.list_nodes()
    rows = [
        (
            row.name,
            row.version,
            brief(row.started),
            brief(row.seen),
            brief(row.captured_until) if row.captured_until else "-",
            row.spool_files,
            row.trouble or "",
        )
        for row in found
    ]
    names = ("node", "version", "started", "last seen", "in the store until", "files that wait", "trouble")
    out.result(found, table(rows, names))
    return 0


@node.command("forget")
def forget_node(name: str, data: Data, json: Json = False) -> int:
    """Take a node off the list that is gone for good. One that still works comes back with its next start."""
    out.json = json
    with _service(data) as service:
        service.forget_node(name)
    out.result({"forgotten": name}, [f"{name} is forgotten"])
    return 0


def _service(data: Path) -> Service:
    from driftline.service import Service
    from driftline.storage.database import database_of_environment

    return Service(data, database=database_of_environment())
