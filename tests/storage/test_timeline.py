"""Runs of a schedule next to each other, on each kind of database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from driftline.core.verdict import Verdict
from driftline.core.window import Window
from driftline.resources.schedules import Schedule
from driftline.storage import executions, schedules, timeline
from driftline.storage.database import Store
from driftline.storage.executions import Outcome

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALL: dict[str, Any] = {"since": NOW, "until": NOW + 100 * HOUR}


def schedule(name: str) -> Schedule:
    zero, problem = "PT0S", "BinaryClassification"
    return Schedule(
        name, "e", "model-quality", "0 * * * *", zero, zero, None, problem, {}, "active", NOW, NOW, NOW + HOUR
    )


def add(store: Store, hour: int, verdict: Verdict = Verdict.OK, *, name: str = "s", revision: int = 1) -> str:
    start = NOW + hour * HOUR
    with store.write() as db:
        if name not in {one.name for one in schedules.listing(db)}:
            schedules.add(db, schedule(name))
        made = executions.add(
            db, schedule(name), Window(start, start + HOUR), tick=start + HOUR, revision=revision, report="", now=start
        )
        claimed = executions.claim(db, owner="o", now=start, real=start, lease=HOUR)
        assert made is not None
        assert claimed is not None
        outcome = Outcome("Completed", verdict, "", counts={"matched": 1}, statistics={"of": hour}, item_count=10)
        assert executions.finish(db, claimed, outcome, start)
    return made.id


def test_a_line_of_runs_is_the_latest_first(store: Store) -> None:
    first, second, again = add(store, 0), add(store, 1), add(store, 1, revision=2)
    add(store, 1, name="other")
    with store.read() as db:
        assert [mark.id for mark in timeline.marks(db, "s", limit=9, **ALL)] == [again, second, first]
        assert [mark.id for mark in timeline.marks(db, "s", limit=1, **ALL)] == [again]
        assert timeline.marks(db, "s", since=NOW, until=NOW + HOUR, limit=9) == []


def test_neighbours_are_other_windows(store: Store) -> None:
    first, middle = add(store, 0), add(store, 1)
    later, last = add(store, 1, revision=2), add(store, 5, revision=3)
    add(store, 0, name="other")
    with store.read() as db:
        for one in (middle, later):
            before, after = timeline.neighbours(db, executions.get(db, one))
            assert before is not None
            assert after is not None
            assert (before.id, after.id) == (first, last)
        assert timeline.neighbours(db, executions.get(db, first))[0] is None
        newest = timeline.neighbours(db, executions.get(db, first))[1]
        assert newest is not None
        assert newest.id == later
        assert timeline.neighbours(db, executions.get(db, last))[1] is None


def test_revisions_carry_their_statistics(store: Store) -> None:
    first, second = add(store, 3), add(store, 3, Verdict.VIOLATED, revision=2)
    with store.read() as db:
        found = timeline.revisions(db, "s", Window(NOW + 3 * HOUR, NOW + 4 * HOUR))
    assert [(one.id, one.verdict, one.statistics) for one in found] == [
        (second, Verdict.VIOLATED, b'{"of":3}'),
        (first, Verdict.OK, b'{"of":3}'),
    ]


def test_periods_count_each_window_once(store: Store) -> None:
    add(store, 0, Verdict.VIOLATED)
    latest = add(store, 0, Verdict.OK, revision=2)
    unknown, ok = add(store, 1, Verdict.UNKNOWN), add(store, 3)
    with store.read() as db:
        found = timeline.together(db, "s", period=4 * 3600, **ALL)
        ended = timeline.ended(db, "s", limit=9, **ALL)
        judged = timeline.judged(db, [ok, "gone"])
        statistics = timeline.statistics_of(db, [ok])
    assert {time: (one.runs, one.rows, one.verdict) for time, one in found.items()} == {
        NOW: (2, 20, Verdict.UNKNOWN),
        NOW + 4 * HOUR: (1, 10, Verdict.OK),
    }
    # A driver may give sums as decimals, which would be texts in JSON.
    assert {type(one.rows) for one in found.values()} == {int}
    assert [one.id for one in ended] == [ok, unknown, latest]
    assert list(judged) == [ok]
    assert statistics == {ok: b'{"of":3}'}
