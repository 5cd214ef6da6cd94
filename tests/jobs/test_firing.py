"""Schedules that run once, at once, and schedules that are made to run ahead of their ticks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from driftline.core.window import HOUR, Window
from driftline.jobs.executions import Worker
from driftline.jobs.firing import Firing
from driftline.jobs.planning import plan_due
from driftline.jobs.process import main
from driftline.jobs.schedules import create_schedule, pause_schedule
from driftline.storage import executions, schedules
from driftline.storage.database import Store
from driftline.storage.layout import Layout

NOW = datetime.fromisoformat("2026-11-22T10:30:00+00:00")


def once(store: Store, now: datetime, **offsets: str) -> None:
    with store.write() as db:
        create_schedule(
            db, name="once", endpoint="churn", cron="NOW", problem_type="BinaryClassification",
            attributes={"probability_attribute": "0"}, now=now, **offsets,
        )  # fmt: skip


def test_now_with_offsets_reads_the_hour_before_it_once(store: Store, layout: Layout) -> None:
    now = NOW + timedelta(seconds=17)
    once(store, now, start_offset="-PT1H", end_offset="-PT0H")
    assert [plan_due(store, layout, now), plan_due(store, layout, now + 3 * HOUR)] == [1, 0]
    with store.read() as db:
        (found,) = executions.listing(db, schedule="once")
        assert schedules.get(db, "once").next_tick is None
    assert (found.window, found.tick, found.status) == (Window(now - HOUR, now), now, "Pending")


def test_now_that_ends_earlier_has_its_tick_when_it_was_made(store: Store, layout: Layout) -> None:
    once(store, NOW, start_offset="-PT3H", end_offset="-PT1H")
    plan_due(store, layout, NOW)
    with store.read() as db:
        (found,) = executions.listing(db, schedule="once")
    assert (found.window, found.tick) == (Window(NOW - 3 * HOUR, NOW - HOUR), NOW)


def test_every_few_seconds_the_window_that_goes_on(store: Store, layout: Layout, hourly: str, runner: Any) -> None:
    seconds = 0.0
    firing = Firing(store, layout, 10, lambda: seconds)
    worker = Worker(store, layout, runner, NOW.timestamp, owner="w")
    assert firing.look(NOW) == []
    seconds = 10.0
    (fired,) = firing.look(NOW)
    assert (fired.cause, fired.window, fired.tick) == ("fired", Window(NOW - HOUR / 2, NOW + HOUR / 2), NOW + HOUR / 2)
    seconds = 20.0
    assert firing.look(NOW) == []  # the one before has not run
    worker.run_next()
    assert runner.runs[0].as_of == NOW
    (again,) = firing.look(NOW)
    assert (again.revision, again.window) == (2, fired.window)
    worker.run_next()
    assert firing.look(NOW) == []
    assert plan_due(store, layout, NOW + HOUR) == 1
    with store.read() as db:
        assert [one.cause for one in executions.listing(db, schedule=hourly)] == ["tick", "fired", "fired"]


def test_paused_schedules_and_single_times_are_left_alone(store: Store, layout: Layout, hourly: str) -> None:
    once(store, NOW, start_offset="-PT1H")
    with store.write() as db:
        pause_schedule(db, hourly)
    seconds = 0.0
    firing = Firing(store, layout, 10, lambda: seconds)
    firing.look(NOW)
    seconds = 100.0
    assert firing.look(NOW) == []


@pytest.mark.parametrize("given", ["0", "-1", "nan", "soon"])
def test_a_pace_that_is_none_is_refused(given: str, layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(lambda _: None, ["--data", str(layout.data), "--fire-every", given])  # type: ignore[arg-type,return-value]
    assert "--fire-every" in capsys.readouterr().err
