"""Schedules that read captures and labels of buckets and write what they found there: folders, and a real server."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.core.errors import InputError
from driftline.core.uris import object_uri
from driftline.core.window import HOUR, Window
from driftline.jobs import fetching
from driftline.jobs.executions import Worker
from driftline.jobs.fetching import fetch_hours
from driftline.jobs.late_labels import LateLabels
from driftline.jobs.places import places_of
from driftline.jobs.planning import plan_due, revise
from driftline.jobs.schedules import create_schedule
from driftline.pipeline import run_monitor
from driftline.resources.executions import Execution
from driftline.storage import schedules
from driftline.storage.buckets import open_objects
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.testing import START, capture, write_captures, write_labels

TOMORROW = START + timedelta(hours=26)


@pytest.fixture
def kind() -> str:
    """What is read and written here is the same whatever the database is."""
    return "sqlite"


@pytest.fixture(params=["folder", "server"])
def lake(request: pytest.FixtureRequest, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a new bucket, in the data folder or behind a server; its name is that of the bucket."""
    name = f"lake-{abs(hash(layout.data)):x}"
    monkeypatch.delenv("DRIFTLINE_S3_ENDPOINT", raising=False)
    root = layout.data / "s3"
    if request.param == "server":
        server = request.getfixturevalue("bucket_server")
        for variable, value in server.environment.items():
            monkeypatch.setenv(variable, value)
        root = server.folder
    (root / name).mkdir(parents=True)
    return root / name


