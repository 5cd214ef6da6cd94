"""Labels and captures that reach the store after their window was judged, seen by several schedulers."""

from __future__ import annotations

from datetime import timedelta

from driftline.core.window import HOUR
from driftline.jobs.schedules import create_schedule
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.storage import retention_rows
from driftline.storage.endpoints import create
from driftline.testing import START, FakeClock
from tests.jobs.shared_reading.fleet import Make, labelled, schedules


def test_labels_that_came_to_another_node_late_are_one_revision(machines: Make, clock: FakeClock) -> None:
    a, b, c = machines("a"), machines("b"), machines("c")
    schedules(a.store, "model-quality", rejudge_step=0.05)
    a.capture(0, 1, 2, 3)
    labelled(a.layout, range(60))
    a.ship()
    (first,) = a.run()
    assert first.item_count == 60
    assert (a.late(), c.late()) == ([], [])
    labelled(b.layout, range(60, 120), collected=clock.moment)
    b.ship()
    # The captures of its window are read nowhere for this: what was kept of its hour is enough.
    assert (c.late(), a.late()) == (["late_labels"], [])
    assert not list((c.layout.data / "captures").rglob("*.jsonl"))
    (again,) = c.run()
    assert (again.revision, again.item_count, again.counts["matched"]) == (2, 120, 120)
    # What was kept at the first node is older than that, and is not taken for the last word.
    assert (a.late(), b.late(), c.late()) == ([], [], [])
    labelled(a.layout, range(120, 122), collected=clock.moment)
    a.ship()
    assert (a.late(), c.late()) == ([], [])
    labelled(c.layout, range(122, 240), collected=clock.moment)
    c.ship()
    assert (a.late(), c.late()) == (["late_labels"], [])
    (last,) = a.run()
    assert last.counts["matched"] == 240


def test_files_of_an_hour_that_goes_on_do_not_judge_its_windows_again(machines: Make, clock: FakeClock) -> None:
    a, b = machines("a"), machines("b")
    with a.store.write() as db:
        create_schedule(
            db, name="often", endpoint="churn", cron="0/10 * * * *", monitor="data-quality",
            problem_type="BinaryClassification", attributes={}, now=START,
        )  # fmt: skip
    clock.set(START + timedelta(minutes=10))
    a.capture(0)
    a.ship()
    assert [run.item_count for run in b.run()] == [60]
    a.capture(1)
    a.ship()
    assert (a.late(), b.late()) == ([], [])


def test_a_window_whose_captures_may_be_gone_is_not_judged_by_what_came_late(machines: Make, clock: FakeClock) -> None:
    a, b = machines("a"), machines("b")
    with a.store.write() as db:
        create(db, "churn", model_path="", model=ModelDescription(), capture=CaptureSettings(), now=START)
        retention_rows.put(db, "churn", {"captures": "PT2H"})
    schedules(a.store, "data-quality", rejudge_step=0.0)
    a.capture(0, 1)
    a.ship()
    assert [run.item_count for run in a.run()] == [120]
    clock.advance(4 * HOUR)
    a.ship()
    a.run()
    b.capture(2, 3)
    b.ship()
    assert (a.late(), b.late()) == ([], [])
    assert not list((a.layout.data / "captures").rglob("00-00-002.jsonl"))
