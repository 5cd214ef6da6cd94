from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from driftline.core.documents import Violation
from driftline.core.errors import ConflictError, NotFoundError
from driftline.core.verdict import Reason, Verdict
from driftline.core.window import Window
from driftline.resources.access import AuditEntry
from driftline.resources.alarms import Alarm, Datapoint, Transition
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.resources.executions import Execution, ExecutionStep, RejectedRecords
from driftline.resources.metrics import point, statistic_set
from driftline.storage import (
    alarms,
    audit,
    baselines,
    capture_counts,
    deliveries,
    endpoints,
    executions,
    metrics,
    schedules,
)
from driftline.storage.database import Store
from driftline.storage.executions import Outcome

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=60)
WINDOW = Window(NOW - HOUR, NOW)
SCHEDULE = schedules.Schedule(
    name="hourly",
    endpoint="churn",
    monitor="model-quality",
    cron="0 * * * *",
    start_offset="PT0S",
    end_offset="PT0S",
    baseline=None,
    problem_type="BinaryClassification",
    attributes={"probability_attribute": "0"},
    state="active",
    created=NOW,
    last_tick=NOW,
    next_tick=NOW + HOUR,
)
F2 = metrics.Series("ns", "f2", {"Endpoint": "churn", "MonitoringSchedule": "hourly"})
LOW = Alarm("low", F2.name, F2.namespace, F2.dimensions, "LessThanThreshold", 1.0)
XGBOOST = ModelDescription(runtime="xgboost")


@pytest.fixture(params=["its own schema", "a newer schema"])
def store(request: pytest.FixtureRequest, store: Store, grow: Callable[[Store], None]) -> Store:
    """Everything here also works where a newer version has brought the schema further."""
    if request.param == "a newer schema":
        grow(store)
    return store


def make_endpoint(store: Store, name: str = "churn") -> endpoints.Endpoint:
    with store.write() as connection:
        return endpoints.create(
            connection, name, model_path="models/churn", model=XGBOOST, capture=CaptureSettings(percent=20), now=NOW
        )


def add_execution(store: Store, window: Window = WINDOW, revision: int = 1) -> Execution | None:
    with store.write() as connection:
        if not schedules.listing(connection):
            schedules.add(connection, SCHEDULE)
        return executions.add(
            connection, SCHEDULE, window, tick=window.end, revision=revision, report="reports/x", now=NOW
        )


def claim(store: Store, owner: str = "w1", real: datetime = NOW) -> Execution | None:
    with store.write() as connection:
        return executions.claim(connection, owner=owner, now=NOW, real=real, lease=LEASE)


def test_an_endpoint_comes_back_as_it_was_made(store: Store) -> None:
    made = make_endpoint(store)
    with store.read() as connection:
        assert endpoints.get(connection, "churn") == made
        assert endpoints.listing(connection) == [made]
    assert (made.revision, made.variant, made.capture) == (1, "AllTraffic", CaptureSettings(percent=20))


def test_an_endpoint_name_is_taken_until_it_is_deleted(store: Store) -> None:
    make_endpoint(store)
    with pytest.raises(ConflictError, match="churn exists"):
        make_endpoint(store)
    with store.write() as connection:
        endpoints.delete(connection, "churn", now=NOW)
        with pytest.raises(NotFoundError):
            endpoints.get(connection, "churn")
    again = make_endpoint(store)
    assert again.revision == 3


def test_serving_learns_of_every_change_in_order(store: Store) -> None:
    make_endpoint(store, "a")
    make_endpoint(store, "b")
    with store.write() as connection:
        endpoints.change(connection, "a", now=NOW + HOUR, capture=CaptureSettings(percent=100))
        endpoints.delete(connection, "b", now=NOW + HOUR)
    with store.read() as connection:
        changed = endpoints.changes_since(connection, 2)
        assert [(found.name, found.revision, found.deleted) for found in changed] == [("a", 3, False), ("b", 4, True)]
        assert changed[0].capture == CaptureSettings(percent=100)
        assert changed[0].updated == NOW + HOUR
        assert len(endpoints.changes_since(connection, 0)) == 2
        assert endpoints.changes_since(connection, 4) == []


