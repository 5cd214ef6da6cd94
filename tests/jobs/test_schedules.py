from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from driftline.core.errors import ConflictError, InputError, NotFoundError
from driftline.core.window import Window
from driftline.jobs import planning
from driftline.jobs import schedules as jobs
from driftline.resources.executions import Execution
from driftline.storage import executions, schedules
from driftline.storage.database import Store
from driftline.storage.executions import Outcome
from driftline.storage.layout import Layout

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 22, hour, minute, tzinfo=UTC)


def create(store: Store, **changes: Any) -> schedules.Schedule:
    options: dict[str, Any] = {
        "name": "s",
        "endpoint": "churn",
        "cron": "0 * * * *",
        "problem_type": "BinaryClassification",
        "attributes": {"probability_attribute": "0"},
        "now": NOW,
    }
    with store.write() as connection:
        return jobs.create_schedule(connection, **(options | changes))


def planned(store: Store) -> list[Execution]:
    with store.read() as connection:
        return list(reversed(executions.listing(connection, limit=5000)))


def finish(store: Store, execution: Execution) -> None:
    with store.write() as connection:
        claimed = executions.claim(connection, owner="w", now=NOW, real=NOW, lease=HOUR)
        assert claimed is not None
        assert claimed.id == execution.id
        executions.finish(connection, claimed, Outcome("Completed", executions.Verdict.OK, "m"), NOW)


def test_the_first_tick_is_the_first_after_creation(store: Store, layout: Layout) -> None:
    assert create(store).next_tick == at(11)
    assert planning.plan_due(store, layout, at(11) - timedelta(microseconds=1)) == 0
    assert planning.plan_due(store, layout, at(11)) == 1
    (execution,) = planned(store)
    assert (execution.tick, execution.window, execution.revision) == (at(11), Window(at(10), at(11)), 1)
    assert (execution.status, execution.report) == ("Pending", "reports/churn/s/2026/11/22/11")


def test_after_a_rest_no_tick_is_skipped_or_doubled(store: Store, layout: Layout) -> None:
    create(store)
    planning.plan_due(store, layout, at(11, 5))
    assert planning.plan_due(store, layout, at(15, 59)) == 4
    assert planning.plan_due(store, layout, at(15, 59)) == 0
    assert [found.tick for found in planned(store)] == [at(hour) for hour in range(11, 16)]
    with store.read() as connection:
        kept = schedules.get(connection, "s")
    assert (kept.last_tick, kept.next_tick) == (at(15), at(16))


def test_a_long_rest_is_planned_in_parts(store: Store, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "MOST_TICKS", 7)
    create(store, cron="* * * * *")
    assert planning.plan_due(store, layout, NOW + timedelta(minutes=30)) == 30


def test_offsets_move_the_window_and_not_the_report(store: Store, layout: Layout) -> None:
    start = datetime(2020, 1, 9, 12, 30, tzinfo=UTC)
    create(store, start_offset="-P8D", end_offset="-P1D", now=start)
    planning.plan_due(store, layout, start + HOUR)
    (execution,) = planned(store)
    assert execution.window.start == datetime(2020, 1, 1, 12, tzinfo=UTC)
    assert execution.window.end == datetime(2020, 1, 8, 13, tzinfo=UTC)
    assert execution.report.endswith("2020/01/09/13")


def test_a_window_that_offsets_leave_empty_holds_nothing_up(store: Store, layout: Layout) -> None:
    create(store, cron="0,50 * * * *", end_offset="-PT20M")
    assert planning.plan_due(store, layout, at(11, 50)) == 3
    windows = [found.window for found in planned(store)]
    assert windows == [Window(at(10), at(10, 30)), Window(at(10, 40), at(10, 40)), Window(at(11), at(11, 30))]


def test_runs_of_one_hour_do_not_share_a_report_folder(store: Store, layout: Layout) -> None:
    create(store, cron="*/20 * * * *")
    planning.plan_due(store, layout, at(11, 40))
    tails = [found.report.partition("/22/")[2] for found in planned(store)]
    assert tails == ["10/40", "11", "11/20", "11/40"]


