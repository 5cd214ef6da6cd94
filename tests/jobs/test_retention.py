"""What endpoints keep, what is still needed, and the clean-up of the day."""

from __future__ import annotations

import os
import threading
from datetime import datetime, timedelta

import pytest

from driftline.core.errors import InputError
from driftline.core.window import Window, partition
from driftline.jobs import retention as cleaning
from driftline.jobs.planning import plan_due, run_now
from driftline.jobs.retention import changed, needed, run_daily, run_retention
from driftline.jobs.scheduler import Scheduler
from driftline.jobs.schedules import create_schedule, pause_schedule, update_schedule
from driftline.resources.alarms import Alarm
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.resources.metrics import Series, point
from driftline.resources.retention import Removed, Retention
from driftline.storage import alarms, endpoints, executions, metrics, retention_rows
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.testing import FakeClock

from .conftest import NOW, FakeRunner

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KINDS = {"captures": "captures/churn/AllTraffic", "labels": "labels/churn", "merged": "pieces/churn/0f3a"}


@pytest.fixture
def served(store: Store) -> Store:
    with store.write() as db:
        for name in ("churn", "other"):
            endpoints.create(
                db,
                name,
                model_path=f"models/{name}/aa/model.json",
                model=ModelDescription(),
                capture=CaptureSettings(),
                now=NOW,
            )
    return store


def keep(store: Store, name: str = "churn", **lengths: str) -> None:
    with store.write() as db:
        retention_rows.put(db, name, lengths)


def schedule(store: Store, name: str = "hourly", **options: object) -> None:
    with store.write() as db:
        create_schedule(
            db,
            name=name,
            endpoint="churn",
            cron="0 * * * *",
            problem_type="BinaryClassification",
            attributes={"probability_attribute": "0"},
            now=NOW,
            **options,  # type: ignore[arg-type]
        )


def fill(layout: Layout, days: int = 11, folders: tuple[str, ...] = (*KINDS.values(), "reports/churn/hourly")) -> None:
    for folder in folders:
        for number in range(days * 24):
            path = layout.data / folder / partition(NOW - number * HOUR)
            path.mkdir(parents=True)
            (path / "a.jsonl").write_text("{}\n")


def hours(layout: Layout, folder: str) -> int:
    return len(list((layout.data / folder).rglob("a.jsonl")))


def test_each_kind_is_kept_as_long_as_it_is_said(served: Store, layout: Layout) -> None:
    fill(layout)
    keep(served, captures="P2D", labels="P5D", merged="P1D", reports="P10D")
    tried = run_retention(served, layout, NOW, dry_run=True)
    report = run_retention(served, layout, NOW)
    assert tried.removed[:-1] == report.removed[:-1]
    assert (tried.dry_run, report.dry_run) == (True, False)
    whole = {one.kind: one for one in report.removed}
    assert whole["captures"] == Removed("churn", "captures", NOW - 2 * DAY, False, 9 * 24 - 1, (9 * 24 - 1) * 3)
    # The hour in which the limit falls stays whole.
    assert [hours(layout, folder) for folder in KINDS.values()] == [2 * 24 + 1, 5 * 24 + 1, 24 + 1]
    assert hours(layout, "reports/churn") == 10 * 24 + 1
    assert report.files == sum(one.files for one in report.removed) > 600
    assert run_retention(served, layout, NOW).files == 0


def test_nothing_is_deleted_where_nothing_is_said(served: Store, layout: Layout) -> None:
    fill(layout, 3)
    assert run_retention(served, layout, NOW + 1000 * DAY).files == 0
    keep(served, "other", captures="PT1H")
    assert run_retention(served, layout, NOW + 1000 * DAY).files == 0
    assert hours(layout, "captures") == 72


def test_a_schedule_s_offsets_hold_what_its_next_window_reads(served: Store, layout: Layout) -> None:
    fill(layout)
    schedule(served, start_offset="-P8D", end_offset="-P7D")
    keep(served, captures="P1D", labels="P1D")
    report = run_retention(served, layout, NOW)
    held = {one.kind: (one.held, one.before) for one in report.removed if one.endpoint}
    # The next tick is 11:00, its window begins eight days before 10:00, and labels are read from a day before that.
    first = datetime.fromisoformat("2026-11-14T10:00:00+00:00")
    assert held == {"captures": (True, first), "labels": (True, first - DAY)}
    assert (layout.captures("churn") / "AllTraffic" / partition(first)).exists()
    assert not (layout.captures("churn") / "AllTraffic" / partition(first - HOUR)).exists()
    assert (layout.labels("churn") / partition(first - DAY)).exists()


