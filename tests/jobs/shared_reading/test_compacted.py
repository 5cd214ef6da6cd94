"""Hours that one node compacted, read by others; their originals go from the store."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from driftline.core.window import HOUR, Window
from driftline.jobs import retention
from driftline.jobs.compaction import Compactor
from driftline.jobs.planning import run_now
from driftline.jobs.retention import run_retention
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.storage import endpoints, retention_rows
from driftline.testing import START, FakeClock
from tests.jobs.shared_reading.fleet import Machine, Make, labelled, schedules


@pytest.fixture
def kind() -> str:
    """Objects and files are the same whatever the database is."""
    return "sqlite"


def again(node: Machine, clock: FakeClock) -> dict[str, tuple[int | None, int]]:
    """The window once more on a node: how many rows were judged, and how many files were read."""
    for name in ("data-quality", "model-quality"):
        with node.store.write() as db:
            run_now(db, node.layout, name, now=clock.moment, window=Window(START, START + HOUR))
    found = [run for run in node.run() if run.window_start == START]
    return {run.schedule: (run.item_count, run.counts["capture_files_read"]) for run in found}


def test_a_compacted_hour_is_read_by_other_nodes_once_its_originals_are_gone(
    machines: Make, clock: FakeClock, bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c = machines("a"), machines("b"), machines("c")
    schedules(a.store)
    with a.store.write() as db:
        endpoints.create(db, "churn", model_path="", model=ModelDescription(), capture=CaptureSettings(), now=START)
        retention_rows.put(db, "churn", {"originals": "PT1H"})
    a.capture(*range(8), of=8)
    labelled(a.layout, range(200))
    a.ship()
    wanted = {run.schedule: run.item_count for run in a.run()}
    clock.advance(timedelta(hours=7))
    lease = timedelta(minutes=1)
    compactor = Compactor(
        a.store, a.layout, clock, owner="a", real=a.real, lease=lease, shared=lambda _: a.shared, monotonic=a.real
    )
    assert compactor.work(threading.Event()) == 1
    hour = bucket / "fleet" / "captures/churn/AllTraffic/2026/11/22/10"
    assert sorted(path.suffix for path in hour.iterdir()) == [".jsonl"] * 8 + [".parquet"]
    # It is another file, and no other captures: nothing is judged again, and what was kept serves.
    assert (a.late(), b.late()) == ([], [])
    a.tell(clock.moment)
    assert again(b, clock) == {name: (count, 0) for name, count in wanted.items()}
    monkeypatch.setattr(retention, "ORIGINALS_GRACE", timedelta(seconds=-60))
    report = run_retention(a.store, a.layout, clock.moment, shared=a.shared)
    assert [one.skipped for one in report.removed] == [(), ()]
    assert [path.suffix for path in hour.iterdir()] == [".parquet"]
    shutil.rmtree(bucket / "fleet/pieces")
    found = again(c, clock)
    assert {name: count for name, (count, _) in found.items()} == wanted
    assert sum(files for _, files in found.values()) == 1
    assert not list(c.layout.captures("churn").rglob("*.jsonl"))
