"""Services of two nodes on one database and one bucket: models, reports and what pages say of data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import xgboost

from driftline.core.errors import NotFoundError, ServiceError, UnreachableError
from driftline.core.uris import object_uri
from driftline.core.window import HOUR, Window
from driftline.jobs.executions import Worker
from driftline.jobs.shared import Shared
from driftline.pipeline import run_monitor
from driftline.resources.executions import Execution
from driftline.service import Service, shared_files
from driftline.service.dashboard.analyses import analysis_of
from driftline.service.dashboard.data import facts, hour_lines
from driftline.service.dashboard.data_answers import answers
from driftline.service.dashboard.run_files import report_file, report_files, run_log
from driftline.serving.endpoints import Registry
from driftline.serving.runtime import load_model
from driftline.storage import arrivals
from driftline.storage.layout import Layout
from driftline.storage.remote.trying import Patience
from driftline.storage.remote_objects import RemoteObjects
from driftline.testing import START, FakeClock, capture, write_captures
from tests.conftest import FaultyBucket

Make = Callable[[str], Service]


@pytest.fixture
def kind() -> str:
    """What services have of one another is files."""
    return "sqlite"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "model.json"
    rows = np.random.default_rng(7).normal(size=(100, 3)).astype(np.float32)
    data = xgboost.DMatrix(rows, (rows[:, 0] > 0).astype(int))
    xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 2}, data, 3).save_model(path)
    return path.read_bytes()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START + HOUR)


@pytest.fixture
def nodes(
    database: str, faulty_bucket: FaultyBucket, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    """Makes services by the names of their nodes. They ask the bucket again for a moment only."""
    bucket = f"nodes-{uuid4().hex}"
    (faulty_bucket.folder / bucket).mkdir()
    store = f"s3://{bucket}/fleet"
    for variable, value in (faulty_bucket.environment | {"DRIFTLINE_STORE": store}).items():
        monkeypatch.setenv(variable, value)

    def shared(layout: Layout) -> Shared:
        objects = RemoteObjects(faulty_bucket.url, Patience(total=0.3, first=0.05, most=0.1))
        return Shared(layout, objects, object_uri(store))

    monkeypatch.setattr("driftline.service.wiring.open_shared", shared)
    monkeypatch.setattr(shared_files, "AGAIN", 0.2)
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(Service(tmp_path / name, clock=clock, database=database))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def judged(service: Service) -> Execution:
    """A run of data quality on a node that captured an hour."""
    records = [
        capture(f"{number / 50}", f"e{number}", time=START + timedelta(seconds=number), request=f"{number},1")
        for number in range(50)
    ]
    write_captures(service.layout.captures("churn") / "AllTraffic", records)
    service.create_schedule("columns", endpoint="churn", cron="0 * * * *", monitor="data-quality")
    service.run_schedule("columns", Window(START, START + HOUR))
    worker = Worker(service.store, service.layout, run_monitor, service.clock, owner="w", shared=service.shared)
    with service.store.write() as db:
        from driftline.core.records import utc
        from driftline.storage import nodes as rows
        from driftline.storage.clock import system_clock

        rows.tell(db, rows.Node("a", "1", START, utc(system_clock()), START + HOUR))
    run = worker.run_next()
    assert run is not None
    assert run.status == "Completed", run
    return run


def test_a_model_that_one_node_was_given_serves_at_the_others(
    nodes: Make, model: bytes, faulty_bucket: FaultyBucket
) -> None:
    a, b = nodes("a"), nodes("b")
    faulty_bucket.fault = "refuse"
    with pytest.raises(UnreachableError, match="the model was not deployed: cannot write s3://"):
        a.deploy("churn", "model.json", model)
    assert a.list_endpoints() == []
    faulty_bucket.fault = None
    a.deploy("churn", "model.json", model)
    registry = Registry(b.served, lambda path: load_model(b.have_model(path)))
    registry.refresh()
    until(lambda: b.models_came() or registry.get("churn").model is not None)  # type: ignore[union-attr]
    registry.refresh()
    (first,) = registry.endpoints()
    assert first.failure is None
    assert first.model is not None
    # Another model that the node cannot get: the old one goes on serving, and it is said why.
    a.deploy("churn", "model.json", model + b" ")
    faulty_bucket.fault = "refuse"
    registry.refresh()
    (second,) = registry.endpoints()
    assert second.model is first.model
    assert isinstance(second.failure, UnreachableError)
    assert second.failure.what.startswith("cannot read s3://")
    faulty_bucket.fault = None
    until(b.models_came)
    registry.refresh()
    until(lambda: registry.endpoints()[0].failure is None or (b.models_came() and bool(registry.refresh())))
    (third,) = registry.endpoints()
    assert third.loaded == b.layout.data / a.get_endpoint("churn").model_path
    assert third.model is not first.model


def test_reports_of_other_nodes_are_had_on_demand(nodes: Make, faulty_bucket: FaultyBucket) -> None:
    a, b = nodes("a"), nodes("b")
    a.register_endpoint("churn")
    run = judged(a)
    faulty_bucket.fault = "refuse"
    assert report_files(b, run) == []
    assert "are in the store" in run_log(b, run).text
    assert any("are in the store" in note for note in analysis_of(b, run.id).notes)
    with pytest.raises(ServiceError, match="cannot list s3://"):
        report_file(b, run, "report.html")
    # Who made it has it.
    assert report_file(a, run, "report.html").exists()
    faulty_bucket.fault = None
    until(lambda: bool(report_files(b, run)))
    assert report_files(b, run) == report_files(a, run)
    assert report_file(b, run, "report.html").read_bytes() == report_file(a, run, "report.html").read_bytes()
    assert analysis_of(b, run.id).notes == analysis_of(a, run.id).notes
    asked = faulty_bucket.seen["requests"]
    assert report_files(b, run)
    assert faulty_bucket.seen["requests"] == asked


def test_scripts_go_to_every_node_and_logs_come_back(nodes: Make) -> None:
    a, b = nodes("a"), nodes("b")
    a.keep_script("clean.py", b"one")
    assert b.shared is not None
    b.shared.have_folder(b.layout.data / "scripts")
    assert b.layout.script("clean.py").read_bytes() == b"one"
    a.forget_script("clean.py")
    with pytest.raises(NotFoundError):
        b.shared.have(b.layout.script("other.py"))


def test_pages_tell_what_this_node_has_and_what_the_store_has(nodes: Make, clock: FakeClock) -> None:
    a, b = nodes("a"), nodes("b")
    a.register_endpoint("churn")
    judged(a)
    window = Window(START, START + HOUR)
    with a.store.write() as db:
        arrivals.add(db, "churn", "captures", [START])
        arrivals.add(db, "churn", "labels", [START])

    def said(service: Service, question: str) -> tuple[str, str]:
        (found,) = [one for one in answers(facts(service, "churn", window)) if one.question == question]
        return found.state, found.evidence

    assert said(b, "Are there capture files?") == (
        "yes", "no file on this node; the store of all nodes has files of 1 hour",
    )  # fmt: skip
    assert said(a, "Are there capture files?")[1].endswith("; the store of all nodes has files of 1 hour")
    newest = next(line for line in hour_lines(b, "churn", START + HOUR) if line.hour == START)
    assert (newest.labels, newest.more) == (1, True)
