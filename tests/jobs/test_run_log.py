"""The log of a run in a process of its own: what it is of, its steps, and how it ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from driftline.jobs.executions import LOG, Worker
from driftline.jobs.isolation import Isolation, dated
from driftline.jobs.planning import plan_due
from driftline.jobs.schedules import create_schedule
from driftline.pipeline import run_monitor
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.testing import START, capture, write_captures


@pytest.fixture
def kind() -> str:
    """What is logged is the same whatever the database is."""
    return "sqlite"


def test_a_run_says_what_it_did(store: Store, layout: Layout) -> None:
    captured = [capture("0.5", f"e{row}", time=START + timedelta(minutes=30), request="1,2") for row in range(40)]
    write_captures(layout.captures("churn"), captured)
    with store.write() as db:
        create_schedule(
            db, name="hourly", endpoint="churn", cron="0 * * * *", problem_type="BinaryClassification",
            monitor="data-quality", now=START,
        )  # fmt: skip
    now = START + timedelta(hours=1)
    plan_due(store, layout, now)
    worker = Worker(store, layout, run_monitor, now.timestamp, owner="w", isolation=Isolation(dated))
    run = worker.run_next()
    assert run is not None
    first, *steps, last = (layout.data / run.report / LOG).read_text().splitlines()
    assert first == f"run {run.id} of hourly: {run.window}"
    assert len(steps) == len(run.steps)
    assert all(line.startswith(f"{step.name}: ") for line, step in zip(steps, run.steps, strict=True))
    assert last == run.message
