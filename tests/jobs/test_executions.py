from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from driftline.alerting import metrics, watch
from driftline.core.errors import InputError
from driftline.core.verdict import Verdict
from driftline.core.window import Window
from driftline.jobs.executions import MOST_ATTEMPTS, Worker
from driftline.jobs.planning import plan_due, run_now
from driftline.jobs.schedules import delete_schedule
from driftline.resources.alarms import Alarm
from driftline.resources.executions import Execution, ExecutionStep
from driftline.resources.metrics import point
from driftline.storage import alarms, baselines, deliveries, executions
from driftline.storage import metrics as points
from driftline.storage.database import Store
from driftline.storage.layout import Layout

TICK = datetime(2026, 11, 22, 11, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def worker(store: Store, layout: Layout, runner: Any, real: float = 0.0, owner: str = "w", **options: Any) -> Worker:
    """A worker at the tick's time, so many seconds of real time later."""
    moment = TICK.timestamp()
    return Worker(
        store, layout, runner, lambda: moment, owner=owner, real=lambda: moment + real, lease=LEASE, **options
    )


def run_one(store: Store, layout: Layout, runner: Any) -> Execution:
    plan_due(store, layout, TICK)
    ended = worker(store, layout, runner, link="http://d/runs/{run}").run_next()
    assert ended is not None
    return ended


def value_of(store: Store, name: str) -> list[float | None]:
    series = points.Series(metrics.MODEL_QUALITY, name, metrics.dimensions_of("churn", "hourly"))
    with store.read() as connection:
        return [found.value for found in points.query(connection, series)]


def watch_f2(store: Store, metric: str = "f2") -> None:
    alarm = Alarm(
        "low",
        metric,
        metrics.MODEL_QUALITY,
        metrics.dimensions_of("churn", "hourly"),
        "LessThanOrEqualToThreshold",
        0.625,
        period=600,
        treat_missing="breaching",
        alarm_actions=("http://localhost/hook",),
    )
    with store.write() as connection:
        watch.put_alarm(connection, alarm, now=TICK, real=TICK)


def test_the_runner_is_asked_for_what_was_scheduled(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    run_one(store, layout, runner)
    (run,) = runner.runs
    assert run.captures == str(layout.captures("churn"))
    assert run.labels == str(layout.labels("churn"))
    assert run.report == str(layout.data / "reports/churn/hourly/2026/11/22/11")
    assert run.window == Window(TICK - timedelta(hours=1), TICK)
    assert (run.attributes.probability, run.attributes.probability_threshold) == ("0", 0.8)
    assert run.constraints is not None
    assert run.constraints.constraints["f2"].threshold == 0.625
    assert (run.problem_type, run.as_of, run.seed) == ("BinaryClassification", TICK, 0)


@pytest.mark.parametrize(
    ("verdict", "status", "message"),
    [
        (Verdict.OK, "Completed", "Completed: Job completed successfully with no violations."),
        (
            Verdict.VIOLATED,
            "CompletedWithViolations",
            "CompletedWithViolations: Job completed successfully with 1 violations.",
        ),
        (Verdict.UNKNOWN, "Completed", "Completed: Job completed without a verdict: no_labels."),
    ],
)
def test_a_verdict_becomes_a_status_and_an_exit_message(
    store: Store, layout: Layout, runner: Any, hourly: str, verdict: Verdict, status: str, message: str
) -> None:
    runner.verdict = verdict
    ended = run_one(store, layout, runner)
    assert (ended.status, ended.verdict, ended.message) == (status, verdict, message)
    assert [reason.code for reason in ended.reasons] == (["no_labels"] if verdict == Verdict.UNKNOWN else [])
    assert len(ended.violations) == (verdict == Verdict.VIOLATED)
    assert ended.statistics == {"version": 0.0, "deviation": "NaN"}
    assert ended.steps == (ExecutionStep("merge", 334, 300, 0.1),)
    assert (ended.item_count, ended.counts, ended.finished) == (334, {"matched": 300}, TICK)


def test_metrics_are_published_at_the_tick(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    ended = run_one(store, layout, runner)
    series = points.Series(metrics.MODEL_QUALITY, "f2", {"Endpoint": "churn", "MonitoringSchedule": "hourly"})
    with store.read() as connection:
        assert points.query(connection, series) == [point(TICK, 0.7, ended.id)]
    assert value_of(store, "f2_std") == [0.01]


def test_without_a_verdict_what_was_constrained_is_missing(
    store: Store, layout: Layout, runner: Any, hourly: str
) -> None:
    runner.verdict = Verdict.UNKNOWN
    run_one(store, layout, runner)
    assert [value_of(store, name) for name in ("f2", "f2_std", "accuracy")] == [[None], [None], [0.9]]


def test_a_failed_run_says_why_and_is_no_silence(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    watch_f2(store)
    runner.error = InputError("no column 'x'", evidence="file a.jsonl", hint="name another\x00")
    ended = run_one(store, layout, runner)
    assert (ended.status, ended.verdict, ended.message) == ("Failed", Verdict.UNKNOWN, "Failed: no column 'x'")
    assert ended.error is not None
    assert "file a.jsonl" in ended.error
    assert "\x00" not in ended.error
    assert ended.trace is not None
    assert "conftest.py" in ended.trace
    assert ended.reasons[0].code == "failed"
    assert ended.reasons[0].evidence["code"] == "invalid_input"
    assert value_of(store, "f2") == [None]
    with store.read() as connection:
        assert alarms.get(connection, "low").state == "ALARM"


def test_any_exception_is_a_failed_run(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    runner.error = KeyError("f2")
    ended = run_one(store, layout, runner)
    assert (ended.status, ended.message) == ("Failed", "Failed: KeyError: 'f2'")


def test_a_result_that_cannot_be_kept_is_a_failed_run(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    def odd(run: Any) -> Any:
        result = runner(run)
        result.statistics["oops"] = object()
        return result

    assert run_one(store, layout, odd).status == "Failed"


@pytest.mark.parametrize("constraints", [b"{broken", b"{}"])
def test_a_broken_baseline_is_a_failed_run(
    store: Store, layout: Layout, runner: Any, hourly: str, constraints: bytes
) -> None:
    with store.write() as connection:
        baselines.put(connection, baselines.Baseline("good-day", "model-quality", b"{}", constraints, TICK))
    ended = run_one(store, layout, runner)
    assert ended.status == "Failed"
    assert "baseline good-day" in str(ended.error)
    assert runner.runs == []


def test_an_alarm_rings_with_the_run_and_its_link(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    watch_f2(store)
    runner.verdict = Verdict.VIOLATED
    ended = run_one(store, layout, runner)
    with store.read() as connection:
        (moved,) = alarms.history(connection)
        pending = deliveries.listing(connection, transition=moved.id, status="pending")
    assert (moved.to_state, moved.run, moved.time) == ("ALARM", ended.id, TICK)
    assert moved.reason == "f2 was 0.41 at 11:00, LessThanOrEqualToThreshold 0.625 (1 of 1 datapoints)"
    assert {found.target for found in pending} == {"log", "http://localhost/hook"}
    assert pending[0].body["link"] == f"http://d/runs/{ended.id}"


def test_result_metrics_alarms_and_notices_are_one_act(
    store: Store, layout: Layout, runner: Any, hourly: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch_f2(store)
    runner.verdict = Verdict.VIOLATED
    plan_due(store, layout, TICK)

    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "enqueue", die)
        with pytest.raises(Killed):
            worker(store, layout, runner).run_next()
    assert value_of(store, "f2") == []
    with store.read() as connection:
        assert alarms.history(connection) == []
    ended = worker(store, layout, runner, real=61, owner="w2").run_next()
    assert ended is not None
    assert (ended.status, ended.attempts) == ("CompletedWithViolations", 2)
    with store.read() as connection:
        assert len(alarms.history(connection)) == 1


def test_a_new_revision_speaks_for_its_window(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    first = run_one(store, layout, runner)
    runner.verdict = Verdict.VIOLATED
    with store.write() as connection:
        run_now(connection, layout, hourly, now=TICK)
    second = worker(store, layout, runner).run_next()
    assert second is not None
    assert second.revision == 2
    assert value_of(store, "f2") == [0.41]
    with store.read() as connection:
        assert executions.get(connection, first.id) == first


def test_a_killed_runner_loses_its_lease_and_the_window_is_run_once_more(
    store: Store, layout: Layout, runner: Any, hourly: str
) -> None:
    plan_due(store, layout, TICK)
    with store.write() as connection:
        executions.claim(connection, owner="dead", now=TICK, real=TICK, lease=LEASE)
    assert worker(store, layout, runner, real=59).run_next() is None
    ended = worker(store, layout, runner, real=61).run_next()
    assert ended is not None
    assert (ended.status, ended.attempts) == ("Completed", 2)
    assert worker(store, layout, runner, real=9999).run_next() is None
    assert len(runner.runs) == 1


def test_a_run_that_kills_every_runner_is_given_up(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    plan_due(store, layout, TICK)
    for attempt in range(MOST_ATTEMPTS):
        with store.write() as connection:
            real = TICK + attempt * timedelta(minutes=2)
            assert executions.claim(connection, owner="dead", now=TICK, real=real, lease=LEASE) is not None
    ended = worker(store, layout, runner, real=9999).run_next()
    assert ended is not None
    assert (ended.status, runner.runs) == ("Failed", [])
    assert "lost 3 times" in str(ended.message)
    assert value_of(store, "f2") == [None]


def test_a_runner_taken_for_dead_changes_nothing_when_it_comes_back(
    store: Store, layout: Layout, runner: Any, hourly: str
) -> None:
    plan_due(store, layout, TICK)
    others: list[Execution | None] = []

    def overtaken(run: Any) -> Any:
        others.append(worker(store, layout, runner, real=61, owner="other").run_next())
        runner.verdict = Verdict.VIOLATED
        return runner(run)

    slow = worker(store, layout, overtaken, owner="slow").run_next()
    assert slow is not None
    assert others[0] is not None
    with store.read() as connection:
        assert executions.get(connection, slow.id) == others[0]
    assert value_of(store, "f2") == [0.7]


def test_a_schedule_deleted_under_a_run_discards_it(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    plan_due(store, layout, TICK)

    def deleted(run: Any) -> Any:
        with store.write() as connection:
            delete_schedule(connection, hourly)
        return runner(run)

    assert worker(store, layout, deleted).run_next() is not None
    assert value_of(store, "f2") == []


def test_the_heartbeat_keeps_a_long_run(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    plan_due(store, layout, TICK)
    beaten = threading.Event()
    moment = TICK.timestamp()

    def real() -> float:
        return moment + (30 if beaten.is_set() else 0)

    def long(run: Any) -> Any:
        beaten.set()
        for _ in range(400):  # until a beat has moved the lease, which takes a third of it
            with store.read() as connection:
                (found,) = executions.listing(connection)
            if found.lease_until is not None and found.lease_until >= TICK + timedelta(seconds=30):
                return runner(run)
            threading.Event().wait(0.01)
        raise AssertionError("no heartbeat")

    lease = timedelta(milliseconds=90)
    ended = Worker(store, layout, long, lambda: moment, owner="w", real=real, lease=lease).run_next()
    assert ended is not None
    assert ended.status == "Completed"


def test_with_nothing_to_do_nothing_is_done(store: Store, layout: Layout, runner: Any) -> None:
    assert worker(store, layout, runner).run_next() is None
