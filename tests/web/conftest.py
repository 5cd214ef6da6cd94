"""The application in this process over a service with a clock that stands still."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
import uvicorn
import xgboost
from litestar.testing import TestClient

from driftline.alerting.metrics import NAMESPACES, publish
from driftline.core.verdict import Verdict
from driftline.core.window import HOUR, Window
from driftline.resources.access import ROLES, NewToken
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.resources.metrics import Series, point
from driftline.resources.schedules import Schedule
from driftline.service import Service
from driftline.storage import endpoints, executions, metrics, schedules
from driftline.storage.executions import Outcome
from driftline.testing import START, FakeClock
from driftline.web.app import application
from driftline.web.connections import Connection
from driftline.web.worker import Worker


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def service(tmp_path: Path, clock: FakeClock) -> Iterator[Service]:
    with Service(tmp_path / "data", clock=clock) as service:
        yield service


@pytest.fixture(scope="session")
def over() -> Callable[[Service], TestClient[Any]]:
    """A client of the application over a service: ``over(service)``."""

    def build(service: Service) -> TestClient[Any]:
        return TestClient(application(service))

    return build


@pytest.fixture
def web(service: Service, over: Callable[[Service], TestClient[Any]]) -> Iterator[TestClient[Any]]:
    with over(service) as client:
        yield client


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small model of three features."""
    path = tmp_path_factory.mktemp("model") / "model.json"
    rows = np.random.default_rng(7).normal(size=(100, 3)).astype(np.float32)
    data = xgboost.DMatrix(rows, (rows[:, 0] > 0).astype(int))
    xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 2}, data, 3).save_model(path)
    return path.read_bytes()


class Guarded:
    """What tests of access need: the service, its worker, the address, and a token of every role."""

    def __init__(self, service: Service, worker: Worker, url: str, server: uvicorn.Server) -> None:
        self.service, self.worker, self.url, self.server = service, worker, url, server
        self.tokens = {role: service.create_token(NewToken(f"the-{role}", role)).secret for role in ROLES}
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=30)

    def ask(self, method: str, path: str, role: str | None = None, **options: Any) -> httpx.Response:
        """A request with the token of a role, or without one; cookies are not kept."""
        headers = dict(options.pop("headers", {}))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        self.http.cookies.clear()
        return self.http.request(method, path, headers=headers, **options)


