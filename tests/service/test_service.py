"""The service object: what its methods promise beyond what the API tests see."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import xgboost

from driftline.core.errors import ConflictError, InputError, ModelError, NotFoundError, SetupError
from driftline.core.window import HOUR, Window
from driftline.jobs.scheduler import Scheduler
from driftline.pipeline import run_model_quality
from driftline.service import Service
from driftline.serving.capture_log import CaptureCount
from driftline.storage import revisions
from driftline.testing import START, FakeClock

READ = {"probability_attribute": "0"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "model.json"
    rows = np.random.default_rng(7).normal(size=(100, 3)).astype(np.float32)
    data = xgboost.DMatrix(rows, (rows[:, 0] > 0).astype(int))
    xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 2}, data, 3).save_model(path)
    return path.read_bytes()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def service(tmp_path: Path, clock: FakeClock) -> Iterator[Service]:
    with Service(tmp_path / "data", clock=clock) as service:
        yield service


def test_deploying_keeps_the_artifact_under_its_hash(service: Service, model: bytes) -> None:
    first = service.deploy("churn", "model.json", model)
    again = service.deploy("churn", "renamed.json", model)
    assert again.model_path == first.model_path
    assert again.revision > first.revision
    assert again.created == first.created
    assert (service.layout.data / first.model_path).read_bytes() == model
    assert [path for path in (service.layout.data / "models").rglob("*") if path.is_file()] == [
        service.layout.data / first.model_path
    ]
    with service.store.read() as db:
        assert revisions.current(db).endpoints == again.revision
    [served] = service.served()
    assert (served.name, served.revision) == ("churn", again.revision)


def test_a_model_that_cannot_be_used_changes_nothing(service: Service, model: bytes) -> None:
    before = service.deploy("churn", "model.json", model)
    with pytest.raises(ModelError, match=r"^broken\.json "):
        service.deploy("churn", "broken.json", model[: len(model) // 2])
    assert service.get_endpoint("churn") == before


def test_capture_settings_are_checked_before_the_model_is_looked_at(service: Service) -> None:
    with pytest.raises(InputError, match="percentage"):
        service.deploy("churn", "model.json", b"no model at all", {"percent": -1})


def test_settings_change_one_by_one(service: Service, model: bytes) -> None:
    service.deploy("churn", "model.json", model, {"percent": 20})
    capture = service.configure_capture("churn", {"output": False}).capture
    assert (capture.percent, capture.input, capture.output) == (20, True, False)
    with pytest.raises(InputError, match="no capture settings"):
        service.configure_capture("churn", {"percent": "lots"})
    with pytest.raises(NotFoundError):
        service.configure_capture("nobody", {"percent": 1})


def test_deleting_an_endpoint_pauses_its_schedules_and_keeps_its_data(service: Service, model: bytes) -> None:
    service.deploy("churn", "model.json", model)
    service.create_schedule("hourly", endpoint="churn", cron="0 * * * *", attributes=READ)
    service.put_labels("churn", b"id,label\na,1\n", "csv")
    service.delete_endpoint("churn")
    assert service.get_schedule("hourly").state == "paused"
    assert list(service.layout.labels("churn").rglob("*.jsonl"))
    assert service.served() == []
    with pytest.raises(NotFoundError):
        service.put_labels("churn", b"id,label\na,1\n", "csv")
    assert service.deploy("churn", "model.json", model).name == "churn"


def test_an_endpoint_without_traffic_has_no_data_and_no_failure(
    service: Service, clock: FakeClock, model: bytes
) -> None:
    service.deploy("quiet", "model.json", model)
    service.create_schedule("hourly", endpoint="quiet", cron="0 * * * *", attributes=READ)
    clock.advance(HOUR)
    scheduler = Scheduler(service.store, service.layout, clock, run_model_quality)
    try:
        scheduler.tick()
    finally:
        scheduler.close()
    [run] = service.list_runs(schedule="hourly")
    assert (run.status, run.verdict) == ("Completed", "UNKNOWN")
    assert [reason.code for reason in run.reasons] == ["no_captures"]


def test_a_schedule_names_a_program_and_never_gives_one(service: Service) -> None:
    service.register_endpoint("far")
    asked = {"endpoint": "far", "cron": "0 * * * *", "monitor": "data-quality", "attributes": {"program": "own"}}
    with pytest.raises(NotFoundError, match="there is no program 'own'"):
        service.create_schedule("columns", **asked)
    file = service.layout.data / "programs.toml"
    file.write_text('[program.own]\nrun = ["/no/such/program"]')
    with pytest.raises(InputError, match="the program own cannot be run"):
        service.create_schedule("columns", **asked)
    file.write_text(f'[program.own]\nrun = ["{sys.executable}"]')
    assert service.create_schedule("columns", **asked).attributes == {"program": "own"}
    for wrong in ("other", "/bin/sh -c ls", "../own"):
        with pytest.raises(NotFoundError, match="there is no program"):
            service.update_schedule("columns", attributes={"program": wrong})
    assert service.update_schedule("columns", cron="5 * * * *").attributes == {"program": "own"}


def test_counts_of_several_processes_add_up(service: Service, model: bytes) -> None:
    service.deploy("churn", "model.json", model)
    for _ in range(2):
        service.add_capture_counts([CaptureCount("churn", START, captured=3, sampled_out=2, dropped=1)])
    [found] = service.capture_counts("churn", Window(START, START + HOUR))
    assert (found.hour, found.captured, found.sampled_out, found.dropped) == (START, 6, 4, 2)


def test_a_schedule_needs_its_endpoint_and_a_name_of_its_own(service: Service, model: bytes) -> None:
    with pytest.raises(NotFoundError):
        service.create_schedule("hourly", endpoint="nobody", cron="0 * * * *", attributes=READ)
    service.deploy("churn", "model.json", model)
    service.create_schedule("hourly", endpoint="churn", cron="0 * * * *", attributes=READ)
    with pytest.raises(ConflictError):
        service.create_schedule("hourly", endpoint="churn", cron="0 * * * *", attributes=READ)
    asked = service.run_schedule("hourly", Window(START - 2 * HOUR, START - HOUR))
    assert service.run_schedule("hourly", Window(START - 2 * HOUR, START - HOUR)).id == asked.id
    with pytest.raises(InputError, match="ended"):
        service.run_schedule("hourly", Window(START, START + timedelta(minutes=1)))


def test_a_second_service_sees_what_the_first_stored(service: Service, model: bytes) -> None:
    service.deploy("churn", "model.json", model)
    with Service(service.layout.data) as other:
        assert [row.name for row in other.list_endpoints()] == ["churn"]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="data folder"):
        Service(tmp_path / "file")
