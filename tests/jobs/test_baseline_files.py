"""Baselines in a bucket: what is replaced there counts from the next run on; what was edited here stays till then."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driftline.core.uris import object_uri
from driftline.core.window import HOUR
from driftline.jobs.executions import Worker
from driftline.jobs.planning import plan_due
from driftline.jobs.schedules import create_schedule
from driftline.pipeline import run_monitor
from driftline.resources.executions import Execution
from driftline.storage import baseline_versions, baselines, schedules
from driftline.storage.baseline_versions import Edit
from driftline.storage.buckets import open_objects
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.testing import START, capture, write_captures

FILE = "s3://lake/baseline/constraints.json"


@pytest.fixture
def kind() -> str:
    """What is read here is the same whatever the database is."""
    return "sqlite"


def constraints(*features: str) -> bytes:
    """Constraints of some features; of the columns that come there is no other."""
    listed = [{"name": name, "inferred_type": "Fractional", "completeness": 1.0} for name in features]
    return json.dumps({"version": 0.0, "features": listed}).encode()


@pytest.fixture
def judged(store: Store, layout: Layout) -> Any:
    """Runs the next hour of a schedule that names its baseline's file."""
    places = list(range(1, 9))
    captured = [
        capture("0.5", f"e{hour}-{row}", time=START + hour * HOUR - HOUR / 2, request="1.5,2.5")
        for hour in places
        for row in range(40)
    ]
    write_captures(layout.captures("churn"), captured)
    with store.write() as db:
        create_schedule(
            db, name="hourly", endpoint="churn", cron="0 * * * *", problem_type="BinaryClassification",
            monitor="data-quality", attributes={"constraints": FILE, "minimum_sample": 1}, now=START,
        )  # fmt: skip

    def run() -> Execution:
        now = START + places.pop(0) * HOUR
        plan_due(store, layout, now)
        ended = Worker(store, layout, run_monitor, now.timestamp, owner="w").run_next()
        assert ended is not None
        return ended

    return run


def test_a_file_is_taken_over_when_it_is_another(store: Store, layout: Layout, judged: Any) -> None:
    objects = open_objects(layout)
    missing = judged()
    assert (missing.status, "No S3 objects found" in str(missing.message)) == ("Failed", True)
    objects.write(object_uri(FILE), constraints("_c0", "_c1", "_c2"))
    assert judged().status == "Completed"
    objects.write(object_uri(FILE), constraints("_c0", "_c1", "_c2", "gone"))
    assert judged().status == "CompletedWithViolations"
    with store.read() as db:
        assert schedules.get(db, "hourly").baseline == "hourly-baseline"
        assert [row.version for row in baseline_versions.listing(db, "hourly-baseline")] == [2, 1]


def test_what_is_edited_here_counts_until_the_file_changes(store: Store, layout: Layout, judged: Any) -> None:
    objects = open_objects(layout)
    objects.write(object_uri(FILE), constraints("_c0", "_c1", "_c2", "gone"))
    assert judged().status == "CompletedWithViolations"
    with store.write() as db:
        stored = baselines.get(db, "hourly-baseline")
        edited = baselines.Baseline(stored.name, stored.monitor, b"{}", constraints("_c0", "_c1", "_c2"), START)
        baselines.put(db, edited, Edit(START, "somebody", "the column is no more"))
    assert judged().status == "Completed"
    objects.write(object_uri(FILE), constraints("_c0", "_c1", "_c2", "gone", "too"))
    assert judged().status == "CompletedWithViolations"


def test_a_broken_file_fails_the_run_and_says_where(store: Store, layout: Layout, judged: Any) -> None:
    open_objects(layout).write(object_uri(FILE), b'{"features": 3}')
    ended = judged()
    assert (ended.status, FILE in str(ended.error)) == ("Failed", True)
    with store.read() as db:
        assert schedules.get(db, "hourly").baseline is None