@contextlib.contextmanager
def served(app: Any) -> Iterator[tuple[str, uvicorn.Server]]:
    """An application on a free port: its address and its server."""
    listening = socket.socket(proto=socket.IPPROTO_TCP)  # named, or answers wait for more to send
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    server = uvicorn.Server(uvicorn.Config(app, http=Connection, loop="asyncio", ws="none", log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", server
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def serve() -> Callable[[Any], contextlib.AbstractContextManager[tuple[str, uvicorn.Server]]]:
    """:func:`served`."""
    return served


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A service that wants tokens, for the tests of a module."""
    with Service(tmp_path_factory.mktemp("guarded") / "data") as service:
        worker = Worker(service, access=True)
        with served(worker.app) as (url, server):
            found = Guarded(service, worker, url, server)
            yield found
            found.http.close()
        worker.captures.close()
        worker.requests.close()


class World:
    """Endpoints, schedules and runs put straight into a service's store, as if they had happened."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def endpoint(self, name: str = "churn") -> None:
        """An endpoint with a model."""
        with self.service.store.write() as db:
            model, capture = ModelDescription(runtime="xgboost"), CaptureSettings()
            now = self.service.now()
            endpoints.create(db, name, model_path="models/none", model=model, capture=capture, now=now)

    def schedule(self, name: str, endpoint: str = "churn", monitor: str = "model-quality", **changes: Any) -> Schedule:
        """An hourly schedule whose next tick is in an hour, with changes."""
        now = self.service.now()
        made = Schedule(
            name, endpoint, monitor, "0 * * * *", "PT0S", "PT0S", None, "BinaryClassification", {}, "active", now, now,
            now + timedelta(hours=1),
        )  # fmt: skip
        made = msgspec.structs.replace(made, **changes)
        with self.service.store.write() as db:
            schedules.add(db, made)
        return made

    def run(self, schedule: Schedule, end: datetime, outcome: Outcome | None, *, revision: int = 1) -> str:
        """A run of the hour before ``end``; one without an outcome waits. Its id."""
        window = Window(end - timedelta(hours=1), end)
        with self.service.store.write() as db:
            made = executions.add(db, schedule, window, tick=end, revision=revision, report="reports/x", now=end)
            assert made is not None
            if outcome is not None:
                claimed = executions.claim(db, owner="w", now=end, real=end, lease=timedelta(seconds=60))
                assert claimed is not None
                assert executions.finish(db, claimed, outcome, end)
        return made.id

    def points(self, schedule: Schedule, metric: str, values: dict[datetime, float | None], namespace: str) -> None:
        """Points of a metric of a schedule."""
        series = Series(namespace, metric, {"Endpoint": schedule.endpoint, "MonitoringSchedule": schedule.name})
        with self.service.store.write() as db:
            metrics.add(db, [(series, point(time, value)) for time, value in values.items()])


@pytest.fixture
def world(service: Service) -> World:
    """Puts what happened into the store of ``service``."""
    return World(service)


class Ran:
    """Makes runs of a schedule as the scheduler leaves them, without running anything: ``ran(hour, f2=0.8)``."""

    def __init__(self, service: Service, monitor: str = "model-quality", name: str = "hourly") -> None:
        self.service, self.name = service, name
        with service.store.write() as db:
            endpoints.create(
                db, "churn", model_path="", model=ModelDescription(), capture=CaptureSettings(), now=service.now()
            )
            schedules.add(db, schedule_row(name, monitor))

    def __call__(self, hour: int, f2: float | None = 0.8, **given: Any) -> str:
        """A run of the hour that begins so many hours after START; its id."""
        start = START + timedelta(hours=hour)
        verdict = given.get("verdict", Verdict.OK)
        statistics = given.get("statistics", binary_statistics(f2))
        with self.service.store.write() as db:
            made = executions.add(
                db,
                schedules.get(db, self.name),
                Window(start, start + HOUR),
                tick=start + HOUR,
                revision=given.get("revision", 1),
                report=given.get("report", f"reports/churn/{self.name}/{hour}-{given.get('revision', 1)}"),
                now=start + HOUR,
            )
            assert made is not None
            if given.get("waiting"):
                return made.id
            claimed = executions.claim(db, owner="t", now=start + HOUR, real=start, lease=HOUR)
            assert claimed is not None
            assert claimed.id == made.id
            outcome = Outcome(
                given.get("status", "Completed"),
                verdict,
                "done",
                violations=given.get("violations", ()),
                steps=given.get("steps", ()),
                counts={"matched": 90, "unlabelled": 10},
                statistics=statistics,
                rejects=given.get("rejects", ()),
                item_count=given.get("rows", 100),
                trace=given.get("trace"),
            )
            assert executions.finish(db, claimed, outcome, start + HOUR)
            told = {"f2": f2, "f2_std": 0.01} if given.get("told", True) else {}
            publish(
                db,
                endpoint="churn",
                schedule=self.name,
                time=start + HOUR,
                metrics=told,
                run=made.id,
                namespace=NAMESPACES[schedules.get(db, self.name).monitor],
                dimensioned=given.get("dimensioned", ()),
            )
        return made.id


def schedule_row(name: str, monitor: str, **changes: Any) -> Schedule:
    """An hourly schedule on the endpoint churn that has been there since START."""
    row = Schedule(
        name=name,
        endpoint="churn",
        monitor=monitor,
        cron="0 * * * *",
        start_offset="PT0S",
        end_offset="PT0S",
        baseline=None,
        problem_type="BinaryClassification",
        attributes={"probability_attribute": "0"},
        state="active",
        created=START,
        last_tick=START,
        next_tick=START + HOUR,
    )
    return msgspec.structs.replace(row, **changes)


def binary_statistics(f2: float | None) -> dict[str, Any]:
    """What a run of model quality found, in short."""
    interval = None if f2 is None else {"lower": f2 - 0.1, "upper": f2 + 0.1, "level": 0.95, "method": "m"}
    metric = {"value": f2, "standard_deviation": "NaN", "confidence_interval": interval}
    return {"dataset": {"item_count": 100}, "binary_classification_metrics": {"f2": metric}}


@pytest.fixture
def ran(service: Service) -> Ran:
    return Ran(service)


@pytest.fixture
def ran_of(service: Service) -> Callable[[str], Ran]:
    """Runs of another monitor: ``ran_of("bias")``."""
    return lambda monitor: Ran(service, monitor)
