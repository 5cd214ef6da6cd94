"""What the serving tests share: a clock to move, a small model, the published data, and a server to start and kill."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import xgboost


class Clock:
    """A clock that stands still until it is moved; 2026-11-22T10:30:15.250Z at first."""

    def __init__(self) -> None:
        self.now = 1795343415.25

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def churn() -> Path:
    """The folder of the published churn example, which stands beside the project."""
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "churn"
    if not folder.is_dir():
        pytest.skip("the published data is not beside the project")
    return folder


def train(rounds: int = 5, objective: str = "binary:logistic", **more: Any) -> Any:
    """A booster of three features; column 0 alone decides."""
    random = np.random.default_rng(7)
    rows = random.normal(size=(300, 3)).astype(np.float32)
    labels = np.digitize(rows[:, 0], [-0.5, 0.5]) if "multi" in objective else (rows[:, 0] > 0).astype(int)
    data = xgboost.DMatrix(rows, labels)
    return xgboost.train({"objective": objective, "nthread": 1, "max_depth": 3, **more}, data, rounds)


@pytest.fixture(scope="session")
def booster() -> Any:
    return train()


@pytest.fixture(scope="session")
def trained() -> Callable[..., Any]:
    """Trains a small booster: ``trained(rounds, objective)``."""
    return train


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory, booster: Any) -> Path:
    path: Path = tmp_path_factory.mktemp("model") / "model.json"
    booster.save_model(path)
    return path


class Server:
    """A server process on a port of its own choice."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        self.port = int(line)
        self.url = f"http://127.0.0.1:{self.port}/endpoints/churn/invocations"

    def post(self, body: str, **headers: str) -> httpx.Response:
        return httpx.post(self.url, content=body, headers={"Content-Type": "text/csv", **headers}, timeout=30)

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts test servers and stops them all at the end: ``serve(captures, model, prefix=[…])``."""
    servers: list[Server] = []

    def start(captures: Path, model: Path, prefix: list[str] | None = None) -> Server:
        program = str(Path(__file__).with_name("server.py"))
        servers.append(Server([*(prefix or []), sys.executable, program, str(captures), str(model)]))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
