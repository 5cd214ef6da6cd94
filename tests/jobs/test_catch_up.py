"""One-time runs, what happens after a downtime, limits, and windows that are overdue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from driftline.core.errors import InputError
from driftline.core.window import HOUR, Window
from driftline.jobs.overdue import LATE, overdue
from driftline.jobs.planning import backfill, plan_due, run_now
from driftline.jobs.schedules import create_schedule, pause_schedule, update_schedule
from driftline.resources.schedules import Schedule
from driftline.storage import executions, schedules
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.testing import START


def made(store: Store, **options: Any) -> Schedule:
    given: dict[str, Any] = {"name": "s", "endpoint": "churn", "cron": "0 * * * *", "now": START}
    given |= {"problem_type": "BinaryClassification", "attributes": {"probability_attribute": 0}}
    with store.write() as connection:
        return create_schedule(connection, **(given | options))


def windows(store: Store) -> list[Window]:
    with store.read() as connection:
        return sorted(one.window for one in executions.listing(connection, limit=1000))


def test_now_is_one_run_of_the_window_that_the_offsets_say(store: Store, layout: Layout) -> None:
    made(store, cron="NOW", start_offset="-PT2H", end_offset="-PT1H")
    assert plan_due(store, layout, START) == 1
    assert plan_due(store, layout, START + 30 * HOUR) == 0
    assert windows(store) == [Window(START - 2 * HOUR, START - HOUR)]
    with store.read() as connection:
        assert schedules.get(connection, "s").next_tick is None


def test_now_without_offsets_has_nothing_to_read(store: Store) -> None:
    with pytest.raises(InputError, match="is empty"):
        made(store, cron="NOW")


@pytest.mark.parametrize(("policy", "ends"), [("all", [1, 2, 3, 4, 5]), ("latest", [5])])
def test_after_a_downtime_all_windows_run_or_only_the_latest(
    store: Store, layout: Layout, policy: str, ends: list[int]
) -> None:
    made(store, catch_up=policy)
    plan_due(store, layout, START + 5 * HOUR + timedelta(minutes=20))
    assert windows(store) == [Window(START + (end - 1) * HOUR, START + end * HOUR) for end in ends]
    plan_due(store, layout, START + 6 * HOUR)
    assert windows(store)[-1] == Window(START + 5 * HOUR, START + 6 * HOUR)


def test_what_was_passed_over_can_be_backfilled(store: Store, layout: Layout) -> None:
    made(store, catch_up="latest")
    plan_due(store, layout, START + 3 * HOUR)
    with store.write() as connection:
        added = backfill(connection, layout, "s", start=START, end=START + 3 * HOUR, now=START + 3 * HOUR)
    assert [one.cause for one in added] == ["backfill", "backfill"]
    assert len(windows(store)) == 3


@pytest.mark.parametrize(
    "options",
    [
        {"catch_up": "some"},
        {"time_limit": 0},
        {"memory_limit": 1 << 20},
        {"rejudge_step": 1.5},
        {"time_limit": float("nan")},
    ],
)
def test_limits_that_cannot_be_are_refused(store: Store, options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        made(store, **options)


def test_limits_can_be_changed(store: Store) -> None:
    made(store)
    with store.write() as connection:
        changed = update_schedule(connection, "s", now=START, time_limit=5.0, memory_limit=1 << 30, catch_up="latest")
    assert (changed.time_limit, changed.memory_limit, changed.catch_up) == (5.0, 1 << 30, "latest")


def test_a_tick_that_nobody_took_up_is_overdue(store: Store) -> None:
    made(store)
    due = START + HOUR
    with store.read() as connection:
        assert overdue(connection, due + LATE) == []
        (found,) = overdue(connection, due + LATE + timedelta(seconds=1))
    assert (found.verdict, found.code, found.window_end, found.run) == ("UNKNOWN", "overdue", due, None)
    assert "no scheduler has taken up its tick" in found.message


def test_a_run_that_waits_too_long_is_overdue_until_it_ends(store: Store, layout: Layout) -> None:
    made(store)
    plan_due(store, layout, START + HOUR)
    later = START + HOUR + 2 * LATE
    with store.write() as connection:
        (found,) = overdue(connection, later)
        assert (found.run is not None, "has not begun" in found.message) == (True, True)
        executions.stop(connection, found.run or "", later)
        assert overdue(connection, later) == []


def test_a_paused_schedule_owes_nothing(store: Store) -> None:
    made(store)
    with store.write() as connection:
        pause_schedule(connection, "s")
        assert overdue(connection, START + 40 * HOUR) == []


def test_a_window_judged_anew_is_not_overdue(store: Store, layout: Layout) -> None:
    made(store)
    plan_due(store, layout, START + HOUR)
    with store.write() as connection:
        (first,) = executions.listing(connection)
        executions.stop(connection, first.id, START + HOUR)
        again = run_now(connection, layout, "s", now=START + HOUR, window=first.window)
        assert (again.revision, again.cause) == (2, "manual")
        schedules.save(connection, schedules.get(connection, "s"))
    with store.read() as connection:
        assert [one for one in overdue(connection, START + HOUR + 2 * LATE) if one.run] == []
