"""The client against a service: what it answers are the documents that the service itself gives."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
import xgboost
from litestar.testing import TestClient

import driftline
from driftline import Client, ConflictError, InputError, ModelError, NewAlarm, NewPoint, NotFoundError, Service, Window
from driftline.alerting.metrics import MODEL_QUALITY, dimensions_of
from driftline.resources.metrics import Series, point
from driftline.storage import metrics
from driftline.testing import START, FakeClock
from driftline.web.app import application

CONSTRAINTS = {
    "version": 0.0,
    "binary_classification_constraints": {"f2": {"threshold": 0.6, "comparison_operator": "LessThanThreshold"}},
}
WHERE = {"probability_attribute": "0"}
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("model") / "model.json"
    rows = np.random.default_rng(7).normal(size=(100, 3)).astype(np.float32)
    data = xgboost.DMatrix(rows, (rows[:, 0] > 0).astype(int))
    xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 2}, data, 3).save_model(path)
    return path


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path / "data", clock=FakeClock()) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    """A client whose requests are answered by the application in this process."""
    with TestClient(application(service)) as web, Client("http://testserver") as client:

        def answer(request: httpx.Request) -> httpx.Response:
            found = web.request(request.method, str(request.url), content=request.read(), headers=request.headers)
            return httpx.Response(found.status_code, content=found.content)

        client._http = httpx.Client(base_url=client.url, transport=httpx.MockTransport(answer))
        yield client


@pytest.fixture
def deployed(client: Client, model: Path) -> Client:
    client.deploy("churn", model)
    client.put_baseline("good", CONSTRAINTS)
    client.create_schedule(
        "hourly", endpoint="churn", cron="0 * * * *", baseline="good", attributes={"probability_attribute": "0"}
    )
    return client


def test_endpoints_are_those_of_the_service(client: Client, service: Service, model: Path, tmp_path: Path) -> None:
    made = client.deploy("churn", model, capture_percent=50, capture_input=False)
    assert made == service.get_endpoint("churn") == client.get_endpoint("churn")
    assert client.list_endpoints() == [made]
    assert (made.capture.percent, made.capture.input, made.model.n_features) == (50, False, 3)
    assert made.created == START
    assert client.configure_capture("churn", percent=7).capture.percent == 7
    assert client.configure_capture("churn", input=True).capture == service.get_endpoint("churn").capture
    assert client.capture_counts("churn") == []
    rules = ["input:3:hash", "output:customer.ssn:drop"]
    hidden = client.configure_capture("churn", sensitive=rules).capture.sensitive
    assert [(rule.side, rule.column, rule.action) for rule in hidden] == [
        ("input", 3, "hash"),
        ("output", "customer.ssn", "drop"),
    ]
    assert client.deploy("churn", model).capture.sensitive == hidden, "what is left out stays"
    assert client.register_endpoint("far", sensitive=rules).capture.sensitive == hidden
    assert client.deploy("new", model, sensitive=rules).capture.sensitive == hidden
    assert client.configure_capture("churn", sensitive=[]).capture.sensitive == ()
    for wrong in (["input:-1:hash"], ["input:1:hash", "input:1:mask"]):
        with pytest.raises(InputError):
            client.configure_capture("churn", sensitive=wrong)
    for gone in ("far", "new"):
        client.delete_endpoint(gone)
    client.delete_endpoint("churn")
    with pytest.raises(NotFoundError, match="no endpoint churn"):
        client.get_endpoint("churn")
    (tmp_path / "list.json").write_text("{}")
    with pytest.raises(ModelError, match=r"list\.json"):
        client.deploy("shop", tmp_path / "list.json")
    with pytest.raises(InputError, match="cannot be read"):
        client.deploy("shop", tmp_path / "missing.json")


def test_a_variant_and_a_place_in_a_bucket_are_kept(client: Client, model: Path) -> None:
    made = client.deploy("churn", model, variant="Blue", destination="s3://lake/captured")
    assert (made.variant, made.capture.destination) == ("Blue", "s3://lake/captured")
    kept = client.deploy("churn", model)
    assert (kept.variant, kept.capture.destination) == ("Blue", "s3://lake/captured")
    assert client.configure_capture("churn", destination="").capture.destination == ""
    with pytest.raises(InputError, match="names no object"):
        client.configure_capture("churn", destination="/somewhere")


def test_labels_and_baselines(deployed: Client, service: Service) -> None:
    receipt = deployed.put_labels("churn", b"who,left\na,1\nb,\n", "csv", id_column="who", label_column="left")
    assert (receipt.accepted, receipt.without_label) == (1, 1)
    with pytest.raises(InputError, match="line 1"):
        deployed.put_labels("churn", b"{}", "jsonl")
    [baseline] = deployed.list_baselines()
    assert baseline == deployed.get_baseline("good") == service.get_baseline("good")
    assert baseline.constraints == CONSTRAINTS
    deployed.put_baseline("good", {**CONSTRAINTS, "version": 1.0}, note="why")
    versions = deployed.list_baseline_versions("good")
    assert versions == service.list_baseline_versions("good")
    assert [(row.version, row.author, row.note) for row in versions] == [(2, "anonymous", "why"), (1, "anonymous", "")]
    assert deployed.list_baseline_versions("good", limit=1, offset=1) == versions[1:]
    assert deployed.get_baseline_version("good", 1) == service.get_baseline_version("good", 1)
    assert deployed.get_baseline_version("good", 1).constraints == CONSTRAINTS
    for asked in (lambda: deployed.list_baseline_versions("none"), lambda: deployed.get_baseline_version("good", 3)):
        with pytest.raises(NotFoundError):
            asked()


def test_schedules_and_runs(deployed: Client, service: Service) -> None:
    [schedule] = deployed.list_schedules()
    assert schedule == deployed.get_schedule("hourly") == service.get_schedule("hourly")
    assert (schedule.state, schedule.next_tick) == ("active", START + HOUR)
    assert deployed.pause_schedule("hourly").state == "paused"
    assert deployed.resume_schedule("hourly").state == "active"
    asked = deployed.run_schedule("hourly", start=START - 3 * HOUR, end=START - HOUR)
    assert (asked.window, asked.status) == (Window(START - 3 * HOUR, START - HOUR), "Pending")
    last = deployed.run_schedule("hourly", start=None, end=None)
    assert last.window == Window(START - HOUR, START)
    assert deployed.list_runs(schedule="hourly") == [last, asked] == service.list_runs()
    assert deployed.list_runs(schedule="hourly", limit=1, offset=1) == [asked]
    assert deployed.get_run(asked.id) == asked
    with pytest.raises(InputError, match="start and an end"):
        deployed.run_schedule("hourly", start=START)
    deployed.delete_schedule("hourly")
    assert deployed.list_schedules() == []


def test_metrics_and_alarms(deployed: Client, service: Service) -> None:
    series = Series(MODEL_QUALITY, "f2", dimensions_of("churn", "hourly"))
    with service.store.write() as db:
        metrics.add(db, [(series, point(START - HOUR, 0.5)), (series, point(START, None))])
    assert deployed.list_metrics() == deployed.list_metrics(name="f2") == [series]
    points = deployed.metric_points("f2", schedule="hourly", endpoint="churn")
    assert [(point.time, point.value) for point in points] == [(START - HOUR, 0.5), (START, None)]
    early = deployed.metric_points("f2", schedule="hourly", endpoint="churn", start=START - HOUR, end=START)
    assert early == points[:1]
    wanted = NewAlarm("f2", "LessThanThreshold", 0.6, "churn", "hourly", alarm_actions=("https://hooks.test/secret",))
    alarm = deployed.put_alarm("low", wanted)
    assert alarm == deployed.get_alarm("low") == service.get_alarm("low")
    assert deployed.list_alarms() == [alarm]
    assert alarm.definition.dimensions == series.dimensions
    assert alarm.definition.alarm_actions == ("https://hooks.test/…",)
    assert deployed.alarm_history("low") == service.alarm_history("low")
    assert deployed.alarm_notifications("low") == service.alarm_notifications("low")
    [change] = deployed.put_metrics([NewPoint("f2", 0.4, dimensions=series.dimensions, time=START)])
    assert (change.alarm, change.to_state) == ("low", "ALARM")
    assert deployed.alarm_history("low")[0] == change
    with pytest.raises(InputError, match="no usable number"):
        deployed.put_metrics([NewPoint("f2", 1e200)])
    deployed.delete_alarm("low")
    with pytest.raises(NotFoundError):
        deployed.delete_alarm("low")


def test_a_run_is_stopped_and_found_by_the_beginning_of_its_id(client: Client, service: Service) -> None:
    service.register_endpoint("churn")
    client.create_schedule("hourly", endpoint="churn", cron="0 * * * *", monitor="data-quality")
    run = client.run_schedule("hourly")
    assert service.find_run(run.id[:24]) == service.get_run(run.id)
    assert service.find_run("x") is None
    assert client.stop_run(run.id).status == "Stopped"
    with pytest.raises(ConflictError):
        client.stop_run(run.id)


def test_a_baseline_is_deleted_when_no_schedule_needs_it(client: Client, service: Service) -> None:
    service.register_endpoint("churn")
    client.put_baseline("good", CONSTRAINTS)
    client.create_schedule("hourly", endpoint="churn", cron="0 * * * *", baseline="good", attributes=WHERE)
    with pytest.raises(ConflictError, match="in use"):
        client.delete_baseline("good")
    client.delete_schedule("hourly")
    client.delete_baseline("good")
    with pytest.raises(NotFoundError):
        client.delete_baseline("good")


def test_the_client_has_the_service_s_words() -> None:
    def methods(kind: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}

    inside = {
        "add_capture_counts",
        "any_scheduler",
        "catch_up",
        "enter_node",
        "find_run",
        "forget_node",
        "forget_script",
        "have_model",
        "job_log",
        "keep_events",
        "keep_model",
        "keep_script",
        "last_day",
        "last_served",
        "list_nodes",
        "models_came",
        "now",
        "report_folder",
        "served",
        "window_of",
    }
    assert methods(Service) - methods(Client) == inside
    assert methods(Client) - methods(Service) == {"guarded", "healthy", "invoke", "wait_for_batch_job", "wait_for_run"}


def test_every_document_is_a_public_name() -> None:
    """Whoever writes a function on an answer can name its type."""
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        answer = str(inspect.signature(method).return_annotation)
        inner = answer.removeprefix("list[").removesuffix("]")
        assert name.startswith("_") or inner in {"None", "bool", "bytes"} or inner in driftline.__all__, (name, answer)
