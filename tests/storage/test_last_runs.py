"""Which run of a schedule spoke last, on each kind of database, and at what cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from driftline.core.documents import Violation
from driftline.core.verdict import Verdict
from driftline.core.window import Window
from driftline.resources.alarms import Alarm, Transition
from driftline.resources.metrics import Series, point
from driftline.resources.mutes import Acknowledgement
from driftline.resources.schedules import Schedule
from driftline.storage import alarms, capture_counts, executions, last_runs, metrics, schedules
from driftline.storage.capture_counts import CaptureCounts
from driftline.storage.database import Store
from driftline.storage.executions import Outcome
from driftline.storage.open_alarms import alarms_of, open_alarms
from driftline.storage.recent_points import points_since, published_as
from driftline.storage.traffic import traffic_since

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOW = Violation(metric_name="f2", constraint_check_type="LessThanThreshold", description="d", value=0.4, threshold=0.6)
OK = Outcome("Completed", Verdict.OK, "fine", statistics={"curve": list(range(4000))}, counts={"matched": 3})
BAD = Outcome("CompletedWithViolations", Verdict.VIOLATED, "bad", violations=(LOW,))


def schedule(name: str, endpoint: str = "churn", **changes: Any) -> Schedule:
    times = {"created": NOW, "last_tick": NOW, "next_tick": NOW + HOUR}
    made = Schedule(
        name, endpoint, "bias", "0 * * * *", "PT0S", "PT0S", None, "BinaryClassification", {}, "active", **times
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def run(db: Any, own: Schedule, end: datetime, outcome: Outcome | None, revision: int = 1) -> str:
    added = executions.add(
        db, own, Window(end - HOUR, end), tick=end, revision=revision, report="reports/x", now=end
    )  # fmt: skip
    assert added is not None
    if outcome is not None:
        claimed = executions.claim(db, owner="w", now=end, real=end, lease=HOUR)
        assert claimed is not None
        assert executions.finish(db, claimed, outcome, end)
    return added.id


def test_the_last_that_ended_speaks_for_each_schedule(store: Store) -> None:
    first, second, silent = schedule("a"), schedule("b", "fraud"), schedule("c")
    with store.write() as db:
        for one in (first, second, silent):
            schedules.add(db, one)
        run(db, first, NOW - 2 * HOUR, OK)
        run(db, first, NOW - HOUR, OK)
        newest = run(db, first, NOW - HOUR, BAD, revision=2)
        other = run(db, second, NOW, OK)
        executions.stop(db, run(db, first, NOW, None), NOW)
        run(db, first, NOW + HOUR, None)
    with store.read() as db:
        found = last_runs.last_spoken(db)
        own = last_runs.last_spoken(db, endpoint="fraud")
    assert [(one.name, one.run, one.verdict, one.tick) for one in found] == [
        ("a", newest, "VIOLATED", NOW - HOUR),
        ("b", other, "OK", NOW),
        ("c", None, None, None),
    ]
    assert [one.name for one in own] == ["b"]


def test_it_is_one_statement_that_walks_the_index_of_ticks(store: Store) -> None:
    statement = str(last_runs._last_spoken(None).compile(store.engine, compile_kwargs={"literal_binds": True}))
    if store.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by how many rows there are")
    with store.read() as db:
        plan = " | ".join(row.detail for row in db.execute(text(f"EXPLAIN QUERY PLAN {statement}")))
    assert "SEARCH newest USING INDEX ix_executions_schedule_tick (schedule=?)" in plan
    assert "SCAN executions" not in plan
    assert "SCAN newest" not in plan


def test_what_runs_found_comes_newest_first_and_once_a_window(store: Store) -> None:
    own = schedule("a")
    with store.write() as db:
        schedules.add(db, own)
        old = run(db, own, NOW - HOUR, OK)
        run(db, own, NOW, OK)
        again = run(db, own, NOW, BAD, revision=2)
    with store.read() as db:
        lately = last_runs.lately(db, "a", 48)
        found = last_runs.found(db, [old, "none"])
        counts = last_runs.counted(db, "a", NOW - HOUR, 9)
        assert [one.id for one in last_runs.counted(db, "a", NOW, 9)] == [again]
        assert last_runs.found(db, []) == {}
    assert [one.id for one in lately] == [again, old]
    assert lately[0].violations == (LOW,)
    assert [(one.id, one.counts) for one in counts] == [(old, {"matched": 3}), (again, {})]
    assert found[old].counts == {"matched": 3}


def test_open_alarms_are_those_that_are_not_ok(store: Store) -> None:
    with store.write() as db:
        for number, (name, state) in enumerate([("fine", "OK"), ("quiet", "INSUFFICIENT_DATA"), ("loud", "ALARM")]):
            own = {"Endpoint": "churn", "MonitoringSchedule": "hourly"}
            alarms.put(db, name, Series("n", "f2", own), Alarm(name, "f2", "n", own, "LessThanThreshold", 0.5), NOW)
            change = Transition(name, name, "OK", state, NOW + number * HOUR, "why")  # type: ignore[arg-type]
            alarms.move(db, change)
        alarms.put(db, "other", Series("n", "f2", {"Endpoint": "CHURN"}), Alarm("other"), NOW)
        alarms.put(db, "tricky", Series("n", "f2", {"Endpoint": "%"}), Alarm("tricky"), NOW)
        alarms.acknowledge(db, "loud", Acknowledgement("ada", NOW, "mine"))
    with store.read() as db:
        told, number = open_alarms(db, 2)
        own_names = [[one.name for one in alarms_of(db, name, 9)] for name in ("churn", "%", "none")]
    assert [one.name for one in told] == ["loud", "quiet"]
    assert number == 4
    assert (told[0].acknowledged_by, told[0].endpoint, told[0].schedule) == ("ada", "churn", "hourly")
    assert own_names == [["loud", "quiet", "fine"], ["tricky"], []]


def test_traffic_is_summed_from_a_time_on(store: Store) -> None:
    with store.write() as db:
        for hours, number in ((30, 1000), (2, 5), (1, 7)):
            capture_counts.add(db, "churn", NOW - hours * HOUR, CaptureCounts(number, 1))
        capture_counts.add(db, "fraud", NOW, CaptureCounts(1))
    with store.read() as db:
        assert traffic_since(db, ["churn", "none"], NOW - 24 * HOUR) == {"churn": CaptureCounts(12, 2)}
        assert traffic_since(db, [], NOW) == {}


def test_points_of_a_series_keep_their_gaps(store: Store) -> None:
    series = Series("n", "ndcg", {"Endpoint": "churn", "Label": "yes"})
    with store.write() as db:
        entries = [(series, point(NOW + hour * HOUR, value, "r")) for hour, value in ((1, None), (0, 0.5), (-9, 1.0))]
        metrics.add(db, entries)
    with store.read() as db:
        keys = published_as(db, ["r"], ["ndcg", "f2"])
        assert list(keys) == [("r", "ndcg")]
        assert points_since(db, keys["r", "ndcg"][0], NOW) == [(NOW, 0.5), (NOW + HOUR, None)]
        assert published_as(db, [], []) == {}


def test_schedules_that_nobody_took_up_are_late(store: Store) -> None:
    with store.write() as db:
        schedules.add(db, schedule("late", next_tick=NOW - HOUR))
        schedules.add(db, schedule("paused", next_tick=NOW - HOUR, state="paused"))
        schedules.add(db, schedule("ended", next_tick=None))
        schedules.add(db, schedule("coming"))
    with store.read() as db:
        assert [one.name for one in schedules.late(db, NOW)] == ["late"]