def test_ticks_that_were_not_planned_hold_their_windows(served: Store) -> None:
    schedule(served)
    later = NOW + 3 * DAY
    with served.read() as db:
        assert needed(db, "churn", later).captures == NOW - timedelta(minutes=30)
    with served.write() as db:
        pause_schedule(db, "hourly")
    with served.read() as db:
        # A paused one goes on from the present when it is resumed.
        assert needed(db, "churn", later).captures == later - timedelta(minutes=30)


def test_unfinished_runs_hold_their_windows(served: Store, layout: Layout) -> None:
    schedule(served, rejudge_step=0.0)
    window = Window(NOW - 40 * DAY, NOW - 39 * DAY)
    with served.write() as db:
        run_now(db, layout, "hourly", now=NOW, window=window)
    with served.read() as db:
        found = needed(db, "churn", NOW)
    assert (found.captures, found.labels, found.ticks) == (window.start, window.start - DAY, window.end)
    assert needed_of(served, "other") == NOW


def needed_of(store: Store, endpoint: str) -> datetime:
    with store.read() as db:
        return needed(db, endpoint, NOW).captures


def test_windows_that_labels_may_have_judged_again_are_held(served: Store, layout: Layout) -> None:
    schedule(served)
    finished(served, layout, [NOW - 50 * DAY, NOW - 20 * DAY, NOW - 2 * DAY])
    assert needed_of(served, "churn") == NOW - 20 * DAY - HOUR
    with served.write() as db:
        update_schedule(db, "hourly", now=NOW, rejudge_step=0.0)
    assert needed_of(served, "churn") == NOW - timedelta(minutes=30)


def finished(store: Store, layout: Layout, ends: list[datetime]) -> None:
    """Runs of windows of an hour that are over."""
    with store.write() as db:
        for end in ends:
            run = run_now(db, layout, "hourly", now=NOW, window=Window(end - HOUR, end))
            executions.stop(db, run.id, NOW)


def test_old_executions_go_but_not_the_newest_ones(
    served: Store, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "RECENT", 2)
    schedule(served, rejudge_step=0.0)
    finished(served, layout, [NOW - number * DAY for number in range(1, 9)])
    keep(served, executions="P5D")
    assert rows(served, layout, "executions", dry_run=True) == 3
    assert rows(served, layout, "executions") == 3
    with served.read() as db:
        assert [NOW - run.tick for run in executions.listing(db)] == [number * DAY for number in range(1, 6)]
    keep(served, executions="PT1H")
    assert rows(served, layout, "executions") == 3
    with served.read() as db:
        assert len(executions.listing(db)) == 2


def rows(store: Store, layout: Layout, kind: str, *, dry_run: bool = False) -> int:
    report = run_retention(store, layout, NOW, dry_run=dry_run)
    return next(one.rows for one in report.removed if one.kind == kind)


def test_a_run_that_waits_stays_however_old_it_is(served: Store, layout: Layout) -> None:
    schedule(served)
    with served.write() as db:
        run_now(db, layout, "hourly", now=NOW, window=Window(NOW - 90 * DAY, NOW - 89 * DAY))
    keep(served, executions="PT1H", reports="PT1H")
    report = run_retention(served, layout, NOW)
    assert [(one.kind, one.held, one.rows) for one in report.removed][:2] == [
        ("executions", True, 0),
        ("reports", True, 0),
    ]


