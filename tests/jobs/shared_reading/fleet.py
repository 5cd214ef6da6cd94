"""Nodes with a data folder each, one database and one bucket, as tests drive them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import numpy as np

from driftline.core.uris import object_uri
from driftline.core.window import HOUR
from driftline.jobs.executions import Worker
from driftline.jobs.late_captures import LateCaptures
from driftline.jobs.late_labels import LateLabels
from driftline.jobs.planning import plan_due
from driftline.jobs.schedules import create_schedule
from driftline.jobs.shared import Shared
from driftline.pipeline import run_monitor
from driftline.resources.executions import Execution
from driftline.storage import arrivals, nodes
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.storage.nodes import Node
from driftline.storage.remote.trying import Patience
from driftline.storage.remote_objects import RemoteObjects
from driftline.testing import START, FakeClock, capture, write_captures, write_labels

SHORT = Patience(total=0.3, first=0.05, most=0.1)
"""So long the bucket is asked again, where that is all there is to see."""
REAL = datetime(2027, 1, 5, tzinfo=UTC)
ROWS = 240
SCORES = np.random.default_rng(11).random(ROWS)


class Machine:
    """A node: its data folder, its view of the store, and the parts of a scheduler. ``clock`` is the schedules' time
    and ``real`` the other; all nodes have the same."""

    def __init__(self, name: str, folder: Path, store: Store, clock: FakeClock, real: FakeClock) -> None:
        self.name, self.store, self.clock, self.real = name, store, clock, real
        self.layout = Layout(folder).create()
        objects = RemoteObjects(os.environ["DRIFTLINE_S3_ENDPOINT"], SHORT)
        self.shared = shared = Shared(self.layout, objects, object_uri(os.environ["DRIFTLINE_STORE"]))
        self.worker = Worker(
            store, self.layout, run_monitor, clock, owner=name, real=real, lease=timedelta(minutes=1), shared=shared
        )
        self.captures = LateCaptures(store, self.layout, shared, real, monotonic=real)
        self.labels = LateLabels(store, self.layout, monotonic=real, shared=shared)

    def capture(self, *parts: int, of: int = 4, hour: int = 0) -> None:
        """Capture some of the parts of an hour's predictions."""
        for part in parts:
            captured(self.layout, part, of, hour)

    def ship(self, *, until: datetime | None = None, endpoint: str = "churn") -> None:
        """Put all captures and labels into the store that are not there, and say so; say up to when that is all."""
        kinds: tuple[Literal["captures", "labels"], ...] = ("captures", "labels")
        for kind in kinds:
            folder = self.layout.data / kind / endpoint
            fresh = [path for path in sorted(folder.rglob("*.jsonl")) if not self.shared.stored(path)]
            self.shared.send(*fresh)
            hours = {datetime(*map(int, path.parts[-5:-1]), tzinfo=UTC) for path in fresh}  # type: ignore[misc, arg-type]
            with self.store.write() as db:
                arrivals.add(db, endpoint, kind, hours)
        self.tell(until or self.clock.moment)

    def tell(self, until: datetime | None) -> None:
        """A sign of life."""
        with self.store.write() as db:
            nodes.tell(db, Node(self.name, "1", REAL, self.real.moment, until))

    def run(self) -> list[Execution]:
        """Plan what is due and run what can be run; how each run ended, or waits."""
        plan_due(self.store, self.layout, self.clock.moment)
        found = []
        while (one := self.worker.run_next()) is not None:
            found.append(one)
        return found

    def late(self) -> list[str]:
        """The causes of the revisions that are added now, a while of real time later."""
        self.real.advance(31)
        added = [*self.captures.look(self.clock.moment), *self.labels.look(self.clock.moment)]
        return [one.cause for one in added]

    def report(self, run: Execution) -> dict[str, bytes]:
        """The documents of a run by their names; not its log."""
        return documents(self.layout.data / run.report)


_STEPS = re.compile(rb"<h2>(?:Steps|Rows)</h2>.*?</section>", re.DOTALL)


def documents(folder: Path) -> dict[str, bytes]:
    """What a run left, without its log and what depends on who came first: its steps, and how many files it read."""
    files = [path for path in folder.iterdir() if path.suffix in (".json", ".html")]
    return {path.name: _STEPS.sub(b"", path.read_bytes()) for path in files}


def captured(layout: Layout, part: int, of: int, hour: int) -> None:
    """A part of an hour's predictions in a file of its own."""
    records = [
        capture(f"{score:.6f}", f"h{hour}-{n}", time=START + hour * HOUR + timedelta(seconds=n), request=f"{n},{score}")
        for n, score in enumerate(SCORES)
        if n % of == part
    ]
    write_captures(layout.captures("churn") / "AllTraffic", records, name=f"00-00-{part:03d}")


def labelled(layout: Layout, which: range, *, hour: int = 0, collected: datetime | None = None) -> None:
    """Labels of some of an hour's predictions in a file of their own."""
    found = {f"h{hour}-{n}": str(int(SCORES[n] > 0.6)) for n in which}
    moment = collected or START + hour * HOUR + timedelta(minutes=30)
    write_labels(layout.labels("churn"), found, collected=moment, name=f"{moment:%M-%S}-000-{uuid4().hex}")


def schedules(store: Store, *names: str, **options: Any) -> None:
    """Hourly schedules of these monitors, each called as its monitor."""
    with store.write() as db:
        for name in names or ("model-quality", "data-quality"):
            given = {"probability_attribute": "0", "minimum_sample": 1} if name == "model-quality" else {}
            create_schedule(
                db, name=name, endpoint="churn", cron="0 * * * *", problem_type="BinaryClassification", monitor=name,
                attributes=given, now=START, **options,
            )  # fmt: skip


Make = Callable[[str], Machine]
