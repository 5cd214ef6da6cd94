"""Services that run, for tests to look at: a small demo, nothing at all, and one that wants tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from driftline.cli.demo_day import Day
from driftline.cli.demo_server import server
from driftline.client import Client
from driftline.resources.access import NewToken
from driftline.service import Service

HOURS, DRIFT_HOUR, SEED = 4, 1, 20261122


class World(NamedTuple):
    """A service that runs: its address, what stands for names in paths, and tokens where it wants any."""

    url: str
    names: dict[str, str]
    tokens: dict[str, str]

    def path(self, template: str) -> str:
        """A path of this world: ``/runs/{churn_data}`` is the page of the newest run of ``churn-data``."""
        return template.format(**self.names)


@contextmanager
def small_demo(folder: Path, *, hours: int = HOURS, drift_hour: int = DRIFT_HOUR) -> Iterator[World]:
    """A few hours of the demo, the last of which drift, with all monitors; afterwards the time stands still."""
    with _running(folder) as (client, clock):
        day = Day(folder, np.random.default_rng(SEED), client, clock, hours=hours, drift_hour=drift_hour)
        day.live()
        clock.set((day.first + timedelta(hours=hours, minutes=1)).timestamp())
        yield World(client.url, _newest(client), {})


@contextmanager
def empty_service(folder: Path) -> Iterator[World]:
    """A service on the day it was started."""
    with _running(folder) as (client, _):
        yield World(client.url, {}, {})


@contextmanager
def guarded_service(folder: Path) -> Iterator[World]:
    """A service that wants a token, with one of a reader and one of an operator."""
    with _running(folder, "--access", "on") as (client, _), Service(folder) as service:
        tokens = {role: service.create_token(NewToken(f"the-{role}", role)).secret for role in ("reader", "operator")}
        yield World(client.url, {}, tokens)


@contextmanager
def _running(folder: Path, *options: str) -> Iterator[tuple[Client, Any]]:
    folder.mkdir(parents=True)
    with server(folder, *options) as (client, clock):
        yield client, clock


def _newest(client: Client) -> dict[str, str]:
    """The id of the newest run of each schedule, by its name with ``_`` for ``-``."""
    newest = {run.schedule: run.id for run in reversed(client.list_runs(limit=1000))}
    return {schedule.replace("-", "_"): run for schedule, run in newest.items()}