def test_planners_in_threads_neither_skip_nor_double(store: Store, layout: Layout) -> None:
    create(store, cron="* * * * *")
    start = threading.Barrier(4)

    def plan() -> None:
        start.wait()
        for minute in range(1, 41):
            planning.plan_due(store, layout, NOW + timedelta(minutes=minute))

    threads = [threading.Thread(target=plan) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found.tick for found in planned(store)] == [NOW + timedelta(minutes=minute) for minute in range(1, 41)]


def test_planners_that_take_many_schedules_at_once_neither_skip_nor_double(
    store: Store, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "TOGETHER", 3)
    names = [f"s{number}" for number in range(10)]
    for name in names:
        create(store, name=name)
    start, counts = threading.Barrier(4), []

    def plan() -> None:
        start.wait()
        counts.append(planning.plan_due(store, layout, at(12)))

    threads = [threading.Thread(target=plan) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counts) == 4
    assert sum(counts) == 20
    wanted = sorted((name, at(hour)) for name in names for hour in (11, 12))
    assert sorted((one.schedule, one.tick) for one in planned(store)) == wanted


def test_ticks_of_a_pause_are_not_made_up_for(store: Store, layout: Layout) -> None:
    create(store)
    with store.write() as connection:
        assert jobs.pause_schedule(connection, "s").state == "paused"
    assert planning.plan_due(store, layout, at(13)) == 0
    with store.write() as connection:
        assert jobs.resume_schedule(connection, "s", now=at(13, 30)).next_tick == at(14)
        assert jobs.resume_schedule(connection, "s", now=at(20)).next_tick == at(14)
    assert planning.plan_due(store, layout, at(14)) == 1


def test_run_now_takes_the_last_complete_window(store: Store, layout: Layout) -> None:
    create(store)
    with store.write() as connection:
        execution = planning.run_now(connection, layout, "s", now=at(12, 30))
    assert (execution.window, execution.revision, execution.tick) == (Window(at(11), at(12)), 1, at(12))


@pytest.mark.parametrize("seconds", [0, 1, 59])
def test_run_now_never_takes_a_window_that_goes_on(store: Store, layout: Layout, seconds: int) -> None:
    create(store, cron="* * * * *")
    with store.write() as connection:
        execution = planning.run_now(connection, layout, "s", now=at(12) + timedelta(seconds=seconds))
    assert execution.window == Window(at(11, 59), at(12))


def test_run_now_of_a_window_that_ran_is_its_next_revision(store: Store, layout: Layout) -> None:
    create(store)
    planning.plan_due(store, layout, at(11))
    (first,) = planned(store)
    with store.write() as connection:
        assert planning.run_now(connection, layout, "s", now=at(11, 5)).id == first.id
    finish(store, first)
    with store.write() as connection:
        second = planning.run_now(connection, layout, "s", now=at(11, 5))
    assert (second.revision, second.report) == (2, "reports/churn/s/2026/11/22/11/revision-2")
    assert planning.plan_due(store, layout, at(11, 6)) == 0


def test_a_window_of_ones_own_has_a_folder_of_its_own(store: Store, layout: Layout) -> None:
    create(store)
    with store.write() as connection:
        execution = planning.run_now(connection, layout, "s", now=NOW, window=Window(at(8), at(10)))
    assert execution.report.endswith("/22/10/20261122T080000-20261122T100000")
    assert execution.tick == at(10)


@pytest.mark.parametrize("window", [Window(at(10), at(11)), Window(at(9), at(9))])
def test_a_window_must_have_ended_and_hold_time(store: Store, layout: Layout, window: Window) -> None:
    create(store)
    with store.write() as connection, pytest.raises(InputError, match="only a window that has ended"):
        planning.run_now(connection, layout, "s", now=NOW, window=window)


def test_a_window_run_by_hand_before_its_tick_is_run_again_at_it(store: Store, layout: Layout) -> None:
    create(store, start_offset="-PT2H", end_offset="-PT2H")
    window = Window(at(8), at(9))
    with store.write() as connection:
        planning.run_now(connection, layout, "s", now=NOW, window=window)
    assert planning.plan_due(store, layout, at(11)) == 1
    assert [(found.window, found.revision) for found in planned(store)] == [(window, 1), (window, 2)]


