"""``GET /metrics``: Prometheus's own parser reads it, and its numbers are the service's."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from driftline.alerting.metrics import MODEL_QUALITY, dimensions_of
from driftline.core.verdict import Verdict
from driftline.core.window import Window
from driftline.resources.alarms import Alarm
from driftline.resources.metrics import Series, point
from driftline.service import Service
from driftline.serving.capture_log import CaptureCount
from driftline.storage import alarms, executions, metrics, spool
from driftline.storage.clock import system_clock
from driftline.storage.executions import Outcome
from driftline.testing import START, FakeClock
from driftline.web.worker import Worker

HOUR = timedelta(hours=1)
Sample = tuple[str, frozenset[tuple[str, str]]]


def read(text: str) -> dict[Sample, float]:
    """Every sample by name and labels; none may stand twice."""
    found: dict[Sample, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, key
            found[key] = sample.value
    return found


def value(text: str, name: str, **labels: str) -> float | None:
    return read(text).get((name, frozenset(labels.items())))


@pytest.fixture
def scheduled(service: Service, model: bytes) -> Service:
    service.deploy("churn", "model.json", model)
    service.create_schedule("hourly", endpoint="churn", cron="0 * * * *", attributes={"probability_attribute": "0"})
    return service


def judged(service: Service, end: timedelta, found: dict[str, float | None], **outcome: Any) -> None:
    """A run that is over, with what it published."""
    run = service.run_schedule("hourly", Window(START + end - HOUR, START + end))
    with service.store.write() as db:
        claimed = executions.claim(db, owner="me", now=START, real=START, lease=HOUR)
        assert claimed is not None
        assert claimed.id == run.id
        wanted = {"status": "Completed", "verdict": Verdict.OK, "message": "done"} | outcome
        executions.finish(db, claimed, Outcome(**wanted), START + timedelta(seconds=3))
        series = {name: Series(MODEL_QUALITY, name, dimensions_of("churn", "hourly")) for name in found}
        metrics.add(db, [(series[name], point(run.tick, number, run.id)) for name, number in found.items()])


def test_a_new_service_has_a_page(web: TestClient[Any]) -> None:
    answer = web.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert value(answer.text, "driftline_build_info", version="0.1.0") == 1
    assert value(answer.text, "driftline_queue_length") == 0
    other = web.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0, */*;q=0.1"})
    assert other.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert len(list(openmetrics(other.text))) > 10


def test_requests_are_those_of_every_process(scheduled: Service) -> None:
    workers = [Worker(scheduled) for _ in range(2)]
    with TestClient(workers[0].app) as first, TestClient(workers[1].app) as second:
        for client in (first, first, second):
            answer = client.post("/endpoints/churn/invocations", content="1,2,3", headers={"Content-Type": "text/csv"})
            assert answer.status_code == 200
        assert second.post("/endpoints/churn/invocations", content="1", headers={"Content-Type": "text/csv"}).is_error
        for name in ("none", "nobody"):
            assert first.post(f"/endpoints/{name}/invocations", content="1").status_code == 404
        for client in (first, second):
            text = client.get("/metrics").text
            name = "driftline_requests_total"
            assert value(text, name, endpoint="churn", status="200", outcome="ok") == 3
            assert value(text, name, endpoint="churn", status="400", outcome="invalid_input") == 1
            assert value(text, name, endpoint="", status="404", outcome="not_found") == 2
            seconds = "driftline_request_duration_seconds"
            labels = {"endpoint": "churn", "status": "200", "outcome": "ok"}
            assert value(text, f"{seconds}_count", **labels) == 3
            assert value(text, f"{seconds}_bucket", le="+Inf", **labels) == 3
            assert 0 < (value(text, f"{seconds}_sum", **labels) or 0) < 60
    for worker in workers:
        worker.captures.close()
        worker.requests.close()


def test_captures_runs_and_the_queue(scheduled: Service, web: TestClient[Any], clock: FakeClock) -> None:
    scheduled.add_capture_counts(
        [CaptureCount("churn", START, 5, 3, 1, 2), CaptureCount("churn", START + HOUR, 2, 0, 0)]
    )
    text = web.get("/metrics").text
    shown = [
        value(text, "driftline_capture_records_total", endpoint="churn", result=result)
        for result in ("captured", "sampled_out", "dropped")
    ]
    assert shown == [7, 3, 1]
    assert value(text, "driftline_capture_withheld_total", endpoint="churn") == 2
    place = {"schedule": "hourly", "endpoint": "churn"}
    assert value(text, "driftline_windows_overdue", **place) == 0
    scheduled.run_schedule("hourly")
    clock.advance(HOUR + timedelta(minutes=10))
    text = web.get("/metrics").text
    assert value(text, "driftline_runs", status="Pending", **place) == 1
    assert value(text, "driftline_queue_length") == 1
    assert value(text, "driftline_queue_age_seconds") == 4200
    # The run that waits, and the tick since then that nobody planned.
    assert value(text, "driftline_windows_overdue", **place) == 2
    assert value(text, "driftline_schedules", state="active") == 1
    assert value(text, "driftline_deliveries", status="failed") == 0


def test_the_newest_completed_run_speaks(scheduled: Service, web: TestClient[Any]) -> None:
    interval = {"lower": 0.6, "upper": 0.8, "level": 0.95, "method": "wilson"}
    statistics = {"binary_classification_metrics": {"f2": {"value": 0.7, "confidence_interval": interval}}}
    judged(scheduled, -3 * HOUR, {"f2": 0.4, "gone": 0.1})
    judged(
        scheduled, -2 * HOUR, {"f2": 0.7, "auc": None}, counts={"predictions": 8, "matched": 6}, statistics=statistics
    )
    judged(scheduled, -1 * HOUR, {"f2": None}, status="Failed", verdict=Verdict.UNKNOWN)
    text = web.get("/metrics").text
    place = {"endpoint": "churn", "schedule": "hourly"}
    assert value(text, "driftline_metric", metric="f2", **place) == 0.7
    # A metric without a value, or of an older run, is absent: an old number must not look like a new one.
    assert [value(text, "driftline_metric", metric=name, **place) for name in ("auc", "gone")] == [None, None]
    assert value(text, "driftline_metric_lower", metric="f2", **place) == 0.6
    assert value(text, "driftline_metric_upper", metric="f2", **place) == 0.8
    assert value(text, "driftline_label_coverage_ratio", **place) == 0.75
    assert value(text, "driftline_last_run_duration_seconds", **place) == 3
    assert value(text, "driftline_last_run_tick_seconds", **place) == (START - 2 * HOUR).timestamp()
    assert value(text, "driftline_last_run_verdict", verdict="OK", **place) == 1
    assert value(text, "driftline_last_run_verdict", verdict="UNKNOWN", **place) == 0


def test_alarms_have_one_state(scheduled: Service, web: TestClient[Any]) -> None:
    series = dimensions_of("churn", "hourly")
    scheduled.put_alarm(Alarm('it\'s "low" 🚨', "f2", MODEL_QUALITY, series, "LessThanThreshold", 0.6))
    text = web.get("/metrics").text
    labels = {"alarm": 'it\'s "low" 🚨', "endpoint": "churn", "schedule": "hourly", "metric": "f2"}
    states = {
        state: value(text, "driftline_alarm_state", state=state, **labels)
        for state in ("OK", "ALARM", "INSUFFICIENT_DATA")
    }
    assert states == {"OK": 0, "ALARM": 0, "INSUFFICIENT_DATA": 1}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("page") / "data", clock=FakeClock()) as service:
        yield service


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXT, TEXT, st.dictionaries(st.sampled_from(["Endpoint", "MonitoringSchedule", "Other"]), TEXT))
def test_any_text_comes_back_as_it_was(shared: Service, name: str, metric: str, dimensions: dict[str, str]) -> None:
    alarm = Alarm(name, metric, "ns", dimensions, "LessThanThreshold", 0.5)
    with shared.store.write() as db:
        alarms.put(db, name, alarm.series, alarm, START)
    text = shared.prometheus()[0].decode()
    place = {"endpoint": dimensions.get("Endpoint", ""), "schedule": dimensions.get("MonitoringSchedule", "")}
    labels = {"alarm": name, "metric": metric, "state": "INSUFFICIENT_DATA", **place}
    assert value(text, "driftline_alarm_state", **labels) == 1
    with shared.store.write() as db:
        alarms.remove(db, name)


def test_prometheus_s_own_program_has_nothing_to_say(
    scheduled: Service, over: Callable[[Service], TestClient[Any]]
) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    judged(scheduled, -2 * HOUR, {"f2": 0.7}, counts={"predictions": 8, "matched": 6})
    scheduled.put_alarm(Alarm("low\\", "f2", MODEL_QUALITY, dimensions_of("churn", "hourly"), "LessThanThreshold", 0.6))
    with over(scheduled) as web:
        page = web.get("/metrics").content
    checked = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, timeout=60)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_shipping_has_its_figures_where_there_is_a_shipper(service: Service) -> None:
    before = service.prometheus()[0].decode()
    assert "driftline_spool" not in before
    now = system_clock()
    said = spool.Shipping(now, 3, 4096, now - 60, 100, 9000, 7, 2, 1, "away", full=True)
    spool.tell(service.layout, said)
    spool.add_dropped(service.layout.data, 5)
    found = service.prometheus()[0].decode()
    wanted = {
        "spool_files": 3,
        "spool_bytes": 4096,
        "spool_full": 1,
        "cache_bytes": 100,
        "shipped_bytes_total": 9000,
        "shipping_uploads_total": 7,
        "shipping_failures_total": 2,
        "shipping_retries_total": 1,
        "spool_dropped_total": 5,
    }
    assert {name: value(found, f"driftline_{name}") for name in wanted} == wanted
    assert 60 <= (value(found, "driftline_spool_age_seconds") or 0) < 90
    assert list(openmetrics(service.prometheus("application/openmetrics-text")[0].decode()))
