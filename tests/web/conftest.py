"""The application in this process over a service with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from litestar.testing import TestClient

from driftline.service import Service
from driftline.testing import FakeClock
from driftline.web.app import application


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