def until(condition: Callable[[], bool]) -> None:
    """A server may answer for some milliseconds from what it remembers of a folder."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        threading.Event().wait(0.01)


def schedule(store: Store, name: str, monitor: str, attributes: dict[str, Any], **options: Any) -> None:
    given = {"probability_attribute": 0, "minimum_sample": 1} if monitor == "model-quality" else {}
    with store.write() as db:
        create_schedule(
            db, name=name, endpoint="churn", cron="0 * * * *", problem_type="BinaryClassification", monitor=monitor,
            attributes=given | attributes, now=START, **options,
        )  # fmt: skip


def judged(store: Store, layout: Layout, hour: int = 1) -> dict[str, Execution]:
    now = START + hour * HOUR
    plan_due(store, layout, now)
    worker = Worker(store, layout, run_monitor, now.timestamp, owner="w")
    found = {}
    while (one := worker.run_next()) is not None:
        found[one.schedule] = one
    return found


def predictions(folder: Path, count: int = 40, hour: int = 0) -> None:
    scores = np.linspace(0.01, 0.99, count)
    records = [
        capture(f"{score:.3f}", f"h{hour}-{n}", time=START + hour * HOUR + timedelta(seconds=n))
        for n, score in enumerate(scores)
    ]
    write_captures(folder / "Blue", records, name=f"h{hour}")


def truths(folder: Path, count: int = 40, hour: int = 0, *, after: int = 0) -> None:
    labels = {f"h{hour}-{n}": str(int(n % 3 == 0)) for n in range(after, count)}
    write_labels(folder, labels, collected=START + hour * HOUR + timedelta(minutes=5 + after))


def test_captures_and_labels_are_read_and_results_written(store: Store, layout: Layout, lake: Path) -> None:
    predictions(lake / "captured" / "churn")
    predictions(lake / "captured" / "churn", hour=5)
    truths(lake / "truths", 30)
    root = f"s3://{lake.name}"
    places = {"captures": f"{root}/captured/churn/", "labels": f"{root}/truths", "output": f"{root}/found/here/"}
    schedule(store, "quality", "model-quality", places)
    schedule(store, "columns", "data-quality", places)
    found = judged(store, layout)
    assert {name: (one.status, one.item_count) for name, one in found.items()} == {
        "quality": ("Completed", 30), "columns": ("Completed", 40),
    }, found  # fmt: skip
    for name, keys in (("quality", {"binary_classification_metrics"}), ("columns", {"features"})):
        hour = lake / "found/here/churn" / name / "2026/11/22/11"
        assert {path.name for path in hour.iterdir()} == {
            "statistics.json", "constraint_violations.json", "report.html",
        }  # fmt: skip
        assert json.loads((hour / "constraint_violations.json").read_text()) == {"violations": []}
        assert keys <= json.loads((hour / "statistics.json").read_text()).keys()
    (merged,) = (lake / "found/here/merge/churn").rglob("*.jsonl")
    assert merged.parent == lake / "found/here/merge/churn/Blue/2026/11/22/10"
    assert merged.name.startswith("part-00000-")
    assert merged.name.endswith(".c000.jsonl")
    lines = [json.loads(line) for line in merged.read_text().splitlines()]
    assert len(lines) == 30
    assert {line["groundTruthData"]["data"] for line in lines} == {"0", "1"}
    assert not list(layout.data.glob("cache/s3/*/captured/churn/Blue/2026/11/22/15"))


def test_another_revision_takes_the_place_of_the_files(store: Store, layout: Layout, lake: Path) -> None:
    predictions(lake / "c")
    truths(lake / "t", 20)
    places = {"captures": f"s3://{lake.name}/c", "labels": f"s3://{lake.name}/t", "output": f"s3://{lake.name}/o"}
    schedule(store, "quality", "model-quality", places)
    judged(store, layout)
    truths(lake / "t", 40, after=20)
    late = LateLabels(store, layout)
    (again,) = late.look(START + HOUR + timedelta(minutes=10))
    assert again.cause == "late_labels"
    assert judged(store, layout)["quality"].item_count == 40
    (merged,) = (lake / "o/merge/churn").rglob("*.jsonl")
    assert len(merged.read_text().splitlines()) == 40


def test_nothing_there_is_no_data_and_no_failure(store: Store, layout: Layout, lake: Path) -> None:
    schedule(store, "columns", "data-quality", {"captures": f"s3://{lake.name}/nowhere"})
    schedule(store, "quality", "model-quality", {"captures": f"s3://{lake.name}/nowhere"})
    for one in judged(store, layout).values():
        assert (one.status, [reason.code for reason in one.reasons]) == ("Completed", ["no_captures"])
    assert list(lake.iterdir()) == []


def test_two_folders_of_one_endpoint_keep_apart_what_is_kept(store: Store, layout: Layout, lake: Path) -> None:
    predictions(lake / "a", 40)
    predictions(lake / "b", 30)
    predictions(layout.captures("churn"), 20)
    for name, attributes in (("a", {"captures": f"s3://{lake.name}/a"}), ("b", {"captures": f"s3://{lake.name}/b"}),
                             ("own", {})):  # fmt: skip
        schedule(store, name, "data-quality", attributes)
    assert {name: one.item_count for name, one in judged(store, layout).items()} == {"a": 40, "b": 30, "own": 20}
    for name in ("a", "b", "own"):
        with store.write() as db:
            revise(db, layout, schedules.get(db, name), Window(START, START + HOUR), TOMORROW)
    again = judged(store, layout)
    assert {name: (one.item_count, one.counts["capture_files_read"]) for name, one in again.items()} == {
        "a": (40, 0), "b": (30, 0), "own": (20, 0),
    }  # fmt: skip


def test_a_link_to_the_endpoints_own_captures_is_the_same(
    store: Store, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRIFTLINE_S3_ENDPOINT", raising=False)
    link = layout.data / "s3" / "lake" / "churn"
    link.parent.mkdir(parents=True)
    layout.captures("churn").mkdir(parents=True)
    link.symlink_to(os.path.relpath(layout.captures("churn"), link.parent))
    schedule(store, "columns", "data-quality", {"captures": "s3://lake/churn"})
    with store.read() as db:
        places = places_of(layout, schedules.get(db, "columns"))
    assert (places.captures, places.decoded) == (layout.captures("churn"), layout.decoded("churn"))


def test_only_what_changed_is_fetched_again(layout: Layout, lake: Path, tmp_path: Path) -> None:
    predictions(lake / "c")
    predictions(lake / "c", hour=1)
    objects, into = open_objects(layout), tmp_path / "into"
    window, prefix = Window(START, START + 2 * HOUR), object_uri(f"s3://{lake.name}/c")

    def fetched() -> int:
        return fetch_hours(objects, prefix, window, into, lambda: None)

    assert (fetched(), fetched()) == (2, 0)
    predictions(lake / "c", 10, hour=1)
    until(lambda: fetched() == 1)
    (gone,) = (lake / "c").rglob("10/*.jsonl")
    gone.unlink()
    until(lambda: fetched() == 0 and [path.parent.name for path in into.rglob("*.jsonl")] == ["11"])


def test_too_much_is_refused(layout: Layout, lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictions(lake / "c")
    monkeypatch.setattr(fetching, "MOST_BYTES", 100)
    with pytest.raises(InputError, match="too much below"):
        fetch_hours(
            open_objects(layout), object_uri(f"s3://{lake.name}/c"), Window(START, START + HOUR), tmp_path, lambda: None
        )


def test_results_that_cannot_be_written_fail_the_run(
    store: Store, layout: Layout, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lake / "taken").write_text("a file where a folder is wanted")
    schedule(store, "columns", "data-quality", {"output": f"s3://{lake.name}/taken"})
    predictions(layout.captures("churn"))
    if "DRIFTLINE_S3_ENDPOINT" in os.environ:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    found = judged(store, layout)["columns"]
    assert found.status == "Failed"
    assert found.message is not None
    assert found.message.startswith(f"Failed: cannot write s3://{lake.name}/taken/churn/columns/2026/11/22/11/")


def test_what_is_no_address_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="names no object"):
        schedule(store, "columns", "data-quality", {"output": "./here"})
