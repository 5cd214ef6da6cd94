"""``driftline demo``: the main job, end to end, on a world that it makes: a day of traffic in half a minute."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftline.cli.demo_story import story
from driftline.cli.output import out

if TYPE_CHECKING:
    from driftline.client import Client

SEED = 20261122


def demo(
    once: Annotated[bool, typer.Option("--once", help="end when the story is told, instead of serving on")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", help="an empty folder for the world (default: a new one)")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print the result as one JSON object")] = False,
) -> int:
    """See the whole job on made-up customers: deploy, capture, baselines, late labels, runs, violations, alarm."""
    import numpy as np

    from driftline.cli.demo_day import Day
    from driftline.cli.demo_server import server

    out.json = json
    folder = _folder(data)
    with server(folder) as (client, clock):
        result = Day(folder, np.random.default_rng(SEED), client, clock).live()
        out.result(result, story(result))
        if not once:
            _serve_on(client)
    return 0


def _folder(data: Path | None) -> Path:
    from driftline.core.errors import InputError
    from driftline.storage.layout import Layout

    if data is None:
        return Path(tempfile.mkdtemp(prefix="driftline-demo-"))
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise InputError(f"{data} is not an empty folder", hint="the demo makes a new world: name another folder")
    return Layout(data).create().data


def _serve_on(client: Client) -> None:
    out.say(f"\nserving on at {client.url}, in real time from here on; Ctrl-C stops it")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        out.say("stopping")
