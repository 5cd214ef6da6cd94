"""Commands in this process, and a service for them to talk to."""

from __future__ import annotations

import contextlib
import io
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import uvicorn
import xgboost

from driftline.cli.__main__ import run
from driftline.cli.app import app
from driftline.cli.output import out
from driftline.client import Client
from driftline.jobs.scheduler import Scheduler
from driftline.pipeline import run_model_quality
from driftline.service import Service
from driftline.testing import START, FakeClock
from driftline.web.worker import Worker


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Runs a command: ``cli("runs", "list")``."""

    def command(*arguments: object, text: bytes = b"") -> Done:
        said, talked = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        monkeypatch.setattr(sys, "argv", ["driftline", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
        monkeypatch.setattr(out, "json", False)
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(talked):
            code = run(app)
        said.flush()
        return Done(code, said.buffer.getvalue().decode(), talked.getvalue())  # type: ignore[attr-defined]

    return command


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of three features."""
    path: Path = tmp_path_factory.mktemp("model") / "model.json"
    rows = np.random.default_rng(7).normal(size=(100, 3)).astype(np.float32)
    data = xgboost.DMatrix(rows, (rows[:, 0] > 0).astype(int))
    xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 2}, data, 3).save_model(path)
    return path


@contextlib.contextmanager
def served(service: Service, clock: FakeClock) -> Iterator[str]:
    """The web application and the scheduler on threads of this process; the address."""
    listening = socket.socket(proto=socket.IPPROTO_TCP)  # named, or answers wait for more to send
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    worker = Worker(service)
    config = uvicorn.Config(worker.app, http="httptools", loop="asyncio", ws="none", log_level="error")
    server = uvicorn.Server(config)
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    serving.start()
    scheduler = Scheduler(service.store, service.layout, clock, run_model_quality, poll=0.02)
    stop = threading.Event()
    judging = threading.Thread(target=scheduler.run, args=(stop,))
    judging.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with Client(url) as client:
        assert client.healthy()
    try:
        yield url
    finally:
        server.should_exit = True
        stop.set()
        serving.join()
        judging.join()
        scheduler.close()
        worker.captures.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, FakeClock]]:
    """The address of a service whose time is the clock's."""
    clock = FakeClock(START)
    with (
        Service(tmp_path_factory.mktemp("world") / "data", clock=clock) as service,
        served(service, clock) as url,
    ):
        yield url, clock


@pytest.fixture
def url(world: tuple[str, FakeClock], monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the service, which commands know."""
    monkeypatch.setenv("DRIFTLINE_URL", world[0])
    return world[0]