def test_changing_what_does_not_exist_or_may_not_change(store: Store) -> None:
    with store.write() as connection:
        with pytest.raises(NotFoundError, match="no endpoint x"):
            endpoints.change(connection, "x", now=NOW, variant="v")
        with pytest.raises(TypeError):
            endpoints.change(connection, "x", now=NOW, revision=7)


def test_a_baseline_is_replaced_by_its_name(store: Store) -> None:
    first = baselines.Baseline("b", "model-quality", b'{"a":1}', b"\x00\xff", NOW)
    second = msgspec.structs.replace(first, constraints=b"{}")
    with store.write() as connection:
        baselines.put(connection, first)
        assert baselines.get(connection, "b") == first
        baselines.put(connection, second)
        assert baselines.listing(connection) == [second]
        assert baselines.remove(connection, "b")
        assert not baselines.remove(connection, "b")
        with pytest.raises(NotFoundError):
            baselines.get(connection, "b")


def test_schedules_are_kept_changed_and_due(store: Store) -> None:
    with store.write() as connection:
        schedules.add(connection, SCHEDULE)
        with pytest.raises(ConflictError, match="hourly exists"):
            schedules.add(connection, SCHEDULE)
        assert schedules.get(connection, "hourly") == SCHEDULE
        assert schedules.due(connection, NOW + HOUR - timedelta(microseconds=1)) == []
        assert schedules.due(connection, NOW + HOUR) == ["hourly"]
        schedules.save(connection, msgspec.structs.replace(SCHEDULE, state="paused"))
        assert schedules.due(connection, NOW + HOUR) == []
        assert schedules.listing(connection, endpoint="other") == []
        assert len(schedules.listing(connection, endpoint="churn")) == 1


def test_a_schedule_takes_its_executions_with_it(store: Store) -> None:
    added = add_execution(store)
    assert added is not None
    with store.write() as connection:
        assert schedules.remove(connection, "hourly")
        assert not schedules.remove(connection, "hourly")
        with pytest.raises(NotFoundError):
            executions.get(connection, added.id)


def test_a_window_has_one_row_per_revision(store: Store) -> None:
    first = add_execution(store)
    assert first is not None
    assert add_execution(store) is None
    second = add_execution(store, revision=2)
    assert second is not None
    with store.read() as connection:
        assert executions.get(connection, first.id) == first
        assert executions.latest(connection, "hourly", WINDOW) == second
        assert executions.revisions(connection, "hourly", WINDOW) == [first.id, second.id]
        assert executions.latest(connection, "hourly", WINDOW.shifted("PT1H", "PT1H")) is None


def test_claims_take_the_oldest_tick_and_each_only_once(store: Store) -> None:
    later = add_execution(store)
    earlier = add_execution(store, WINDOW.shifted("-PT1H", "-PT1H"))
    assert later is not None
    assert earlier is not None
    taken = [claim(store), claim(store), claim(store)]
    assert [found and found.id for found in taken] == [earlier.id, later.id, None]
    assert taken[0] is not None
    assert (taken[0].status, taken[0].attempts, taken[0].lease_owner) == ("InProgress", 1, "w1")
    assert taken[0].lease_until == NOW + LEASE


def test_an_expired_lease_is_claimed_again_and_the_old_claim_counts_for_nothing(store: Store) -> None:
    add_execution(store)
    first = claim(store, "w1")
    assert first is not None
    assert claim(store, "w2", NOW + LEASE) is None
    second = claim(store, "w2", NOW + LEASE + timedelta(seconds=1))
    assert second is not None
    assert (second.id, second.attempts) == (first.id, 2)
    done = Outcome("Completed", Verdict.OK, "Completed: fine.")
    with store.write() as connection:
        assert not executions.extend(connection, first, NOW + 9 * LEASE)
        assert not executions.finish(connection, first, done, NOW)
        assert executions.extend(connection, second, NOW + 9 * LEASE)
        assert executions.finish(connection, second, done, NOW)
        assert not executions.finish(connection, second, done, NOW)
        assert not executions.waiting(connection, NOW + 99 * LEASE)


