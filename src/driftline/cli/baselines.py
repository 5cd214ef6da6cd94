"""``driftline baseline put``: a baseline's files, kept by the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from driftline.cli.analysis import baseline, read_file
from driftline.cli.endpoints import Json, Url
from driftline.cli.output import out


@baseline.command("put")
def put_baseline(
    name: str,
    constraints: Annotated[Path, typer.Option(help="constraints.json, or analysis.json of bias or attribution")],
    statistics: Annotated[Path | None, typer.Option(help="statistics.json, or analysis_config.json")] = None,
    url: Url = None,
    json: Json = False,
) -> int:
    """Store or replace a baseline that a service keeps, from its files."""
    from driftline.client import Client

    out.json = json
    limits, numbers = _document(constraints), None if statistics is None else _document(statistics)
    with Client(url) as client:
        found = client.put_baseline(name, limits, numbers)
    out.result(found, [f"{name} is a baseline of {found.monitor}"])
    return 0


def _document(path: Path) -> dict[str, Any]:
    """The object in a file; :class:`InputError` with the line where it holds none."""
    import msgspec

    from driftline.core.json_text import parse_object

    data = read_file(path).removeprefix(b"\xef\xbb\xbf")
    parse_object(data, str(path))
    found: dict[str, Any] = msgspec.json.decode(data)
    return found
