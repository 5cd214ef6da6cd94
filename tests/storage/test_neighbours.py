"""Runs beside a run, and what the last ones violated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from driftline.core.documents import Violation
from driftline.core.verdict import Verdict
from driftline.core.window import Window
from driftline.resources.executions import Execution
from driftline.resources.schedules import Schedule
from driftline.storage import executions, neighbours, schedules
from driftline.storage.database import Store
from driftline.storage.executions import Outcome

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _schedule(name: str) -> Schedule:
    return Schedule(
        name=name, endpoint="churn", monitor="model-quality", cron="0 * * * *", start_offset="PT0S", end_offset="PT0S",
        baseline=None, problem_type="BinaryClassification", attributes={}, state="active", created=NOW, last_tick=NOW,
        next_tick=None,
    )  # fmt: skip


def _run(store: Store, schedule: Schedule, hour: int, revision: int = 1, *, wrong: int = 0) -> Execution:
    window = Window(NOW + hour * HOUR, NOW + (hour + 1) * HOUR)
    with store.write() as db:
        executions.add(db, schedule, window, tick=window.end, revision=revision, report="r", now=NOW)
        run = executions.claim(db, owner="me", now=NOW, real=NOW, lease=HOUR)
        assert run is not None
        violations = (Violation(metric_name="f2", constraint_check_type="c", description="d"),) * wrong
        verdict = Verdict.VIOLATED if wrong else Verdict.OK
        executions.finish(db, run, Outcome("Completed", verdict, "m", violations=violations, item_count=7), NOW)
    return run


def test_the_last_runs_of_a_schedule_and_what_they_violated(store: Store) -> None:
    mine, other = _schedule("mine"), _schedule("other")
    with store.write() as db:
        schedules.add(db, mine)
        schedules.add(db, other)
    runs = [_run(store, mine, hour, wrong=hour % 2) for hour in range(5)]
    _run(store, other, 1)
    with store.read() as db:
        found = neighbours.judged_until(db, "mine", runs[3].tick, 3)
    assert [one.id for one in found] == [runs[3].id, runs[2].id, runs[1].id]
    assert [len(one.violations) for one in found] == [1, 0, 1]
    assert [(one.verdict, one.item_count) for one in found[:2]] == [(Verdict.VIOLATED, 7), (Verdict.OK, 7)]


def test_the_runs_before_and_after_are_the_latest_revisions(store: Store) -> None:
    mine = _schedule("mine")
    with store.write() as db:
        schedules.add(db, mine)
    first, again = _run(store, mine, 0), _run(store, mine, 0, 2)
    second, later = _run(store, mine, 1), _run(store, mine, 2)
    newest = _run(store, mine, 2, 2)
    with store.read() as db:

        def beside(run: Execution) -> tuple[str | None, str | None]:
            return neighbours.beside(db, "mine", run.id, run.tick, run.window_start)

        assert beside(second) == (again.id, newest.id)
        assert beside(first) == (None, second.id)
        assert beside(again) == (None, second.id)
        assert beside(later) == (second.id, None)


def test_a_year_of_runs_is_asked_by_the_index(store: Store) -> None:
    if store.engine.dialect.name != "sqlite":
        return
    with store.read() as db:
        plan = (
            "EXPLAIN QUERY PLAN SELECT id FROM executions WHERE schedule = 'a' AND tick <= 1 ORDER BY tick DESC LIMIT 1"
        )
        (row,) = db.execute(text(plan)).all()
    assert "USING INDEX" in row.detail or "USING COVERING INDEX" in row.detail