def test_a_window_run_by_hand_after_its_tick_is_not_run_again(store: Store, layout: Layout) -> None:
    create(store)
    with store.write() as connection:
        planning.run_now(connection, layout, "s", now=at(11, 1))
    assert planning.plan_due(store, layout, at(11, 2)) == 0


def test_a_backfill_adds_only_what_is_not_there(store: Store, layout: Layout) -> None:
    create(store)
    with store.write() as connection:
        planning.run_now(connection, layout, "s", now=NOW, window=Window(at(7), at(8)))
        added = planning.backfill(connection, layout, "s", start=at(6), end=at(23), now=NOW)
    assert [found.tick for found in added] == [at(7), at(9), at(10)]


def test_a_backfill_has_a_limit(store: Store, layout: Layout) -> None:
    create(store, cron="* * * * *")
    with store.write() as connection, pytest.raises(InputError, match="backfill"):
        planning.backfill(connection, layout, "s", start=NOW - timedelta(days=1), end=NOW, now=NOW)


def test_a_schedule_without_a_tick_so_far_cannot_run_now(store: Store, layout: Layout) -> None:
    create(store, cron="cron(0 0 1 1 ? 2030)", start_offset="-P1D")
    with store.write() as connection, pytest.raises(InputError, match="no tick yet"):
        planning.run_now(connection, layout, "s", now=NOW)


def test_a_schedule_ends_with_its_last_tick(store: Store, layout: Layout) -> None:
    start = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)
    create(store, cron="cron(0 * ? * * 2026)", now=start)
    assert planning.plan_due(store, layout, start + 5 * HOUR) == 1
    with store.read() as connection:
        assert schedules.get(connection, "s").next_tick is None


def test_a_changed_cron_counts_from_the_change(store: Store, layout: Layout) -> None:
    create(store)
    with store.write() as connection:
        changed = jobs.update_schedule(connection, "s", now=at(10, 40), cron="*/15 * * * *", end_offset="-PT5M")
        assert changed.next_tick == at(10, 45)
        with pytest.raises(TypeError):
            jobs.update_schedule(connection, "s", now=NOW, state="paused")
        with pytest.raises(NotFoundError, match="no baseline"):
            jobs.update_schedule(connection, "s", now=NOW, baseline="none")
    assert planning.plan_due(store, layout, at(10, 45)) == 1


def test_deleting_always_works_once(store: Store, layout: Layout) -> None:
    create(store)
    planning.plan_due(store, layout, at(12))
    with store.write() as connection:
        jobs.delete_schedule(connection, "s")
        with pytest.raises(NotFoundError):
            jobs.delete_schedule(connection, "s")
    assert planned(store) == []
    create(store)
    assert planning.plan_due(store, layout, at(12)) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "../s"}, "name of a schedule"),
        ({"endpoint": ""}, "name of an endpoint"),
        ({"cron": "every hour"}, "not a cron"),
        ({"cron": "cron(0 0 1 1 ? 2020)"}, "no tick left"),
        ({"problem_type": "Clustering"}, "Clustering"),
        ({"monitor": "vibes"}, "not a monitor"),
        ({"start_offset": "an hour"}, "not an ISO 8601 duration"),
        ({"end_offset": "PT1H"}, "reads the future"),
        ({"end_offset": "-PT1H"}, "is empty"),
        ({"end_offset": "-PT2H"}, "is empty"),
        ({"attributes": {"probability_attribute": "0", "probability_threshold": "high"}}, "attributes"),
        ({"attributes": {}}, "where the prediction stands"),
    ],
)
def test_a_schedule_that_cannot_run_is_refused(store: Store, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        create(store, **changes)
    with store.read() as connection:
        assert schedules.listing(connection) == []


def test_a_baseline_must_exist_and_a_name_be_free(store: Store) -> None:
    with pytest.raises(NotFoundError, match="no baseline"):
        create(store, baseline="none")
    made = create(store, attributes={"inference_attribute": "1", "ground_truth": "s3://x"})
    assert made.attributes["ground_truth"] == "s3://x"
    with pytest.raises(ConflictError):
        create(store)
    with store.read() as connection:
        assert msgspec.structs.replace(schedules.get(connection, "s")) == made
