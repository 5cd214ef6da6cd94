"""What is kept no longer goes from the store as well, and from every node's disk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from driftline.core.window import HOUR, Window, partition
from driftline.jobs.planning import run_now
from driftline.jobs.retention import run_daily, run_retention, sweep_here
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.storage import arrivals, endpoints, retention_rows
from driftline.testing import START, FakeClock
from tests.faults import FaultProxy
from tests.jobs.shared_reading.fleet import Machine, Make, schedules

DAY = timedelta(days=1)
ROOTS = ("captures/churn/AllTraffic", "labels/churn", "pieces/churn/0f3a", "reports/churn/hourly")


@pytest.fixture
def kind() -> str:
    """Objects and files are the same whatever the database is."""
    return "sqlite"


def fill(node: Machine, days: int = 4) -> None:
    """A file for every sixth hour of some days."""
    sent = []
    for root in ROOTS:
        for number in range(0, days * 24, 6):
            path = node.layout.data / root / partition(START - number * HOUR) / "a.jsonl"
            path.parent.mkdir(parents=True)
            path.write_text("{}\n")
            sent.append(path)
    node.shared.send(*sent)
    with node.store.write() as db:
        hours = [START - number * HOUR for number in range(0, days * 24, 6)]
        arrivals.add(db, "churn", "captures", hours)
        arrivals.add(db, "churn", "labels", hours)


def keep(node: Machine, **lengths: str) -> None:
    with node.store.write() as db:
        endpoints.create(
            db, "churn", model_path="models/churn/aa/model.json", model=ModelDescription(), capture=CaptureSettings(),
            now=START,
        )  # fmt: skip
        retention_rows.put(db, "churn", lengths)


def counts(folder: Path) -> list[int]:
    return [len(list((folder / root).rglob("*.jsonl"))) for root in ROOTS]


def test_old_hours_go_from_the_store_and_from_every_disk(machines: Make, bucket: Path) -> None:
    a, b = machines("a"), machines("b")
    keep(a, captures="P1D", labels="P2D", merged="P1D", reports="P1D")
    fill(a)
    for root in ROOTS:
        b.shared.have_folder(b.layout.data / root)
    store = bucket / "fleet"
    assert counts(store) == counts(b.layout.data) == [16, 16, 16, 16]
    tried = run_retention(a.store, a.layout, START, dry_run=True, shared=a.shared)
    assert counts(store) == [16, 16, 16, 16]
    report = run_daily(b.store, b.layout, START, b.shared)
    assert report is not None
    assert run_daily(a.store, a.layout, START, a.shared) is None
    assert counts(store) == counts(b.layout.data) == [5, 9, 5, 5]
    assert tried.files == 2 * (11 + 7 + 11 + 11)
    assert not [one.skipped for one in report.removed if one.skipped]
    # The disk of the other node is its own affair; nothing there is taken for new.
    assert counts(a.layout.data) == [16, 16, 16, 16]
    assert sweep_here(a.store, a.layout, START).files == 11 + 7 + 11 + 11
    assert counts(a.layout.data) == [5, 9, 5, 5]
    with a.store.read() as db:
        found = [
            len(arrivals.hours(db, "churn", kind, START - 9 * DAY, START + HOUR)) for kind in ("captures", "labels")
        ]  # type: ignore[arg-type]
    assert found == [5, 9]


def test_what_a_run_still_needs_stays(machines: Make, bucket: Path, clock: FakeClock) -> None:
    a = machines("a")
    keep(a, captures="P1D", labels="P1D")
    fill(a)
    schedules(a.store, "data-quality")
    with a.store.write() as db:
        run_now(db, a.layout, "data-quality", now=clock.moment, window=Window(START - 2 * DAY, START - DAY))
    report = run_retention(a.store, a.layout, START, shared=a.shared)
    assert [one.held for one in report.removed if one.kind in ("captures", "labels")] == [True, True]
    assert counts(bucket / "fleet")[:2] == [9, 13]


def test_models_that_no_endpoint_uses_go_when_they_are_old(
    machines: Make, bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = machines("a")
    keep(a)
    for name in ("aa", "bb"):
        path = a.layout.model("churn") / name / "model.json"
        path.parent.mkdir(parents=True)
        path.write_text("{}")
        a.shared.send(path)
    run_retention(a.store, a.layout, START, shared=a.shared)
    left = {path.parent.name for path in (bucket / "fleet/models").rglob("model.json")}
    assert left == {"aa", "bb"}  # a younger one may be of a deployment under way
    monkeypatch.setattr("driftline.jobs.retention.MODEL_GRACE", timedelta(days=-1))
    run_retention(a.store, a.layout, START, shared=a.shared)
    assert {path.parent.name for path in (bucket / "fleet/models").rglob("model.json")} == {"aa"}


def test_without_the_store_the_clean_up_says_so_and_goes_on(machines: Make, faulty: FaultProxy) -> None:
    a = machines("a")
    keep(a, captures="P1D")
    fill(a)
    faulty.fault = "unavailable"
    report = run_retention(a.store, a.layout, START, shared=a.shared)
    (captures,) = [one for one in report.removed if one.kind == "captures"]
    assert "cannot list s3://" in captures.skipped[0]
    assert captures.files == 11
    faulty.fault = None
    assert run_retention(a.store, a.layout, START, shared=a.shared).files == 11
