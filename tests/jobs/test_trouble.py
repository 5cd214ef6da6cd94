"""Full disks, clocks that jump, and things deleted at a bad moment: no window is skipped, doubled or stuck."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftline.alerting import metrics, watch
from driftline.core.configuration import DATABASE
from driftline.core.errors import NotFoundError, SetupError
from driftline.core.verdict import Verdict
from driftline.jobs.scheduler import Scheduler
from driftline.jobs.supervisor import Supervisor
from driftline.pipeline import ModelQualityRun
from driftline.resources.alarms import Alarm
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.resources.executions import Execution
from driftline.service import Service
from driftline.storage import alarms, baselines, endpoints, executions
from driftline.storage import schedules as schedule_rows
from driftline.storage.clock import system_clock
from driftline.storage.database import Store
from driftline.storage.files import write_atomic
from driftline.storage.layout import Layout

NOW = datetime.fromisoformat("2026-11-22T10:30:00+00:00")


def hours(*numbers: int) -> list[datetime]:
    """The ticks of the hourly schedule, counted from ten o'clock."""
    return [NOW.replace(minute=0) + timedelta(hours=number) for number in numbers]


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process can grow, as on a disk without space."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def tick(store: Store, layout: Layout, runner: Any, now: datetime, **options: Any) -> Any:
    """One pass of a scheduler at a time."""
    made = Scheduler(store, layout, now.timestamp, runner, **options)
    try:
        return made.tick()
    finally:
        made.close()


def runs(store: Store) -> list[Execution]:
    """Every run, by tick."""
    with store.read() as connection:
        return sorted(executions.listing(connection, limit=1000), key=lambda run: run.tick)


def test_a_full_disk_refuses_a_write_and_breaks_nothing(store: Store, kind: str) -> None:
    if kind != "sqlite":
        pytest.skip("the disk of a server is not ours to fill")
    with full_disk(), pytest.raises(SetupError, match="cannot be used") as caught, store.write() as connection:
        baselines.put(connection, baselines.Baseline("b", "model-quality", b"x" * 100_000, b"", NOW))
    assert "free disk space" in caught.value.hint
    with store.write() as connection:
        assert baselines.listing(connection) == []
        baselines.put(connection, baselines.Baseline("c", "model-quality", b"", b"", NOW))
    with store.read() as connection:
        assert [found.name for found in baselines.listing(connection)] == ["c"]


def test_a_result_that_finds_the_disk_full_is_made_again(
    store: Store, layout: Layout, runner: Any, hourly: str, kind: str
) -> None:
    if kind != "sqlite":
        pytest.skip("the disk of a server is not ours to fill")
    with full_disk_after(runner) as last, pytest.raises(SetupError):
        tick(store, layout, last, NOW + timedelta(hours=1))
    (found,) = runs(store)
    assert (found.status, found.attempts) == ("InProgress", 1)
    done = tick(store, layout, runner, NOW + timedelta(hours=1), real=lambda: system_clock() + 90)
    assert done.ran == 1
    (found,) = runs(store)
    assert (found.status, found.attempts, found.revision) == ("Completed", 2, 1)