def test_old_points_go_but_not_those_that_an_alarm_looks_at(served: Store, layout: Layout) -> None:
    mine, other = (
        Series("ns", "f2", {"Endpoint": name, "MonitoringSchedule": "hourly"}) for name in ("churn", "other")
    )
    with served.write() as db:
        for series in (mine, other):
            metrics.add(db, [(series, point(NOW - number * DAY, 0.5)) for number in range(10)])
    keep(served, metrics="P3D")
    assert rows(served, layout, "metrics", dry_run=True) == 6
    with served.write() as db:
        low = Alarm("low", "f2", "ns", mine.dimensions, "LessThanThreshold", 0.6, period=86400, evaluation_periods=5)
        alarms.put(db, "low", mine, low, NOW)
    assert rows(served, layout, "metrics") == 3
    with served.read() as db:
        assert [len(metrics.query(db, series)) for series in (mine, other)] == [7, 10]


def test_models_that_no_endpoint_uses_go_when_they_are_a_day_old(served: Store, layout: Layout) -> None:
    names = ("churn/aa/model.json", "churn/bb/model.json", "churn/cc/.trial.json", "gone/dd/model.json")
    for name in names:
        path = layout.data / "models" / name
        path.parent.mkdir(parents=True)
        path.write_text("{}")
        if "bb" not in name:
            os.utime(path, (0, 0))
    (layout.data / "models" / "link").symlink_to(layout.data / "models" / "gone")
    report = run_retention(served, layout, NOW)
    [models] = [one for one in report.removed if one.kind == "models"]
    assert (models.endpoint, models.files, models.bytes) == (None, 2, 4)
    kept = sorted(str(path.relative_to(layout.data / "models")) for path in (layout.data / "models").rglob("*.json"))
    assert kept == ["churn/aa/model.json", "churn/bb/model.json"]


@pytest.mark.parametrize("given", ["PT59M", "P0D", "-P3D", "a month", "P1M"])
def test_a_length_that_makes_no_sense_is_refused(given: str) -> None:
    with pytest.raises(InputError):
        changed(None, Retention(captures=given))


def test_changes_leave_the_rest_and_forever_takes_back() -> None:
    first = changed(None, Retention(captures="P30D", labels="P1W"))
    assert first == {"captures": "P30D", "labels": "P1W"}
    assert changed(first, Retention(labels="forever", reports="P365D")) == {"captures": "P30D", "reports": "P365D"}


def test_a_length_beyond_the_calendar_deletes_nothing(served: Store, layout: Layout) -> None:
    fill(layout, 1)
    keep(served, captures="P999999D")
    assert run_retention(served, layout, NOW).files == 0


def test_once_a_day_and_by_one_scheduler_only(served: Store, layout: Layout) -> None:
    done: list[object] = []
    barrier = threading.Barrier(4)

    def clean() -> None:
        barrier.wait()
        done.append(run_daily(served, layout, NOW))

    threads = [threading.Thread(target=clean) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report is not None for report in done) == 1
    assert run_daily(served, layout, NOW + HOUR) is None
    assert run_daily(served, layout, NOW + DAY) is not None
    assert run_daily(served, layout, NOW) is None


def test_the_scheduler_cleans_up(
    served: Store, layout: Layout, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from driftline.jobs import scheduler as module

    fill(layout, 3)
    keep(served, captures="P1D")
    cleaned, stop = threading.Event(), threading.Event()
    real = module.run_daily

    def told(*arguments: object) -> object:
        try:
            return real(*arguments)  # type: ignore[arg-type]
        finally:
            cleaned.set()

    monkeypatch.setattr(module, "run_daily", told)
    scheduler = Scheduler(served, layout, FakeClock(NOW), runner, poll=0.01)
    thread = threading.Thread(target=scheduler.run, args=(stop,))
    thread.start()
    assert cleaned.wait(20)
    stop.set()
    thread.join()
    scheduler.close()
    assert hours(layout, "captures") == 25


def test_ticks_planned_late_still_find_their_captures(served: Store, layout: Layout) -> None:
    """A scheduler that was down for days plans the old windows first or last: either way their captures are there."""
    schedule(served, rejudge_step=0.0)
    fill(layout, 2, ("captures/churn/AllTraffic",))
    keep(served, captures="PT1H")
    late = NOW + 2 * DAY
    run_retention(served, layout, late)
    plan_due(served, layout, late)
    run_retention(served, layout, late)
    assert (layout.captures("churn") / "AllTraffic" / partition(NOW) / "a.jsonl").exists()
