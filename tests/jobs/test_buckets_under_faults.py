"""Runs that read and write buckets whose network breaks: whole files or none, results once, and causes with names."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from driftline.core.errors import ServiceError
from driftline.core.uris import ObjectUri, object_uri
from driftline.core.window import HOUR, Window
from driftline.jobs.baselines.staging import staged_dataset
from driftline.jobs.executions import Worker
from driftline.jobs.fetching import Buckets, fetch_hours
from driftline.jobs.planning import plan_due
from driftline.jobs.schedules import create_schedule
from driftline.pipeline import run_monitor
from driftline.resources.baseline_jobs import TableFormat
from driftline.resources.executions import Execution
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.storage.remote.trying import Patience
from driftline.storage.remote_objects import RemoteObjects
from driftline.testing import START, capture, write_captures, write_labels

pytestmark = pytest.mark.long
SHORT = Patience(connect=1, silence=5, request=10, total=0.15, first=0.01, most=0.03)
LONG = SHORT._replace(total=10)


@pytest.fixture
def kind() -> str:
    """What is read and written here is the same whatever the database is."""
    return "sqlite"


@pytest.fixture
def way(faulty_bucket: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in faulty_bucket.environment.items():
        monkeypatch.setenv(name, value)
    return faulty_bucket


@pytest.fixture
def lake(way: Any) -> ObjectUri:
    """A new bucket with captures of four hours and labels of the first."""
    uri = object_uri(f"s3://lake-{uuid4().hex[:12]}/")
    folder = way.folder / uri.bucket
    for hour in range(4):
        times = [START + hour * HOUR + timedelta(seconds=n) for n in range(40)]
        records = [capture(f"{n / 40:.3f}", f"h{hour}-{n}", time=time) for n, time in enumerate(times)]
        write_captures(folder / "c" / "Blue", records, name=f"h{hour}")
    write_labels(folder / "t", {f"h0-{n}": str(n % 2) for n in range(40)}, collected=START + timedelta(minutes=5))
    return uri


@pytest.mark.parametrize("fault", ["reset", "torn", "unavailable"])
def test_hours_are_had_whole_or_not_at_all(way: Any, lake: ObjectUri, tmp_path: Path, fault: Any) -> None:
    window, into = Window(START, START + 4 * HOUR), tmp_path / "into"
    objects = RemoteObjects(way.url, SHORT)

    def had() -> int:
        return fetch_hours(objects, lake / "c", window, into, lambda: None)

    way.fault = fault
    with pytest.raises(ServiceError, match="cannot list"):
        had()
    way.fault = None
    assert had() == 4
    expected = {path.name: path.read_bytes() for path in (way.folder / lake.bucket / "c").rglob("*.jsonl")}
    assert {path.name: path.read_bytes() for path in into.rglob("*.jsonl")} == expected
    (gone, *rest) = sorted(into.rglob("*.jsonl"))
    gone.unlink()
    here = {path: path.stat().st_mtime_ns for path in rest}
    listed = way.seen["requests"]
    assert had() == 1
    listed = way.seen["requests"] - listed - 1
    gone.unlink()
    # The listings pass, and then nothing does.
    way.only = "GET"
    passing = iter([None] * listed)

    def ask() -> None:
        if next(passing, "over") == "over":
            way.fault = fault

    with pytest.raises(ServiceError, match=r"cannot (read|list)"):
        fetch_hours(objects, lake / "c", window, into, ask)
    assert {path: path.stat().st_mtime_ns for path in into.rglob("*") if path.is_file()} == here
    way.fault = None
    assert had() == 1
    assert {path.name: path.read_bytes() for path in into.rglob("*.jsonl")} == expected


def judged(store: Store, layout: Layout, objects: RemoteObjects, lake: ObjectUri) -> Execution:
    """A run that reads captures and labels of a bucket and writes there what it found."""
    attributes = {name: str(lake / part) for name, part in (("captures", "c"), ("labels", "t"), ("output", "o"))}
    with store.write() as db:
        create_schedule(
            db, name="quality", endpoint="churn", cron="0 * * * *", problem_type="BinaryClassification",
            monitor="model-quality", now=START,
            attributes={"probability_attribute": 0, "minimum_sample": 1} | attributes,
        )  # fmt: skip
    plan_due(store, layout, START + HOUR)
    worker = Worker(store, layout, run_monitor, (START + HOUR).timestamp, owner="w")
    buckets = Buckets(layout)
    buckets._objects = objects
    worker._buckets = buckets
    found = worker.run_next()
    assert found is not None
    return found


@pytest.mark.parametrize("fault", ["reset", "half", "lost", "torn", "unavailable"])
def test_a_run_does_not_notice_what_passes(store: Store, layout: Layout, way: Any, lake: ObjectUri, fault: Any) -> None:
    objects = RemoteObjects(way.url, LONG)
    for method in ("GET", "PUT"):
        way.only = method
        way.fail(fault, 3)
        if method == "GET":
            fetch_hours(objects, lake / "c", Window(START, START + HOUR), layout.data / "aside", lambda: None)
    found = judged(store, layout, objects, lake)
    assert (found.status, found.item_count) == ("Completed", 40), found.error
    assert way.seen[fault] >= 4
    output = way.folder / lake.bucket / "o"
    (merged,) = (output / "merge" / "churn").rglob("*.jsonl")
    assert len(merged.read_text().splitlines()) == 40
    names = {path.name for path in (output / "churn" / "quality").rglob("*") if path.is_file()}
    assert names == {"statistics.json", "constraint_violations.json", "report.html"}
    (statistics,) = output.rglob("statistics.json")
    assert json.loads(statistics.read_text())


@pytest.mark.parametrize(
    ("fault", "only", "message"),
    [
        ("refuse", "", "cannot list s3://LAKE/c: http://ADDRESS refused the connection"),
        ("unavailable", "PUT", "cannot write s3://LAKE/o/churn/quality/"),
        ("expired", "", "cannot list s3://LAKE/c: the keys have expired"),
    ],
)
def test_a_run_that_fails_says_why(
    store: Store, layout: Layout, way: Any, lake: ObjectUri, fault: Any, only: str, message: str
) -> None:
    way.fault, way.only = fault, only
    found = judged(store, layout, RemoteObjects(way.url, SHORT), lake)
    assert found.status == "Failed"
    wanted = message.replace("LAKE", lake.bucket).replace("http://ADDRESS", way.url)
    assert str(found.message).startswith(f"Failed: {wanted}".rstrip("/")), found.message
    if only:
        assert "is not available for now" in str(found.message)
    told = f"{found.message}{found.error}{found.trace}{found.reasons}"
    assert way.environment["AWS_SECRET_ACCESS_KEY"] not in told
    assert not list((way.folder / lake.bucket).glob("o/**/statistics.json"))


def test_inputs_of_batch_jobs_are_staged_whole(way: Any, lake: ObjectUri, tmp_path: Path) -> None:
    (way.folder / lake.bucket / "in").mkdir()
    content = b"a,b\n" + b"1,2\n" * 50_000
    (way.folder / lake.bucket / "in" / "x.csv").write_bytes(content)
    way.only = "GET"
    way.fail("torn", 2)
    staged = staged_dataset(
        RemoteObjects(way.url, LONG), str(lake / "in/x.csv"), TableFormat(kind="csv"), tmp_path / "a"
    )
    assert [path.read_bytes() for path in staged.iterdir()] == [content]
    way.fault = "torn"
    with pytest.raises(ServiceError, match="was reset on the way"):
        staged_dataset(RemoteObjects(way.url, SHORT), str(lake / "in/x.csv"), TableFormat(kind="csv"), tmp_path / "b")
    assert not list((tmp_path / "b").glob("*"))