def test_an_outcome_is_kept_whole(store: Store) -> None:
    add_execution(store)
    claimed = claim(store)
    assert claimed is not None
    outcome = Outcome(
        "CompletedWithViolations",
        Verdict.VIOLATED,
        "CompletedWithViolations: …",
        reasons=(Reason("no_labels", "none", {"files": 0}, (("captures", "yes"),)),),
        violations=(Violation(metric_name="f2", constraint_check_type="LessThanThreshold", description="Metric f2 …"),),
        steps=(ExecutionStep("merge", 5, 4, 0.1),),
        counts={"matched": 5},
        statistics={"version": 0.0},
        rejects=(RejectedRecords("labels", "no_label", 1),),
        item_count=5,
        error="e",
        trace="t",
    )
    with store.write() as connection:
        assert executions.finish(connection, claimed, outcome, NOW + HOUR)
        ended = executions.get(connection, claimed.id)
        (listed,) = executions.listing(connection)
    assert {field: getattr(ended, field) for field in outcome.__struct_fields__} == msgspec.structs.asdict(outcome)
    assert ended.verdict is Verdict.VIOLATED
    assert (ended.finished, ended.lease_owner, ended.window) == (NOW + HOUR, None, WINDOW)
    assert (listed.statistics, listed.trace, listed.violations) == ({}, None, outcome.violations)


def test_executions_are_listed_by_what_is_asked(store: Store) -> None:
    for hour in range(3):
        add_execution(store, Window(NOW + hour * HOUR, NOW + (hour + 1) * HOUR))
    claim(store)
    with store.read() as connection:
        assert [found.tick for found in executions.listing(connection)] == [NOW + hour * HOUR for hour in (3, 2, 1)]
        assert len(executions.listing(connection, schedule="hourly", status="Pending")) == 2
        assert len(executions.listing(connection, endpoint="other")) == 0
        inside = executions.listing(connection, since=NOW + 2 * HOUR, until=NOW + 3 * HOUR)
        assert [found.tick for found in inside] == [NOW + 2 * HOUR]
        assert len(executions.listing(connection, limit=1, offset=2)) == 1
        assert executions.tally(connection, schedule="hourly") == {"InProgress": 1, "Pending": 2}
        with pytest.raises(NotFoundError, match="no execution nope"):
            executions.get(connection, "nope")


def test_a_stopped_run_is_over_and_its_result_is_discarded(store: Store) -> None:
    add_execution(store)
    claimed = claim(store)
    assert claimed is not None
    with store.write() as connection:
        executions.stop(connection, claimed.id, NOW)
        assert executions.get(connection, claimed.id).status == "Stopped"
        assert not executions.finish(connection, claimed, Outcome("Completed", Verdict.OK, "m"), NOW)
        with pytest.raises(ConflictError, match="Stopped already"):
            executions.stop(connection, claimed.id, NOW)


