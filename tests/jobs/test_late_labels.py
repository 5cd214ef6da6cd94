"""Labels that come late: the window is judged again when enough have come, and by one scheduler only."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from driftline.core.window import HOUR
from driftline.engine.local import LocalEngine
from driftline.jobs.executions import Worker
from driftline.jobs.late_labels import Arrived, LateLabels
from driftline.jobs.planning import plan_due
from driftline.jobs.schedules import create_schedule
from driftline.pipeline import run_model_quality
from driftline.resources.executions import Execution
from driftline.storage import executions
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.testing import START, capture, write_captures, write_labels

ROWS = 200
SCORES = np.random.default_rng(3).random(ROWS)


class World:
    """One endpoint with an hour of captures, a schedule, and a clock moved by hand."""

    def __init__(self, store: Store, layout: Layout) -> None:
        self.store, self.layout, self.now, self.real = store, layout, START + HOUR, 0.0
        records = [
            capture(f"{score:.6f}", f"e{i}", time=START + timedelta(seconds=i)) for i, score in enumerate(SCORES)
        ]
        write_captures(layout.captures("churn"), records)
        self.late = LateLabels(store, layout, lambda: self.real)
        with store.write() as connection:
            create_schedule(
                connection,
                name="hourly",
                endpoint="churn",
                cron="0 * * * *",
                problem_type="BinaryClassification",
                attributes={"probability_attribute": 0},
                now=START + timedelta(minutes=30),
                rejudge_step=0.2,
            )

    def label(self, which: range, name: str) -> None:
        found = {f"e{i}": str(int(SCORES[i] > 0.5)) for i in which}
        write_labels(self.layout.labels("churn"), found, collected=self.now, name=name)

    def run(self) -> Execution | None:
        plan_due(self.store, self.layout, self.now)
        worker = Worker(self.store, self.layout, run_model_quality, self.now.timestamp, owner="w")
        return worker.run_next()

    def look(self) -> list[Execution]:
        self.real += 4000.0
        return self.late.look(self.now)


@pytest.fixture
def world(store: Store, layout: Layout) -> World:
    made = World(store, layout)
    made.label(range(50), "early")
    ended = made.run()
    assert ended is not None
    assert (ended.counts["matched"], ended.label_coverage) == (50, 0.25)
    return made


def test_nothing_new_is_nothing_to_judge(world: World) -> None:
    assert world.look() == []


def test_enough_late_labels_make_a_new_revision(world: World) -> None:
    world.now += timedelta(days=2)
    world.label(range(50, 80), "some")
    assert world.look() == []
    world.label(range(80, 100), "more")
    (added,) = world.look()
    assert (added.revision, added.cause, added.status) == (2, "late_labels", "Pending")
    ended = None
    while (done := world.run()) is not None:
        ended = done if done.id == added.id else ended
    assert ended is not None
    assert (ended.counts["matched"], ended.window_start) == (100, START)
    assert world.look() == []
    with world.store.read() as connection:
        first, second = executions.revisions(connection, "hourly", ended.window)
        assert executions.get(connection, first).counts["matched"] == 50
    assert second == ended.id


def test_the_last_labels_count_however_few(world: World) -> None:
    world.label(range(50, 190), "most")
    assert len(world.look()) == 1
    world.run()
    world.label(range(190, 200), "rest")
    (added,) = world.look()
    assert added.revision == 3


def test_two_schedulers_add_one_revision(world: World) -> None:
    world.label(range(50, 200), "rest")
    other = LateLabels(world.store, world.layout, lambda: 1e9)
    assert len(world.look() + other.look(world.now)) == 1


@pytest.mark.parametrize(("changes", "added"), [({"rejudge_step": 0.0}, 0), ({"state": "paused"}, 0), ({}, 1)])
def test_a_schedule_may_not_want_it(world: World, changes: dict[str, Any], added: int) -> None:
    import msgspec

    from driftline.storage import schedules

    with world.store.write() as connection:
        schedules.save(connection, msgspec.structs.replace(schedules.get(connection, "hourly"), **changes))
    world.label(range(50, 200), "rest")
    assert len(world.look()) == added


def test_an_old_window_is_read_as_rarely_as_it_is_looked_at_and_not_forgotten(world: World) -> None:
    world.now += timedelta(days=2)
    assert world.look() == []
    world.label(range(50, 120), "some")
    found = []
    for _ in range(15):
        world.real += 30.0
        found.append(len(world.late.look(world.now)))
    # Its pause is five minutes; it is read after half of one, and looked at when it is over.
    assert sum(found) == 1
    assert found.index(1) in range(9, 15)


def test_looks_take_a_tenth_of_the_time_at_most(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    began = []

    def slow(*_: object) -> list[Execution]:
        began.append(world.real)
        world.real += 30.0
        return []

    monkeypatch.setattr(LateLabels, "_of", slow)
    while world.real < 1000.0:
        world.late.look(world.now)
        world.real += 10.0
    assert [later - earlier for earlier, later in itertools.pairwise(began)] == [300.0] * (len(began) - 1)
    assert len(began) > 2


def test_windows_beyond_the_horizon_are_left(world: World) -> None:
    world.label(range(50, 200), "rest")
    world.now += timedelta(days=31)
    assert world.look() == []


def test_labels_that_nobody_waited_for_change_nothing(world: World) -> None:
    write_labels(world.layout.labels("churn"), {"x": "1"}, collected=world.now, name="x")
    assert world.look() == []


@pytest.mark.parametrize(
    ("arrived", "enough"),
    [
        (Arrived(0, 0, 0, 0), False),
        (Arrived(100, 19, 0, 50), False),
        (Arrived(100, 20, 0, 50), True),
        (Arrived(100, 1, 0, 0), True),
        (Arrived(100, 0, 20, 0), True),
        (Arrived(100, 0, 0, 0), False),
    ],
)
def test_how_much_is_enough(arrived: Arrived, enough: bool) -> None:
    assert arrived.enough(0.2) is enough


def test_many_small_label_files_are_read_at_once_and_only_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    read = LocalEngine.label_ids

    def counted(engine: LocalEngine, files: Any) -> Any:
        calls.append(len(files))
        return read(engine, files)

    monkeypatch.setattr(LocalEngine, "label_ids", counted)
    for number in range(50, 80):
        world.label(range(number, number + 1), f"one-{number:03}")
    assert (world.look(), world.look()) == ([], [])
    assert calls == [30]
    world.label(range(80, 100), "more")
    assert len(world.look()) == 1
    assert calls == [30, 1]