@contextmanager
def full_disk_after(runner: Any) -> Iterator[Callable[[ModelQualityRun], Any]]:
    """A runner during whose run the disk becomes full; it stays so until the end of the block."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def run(asked: ModelQualityRun) -> Any:
        result = runner(asked)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        return result

    try:
        yield run
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_report_that_finds_the_disk_full_fails_its_run_only(
    store: Store, layout: Layout, runner: Any, hourly: str
) -> None:
    def run(asked: ModelQualityRun) -> Any:
        with full_disk():
            write_atomic(Path(str(asked.report)) / "statistics.json", b"{}")
        return runner(asked)

    assert tick(store, layout, run, NOW + timedelta(hours=1)).ran == 1
    (found,) = runs(store)
    assert (found.status, found.verdict) == ("Failed", Verdict.UNKNOWN)
    assert "free some disk space" in str(found.error)
    assert not [path for path in (layout.data / "reports").rglob("*") if path.is_file()]
    assert tick(store, layout, runner, NOW + timedelta(hours=2)).ran == 1
    assert [one.status for one in runs(store)] == ["Failed", "Completed"]


def test_a_clock_set_back_and_forward_skips_and_doubles_no_window(
    store: Store, layout: Layout, runner: Any, hourly: str
) -> None:
    planned = [
        tick(store, layout, runner, NOW + timedelta(minutes=minutes)).planned
        for minutes in (0, 120, -300, 29, 119, 121, 400, 60, 401)
    ]
    assert planned == [0, 2, 0, 0, 0, 0, 5, 0, 0]
    assert [run.tick for run in runs(store)] == hours(*range(1, 8))
    assert {run.revision for run in runs(store)} == {1}


def test_a_lease_outlives_a_clock_of_schedules_that_jumps(
    store: Store, layout: Layout, runner: Any, hourly: str
) -> None:
    """Leases follow real time: a jump of the other clock takes no run from the one who works on it."""
    inner: list[int] = []

    def run(asked: ModelQualityRun) -> Any:
        if not inner:
            inner.append(tick(store, layout, runner, NOW + timedelta(days=1)).ran)
        return runner(asked)

    tick(store, layout, run, NOW + timedelta(hours=1))
    assert inner == [24 - 1]
    assert {found.attempts for found in runs(store)} == {1}
    assert [found.tick for found in runs(store)] == hours(*range(1, 25))


DELETIONS = ("schedule", "alarm", "endpoint")


@pytest.fixture
def watched(store: Store, layout: Layout, hourly: str, database: str) -> Iterator[Callable[[str], None]]:
    """An endpoint with a schedule and an alarm; returns what deletes one of them."""
    series = metrics.dimensions_of("churn", hourly)
    alarm = Alarm("low", "f2", metrics.MODEL_QUALITY, series, "LessThanThreshold", 0.625)
    with store.write() as connection:
        watch.put_alarm(connection, alarm, now=NOW, real=NOW)
        endpoints.create(
            connection, "churn", model_path="x", model=ModelDescription(), capture=CaptureSettings(), now=NOW
        )
    with Service(layout.data, clock=NOW.timestamp, database=database) as service:

        def delete(what: str) -> None:
            {
                "schedule": lambda: service.delete_schedule(hourly),
                "alarm": lambda: service.delete_alarm("low"),
                "endpoint": lambda: service.delete_endpoint("churn"),
            }[what]()

        yield delete


@pytest.mark.parametrize("state", ["before", "pending", "running", "failing", "ended"])
@pytest.mark.parametrize("what", DELETIONS)
def test_deleting_works_at_every_state_of_a_run(
    store: Store, layout: Layout, runner: Any, watched: Callable[[str], None], what: str, state: str
) -> None:
    def run(asked: ModelQualityRun) -> Any:
        if state in {"running", "failing"}:
            watched(what)
        if state == "failing":
            raise ZeroDivisionError
        return runner(asked)

    runner.verdict = Verdict.VIOLATED
    stop = Scheduler(store, layout, (NOW + timedelta(hours=1)).timestamp, run)
    if state == "before":
        watched(what)
    if state == "pending":
        from driftline.jobs.planning import plan_due

        assert plan_due(store, layout, NOW + timedelta(hours=1)) == 1
        watched(what)
    stop.tick()
    stop.close()
    if state == "ended":
        watched(what)
    tick(store, layout, runner, NOW + timedelta(hours=3))
    left = runs(store)
    assert all(found.finished for found in left)
    assert len({(found.window_start, found.revision) for found in left}) == len(left)
    if what == "schedule":
        assert left == []
    if what == "alarm":
        assert [found.tick for found in left] == hours(1, 2, 3)
        with store.read() as connection, pytest.raises(NotFoundError):
            alarms.get(connection, "low")
    if what == "endpoint":
        assert [found.tick for found in left] == ([] if state == "before" else hours(1))
        with store.read() as connection:
            assert schedule_rows.get(connection, "hourly").state == "paused"


def test_an_alarm_that_goes_while_it_is_looked_at_fails_nobody(
    store: Store, hourly: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "watching", lambda *_: [("gone", "f2")])
    with store.write() as connection:
        assert watch.evaluate_series(connection, metrics.MODEL_QUALITY, {}, now=NOW, real=NOW) == []


def test_the_address_of_the_database_is_not_in_any_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATABASE.name, "postgresql+psycopg://somebody@elsewhere/other")
    url = "postgresql+psycopg://user:s3cret@host/name"
    with socket.socket() as listening:
        for given in (url, None):
            for child in Supervisor(tmp_path, listening, database=given)._children:
                assert not [word for word in child._command if "s3cret" in word]
                assert child._environment[DATABASE.name] == (given or "")
                assert child._environment["PATH"] == os.environ["PATH"]