def test_threads_never_claim_the_same_execution(store: Store) -> None:
    for hour in range(20):
        add_execution(store, Window(NOW + hour * HOUR, NOW + (hour + 1) * HOUR))
    taken: list[str] = []

    def take(owner: str) -> None:
        while (found := claim(store, owner)) is not None:
            taken.append(found.id)

    threads = [threading.Thread(target=take, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 20


def test_points_come_back_in_order_with_missing_ones(store: Store) -> None:
    points = [point(NOW + hour * HOUR, value, "run") for hour, value in enumerate((0.5, None, 0.7))]
    with store.write() as connection:
        metrics.add(connection, [(F2, entry) for entry in reversed(points)])
        metrics.add(connection, [])
        assert metrics.query(connection, F2) == points
        assert metrics.query(connection, F2, since=NOW + HOUR, until=NOW + 2 * HOUR) == [points[1]]
        assert metrics.query(connection, F2, limit=2) == points[1:]
        assert metrics.query(connection, msgspec.structs.replace(F2, dimensions={"Endpoint": "churn"})) == []
        reordered = msgspec.structs.replace(F2, dimensions=dict(reversed(F2.dimensions.items())))
        assert metrics.query(connection, reordered) == points
        assert metrics.listing(connection) == [F2]
        assert metrics.listing(connection, namespace="other") == metrics.listing(connection, name="auc") == []
        metrics.forget_runs(connection, ["run"])
        metrics.forget_runs(connection, [])
        assert metrics.query(connection, F2) == []


def test_a_statistic_set_has_its_mean_and_an_empty_one_is_missing() -> None:
    made = statistic_set(NOW, total=6, minimum=1, maximum=3, count=3)
    assert (made.value, made.sum, made.minimum, made.maximum, made.count) == (2, 6, 1, 3, 3)
    assert statistic_set(NOW, total=0, minimum=0, maximum=0, count=0).value is None
    assert point(NOW, float("inf")).value is None


def test_the_last_periods_are_those_that_have_points(store: Store) -> None:
    hours = [NOW + hour * HOUR for hour in (0, 1, 5)]
    with store.write() as connection:
        metrics.add(connection, [(F2, point(moment, 1.0)) for moment in hours])
        metrics.add(connection, [(F2, point(hours[-1] + timedelta(minutes=3), 2.0))])
        found = metrics.latest_periods(connection, F2, period=600, periods=2)
        assert [entry.time for entry in found] == [*hours[1:], hours[-1] + timedelta(minutes=3)]
        assert metrics.latest_periods(connection, F2, period=86400, periods=1)[0].time == hours[0]
        assert metrics.latest_periods(connection, metrics.Series("ns", "none"), period=60, periods=5) == []


def test_an_alarm_keeps_its_state_when_it_is_redefined(store: Store) -> None:
    redefined = msgspec.structs.replace(LOW, threshold=2.0)
    moved = Transition("t1", "low", "INSUFFICIENT_DATA", "ALARM", NOW, "why", (Datapoint(NOW, 0.4, True),), "run")
    with store.write() as connection:
        made = alarms.put(connection, "low", F2, LOW, NOW)
        assert (made.state, made.state_since) == ("INSUFFICIENT_DATA", NOW)
        alarms.move(connection, moved)
        again = alarms.put(connection, "low", F2, redefined, NOW + HOUR)
        assert (again.state, again.reason, again.definition) == ("ALARM", "why", redefined)
        assert alarms.get(connection, "low") == again
        assert alarms.history(connection, "low") == alarms.history(connection) == [moved]
        assert alarms.listing(connection, state="OK") == []
        assert alarms.listing(connection, state="ALARM") == [again]
        assert alarms.watching(connection, "ns", F2.dimensions) == [("low", "f2")]
        assert alarms.remove(connection, "low")
        assert not alarms.remove(connection, "low")
        assert alarms.history(connection, "low") == [moved]
        with pytest.raises(NotFoundError):
            alarms.get(connection, "low")


def test_a_delivery_is_noted_once_and_taken_by_one(store: Store) -> None:
    with store.write() as connection:
        alarms.move(connection, Transition("t1", "low", "OK", "ALARM", NOW, "why"))
        first = deliveries.enqueue(connection, "t1", "log", {"alarm": "low"}, NOW)
        assert deliveries.enqueue(connection, "t1", "log", {}, NOW) == first
        assert not deliveries.waiting(connection, NOW - HOUR)
        assert deliveries.waiting(connection, NOW)
        taken = deliveries.claim(connection, real=NOW, lease=LEASE)
        assert taken is not None
        assert (taken.id, taken.attempts, taken.body) == (first, 1, {"alarm": "low"})
        assert deliveries.claim(connection, real=NOW, lease=LEASE) is None


def test_a_delivery_is_due_again_when_its_sender_died_or_failed(store: Store) -> None:
    with store.write() as connection:
        alarms.move(connection, Transition("t1", "low", "OK", "ALARM", NOW, "why"))
        deliveries.enqueue(connection, "t1", "log", {}, NOW)
        first = deliveries.claim(connection, real=NOW, lease=LEASE)
        second = deliveries.claim(connection, real=NOW + LEASE, lease=LEASE)
        assert first is not None
        assert second is not None
        assert (second.id, second.attempts) == (first.id, 2)
        deliveries.postpone(connection, first, "late word of a dead sender", None)
        assert deliveries.listing(connection, status="failed") == []
        deliveries.postpone(connection, second, "busy", NOW + HOUR)
        assert deliveries.claim(connection, real=NOW + 2 * LEASE, lease=LEASE) is None
        third = deliveries.claim(connection, real=NOW + HOUR, lease=LEASE)
        assert third is not None
        assert third.last_error == "busy"
        deliveries.succeed(connection, third, NOW + HOUR)
        (sent,) = deliveries.listing(connection, transition="t1")
    assert (sent.status, sent.attempts, sent.sent, sent.last_error) == ("sent", 3, NOW + HOUR, None)


def test_capture_counts_add_up(store: Store) -> None:
    with store.write() as connection:
        capture_counts.add(connection, "churn", NOW, capture_counts.CaptureCounts(5, 2, 1))
        capture_counts.add(connection, "churn", NOW + HOUR / 2, capture_counts.CaptureCounts(captured=1))
        capture_counts.add(connection, "churn", NOW + HOUR, capture_counts.CaptureCounts(10))
        capture_counts.add(connection, "other", NOW, capture_counts.CaptureCounts(99))
        assert capture_counts.total(connection, "churn", Window(NOW, NOW + HOUR)) == capture_counts.CaptureCounts(
            6, 2, 1
        )
        assert capture_counts.total(connection, "churn", Window(NOW, NOW + 2 * HOUR)).captured == 16
        assert capture_counts.total(connection, "churn", Window(NOW, NOW)) == capture_counts.CaptureCounts()
        assert list(capture_counts.by_hour(connection, "churn", Window(NOW, NOW + 2 * HOUR))) == [NOW, NOW + HOUR]


def test_alarms_of_a_schedule_are_found_whatever_other_dimensions_they_have(store: Store) -> None:
    with store.write() as connection:
        for name, more in (("a", {}), ("b", {"Facet": 'a "quoted" one'}), ("c", {"MonitoringSchedule": "hourlX"})):
            series = metrics.Series("ns", "f2", {"Endpoint": "churn", "MonitoringSchedule": "hour_y"} | more)
            alarms.put(connection, name, series, LOW, NOW)
        assert alarms.of_schedule(connection, "ns", "hour_y") == ["a", "b"]
        assert alarms.of_schedule(connection, "ns", "hour") == []
        assert alarms.of_schedule(connection, "other", "hour_y") == []


def test_what_was_done_to_a_target_is_found_within_a_time(store: Store) -> None:
    with store.write() as connection:
        for hour, outcome in enumerate(("done", "refused with 403", "done", "done")):
            audit.add(connection, AuditEntry(NOW + hour * HOUR, "a", "admin", f"act{hour}", "baselines/b", outcome, {}))
        audit.add(connection, AuditEntry(NOW, "a", "admin", "other", "baselines/c", "done", {}))
        found = audit.changes(connection, "baselines/b", since=NOW, until=NOW + 3 * HOUR)
        assert [entry.action for entry in found] == ["act2", "act0"]


def test_the_series_of_a_run_come_in_its_order(store: Store) -> None:
    other = metrics.Series("ns", "auc", F2.dimensions | {"Facet": "x"})
    with store.write() as connection:
        metrics.add(connection, [(F2, point(NOW, 0.5, "run")), (other, point(NOW, 0.5, "run"))])
        metrics.add(connection, [(F2, point(NOW, 0.5, "another"))])
        assert metrics.of_run(connection, "run", limit=9) == [F2, other]
        assert metrics.of_run(connection, "run", limit=1) == [F2]
