"""Which runs read an hour, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from driftline.core.verdict import Reason, Verdict
from driftline.core.window import Window
from driftline.resources.executions import Execution, ExecutionStep, RejectedRecords
from driftline.resources.schedules import Schedule
from driftline.storage import capture_counts, executions, run_evidence, schedules
from driftline.storage.capture_counts import CaptureCounts
from driftline.storage.database import Store

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def schedule(endpoint: str) -> Schedule:
    return Schedule(
        endpoint, endpoint, "model-quality", "0 * * * *", "PT0S", "PT0S", None, "", {}, "active", TEN, TEN, None
    )


def run(store: Store, endpoint: str, window: Window, *, revision: int = 1, late: timedelta = HOUR) -> Execution:
    with store.write() as db:
        found = executions.add(
            db, schedule(endpoint), window, tick=window.start + late, revision=revision, report="r", now=TEN
        )
    assert found is not None
    return found


def test_the_runs_that_read_an_hour_are_found(store: Store) -> None:
    with store.write() as db:
        for name in ("a", "b"):
            schedules.add(db, schedule(name))
    hour, day = Window(TEN, TEN + HOUR), Window(TEN - 20 * HOUR, TEN + 4 * HOUR)
    first, second = run(store, "a", hour), run(store, "a", hour, revision=2)
    run(store, "a", Window(TEN - HOUR, TEN))
    run(store, "a", Window(TEN + HOUR, TEN + 2 * HOUR))
    whole = run(store, "a", day, late=25 * HOUR)
    other = run(store, "b", hour)
    with store.read() as db:
        # The tick of a long window is later than those within it.
        assert [one.id for one in run_evidence.overlapping(db, "a", hour, limit=9)] == [whole.id, second.id, first.id]
        assert [one.id for one in run_evidence.overlapping(db, "b", hour, limit=9)] == [other.id]
        assert len(run_evidence.overlapping(db, "a", day, limit=2)) == 2
        assert run_evidence.overlapping(db, "a", Window(TEN + 60 * HOUR, TEN + 61 * HOUR), limit=9) == []


def test_what_a_run_did_is_told_without_its_statistics(store: Store) -> None:
    with store.write() as db:
        schedules.add(db, schedule("a"))
    run(store, "a", Window(TEN, TEN + HOUR))
    outcome = executions.Outcome(
        "Completed",
        Verdict.UNKNOWN,
        "nothing",
        (Reason("no_labels", "no label"),),
        steps=(ExecutionStep("merge", 3, 0, 0.1),),
        counts={"matched": 0},
        statistics={"much": [1] * 1000},
        rejects=(RejectedRecords("captures", "not_json", 2, ("f:1: x",)),),
    )
    with store.write() as db:
        claimed = executions.claim(db, owner="o", now=TEN, real=TEN, lease=HOUR)
        assert claimed is not None
        assert executions.finish(db, claimed, outcome, TEN)
        found = run_evidence.evidence(db, claimed.id)
        assert found is not None
        assert (found.verdict, found.reasons, found.steps) == ("UNKNOWN", outcome.reasons, outcome.steps)
        assert (found.counts, found.rejects) == (outcome.counts, outcome.rejects)
        assert run_evidence.evidence(db, "none") is None


def test_the_last_hour_with_requests_is_known(store: Store) -> None:
    with store.write() as db:
        capture_counts.add(db, "a", TEN, CaptureCounts(captured=1))
        capture_counts.add(db, "a", TEN + HOUR, CaptureCounts(sampled_out=1))
        capture_counts.add(db, "a", TEN + 2 * HOUR, CaptureCounts())
        assert capture_counts.last_hour(db, "a", TEN + 9 * HOUR) == TEN + HOUR
        assert capture_counts.last_hour(db, "a", TEN + HOUR) == TEN
        assert capture_counts.last_hour(db, "a", TEN) is None
        assert capture_counts.last_hour(db, "b", TEN + 9 * HOUR) is None
