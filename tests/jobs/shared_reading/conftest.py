"""Nodes with a data folder each, one database and one real bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from driftline.core.window import HOUR
from driftline.storage.database import open_store
from driftline.testing import START, FakeClock
from tests.conftest import FaultyBucket
from tests.faults import FaultProxy
from tests.jobs.shared_reading.fleet import REAL, Machine


@pytest.fixture
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a new bucket behind a real server, which is the store of all nodes of the test."""
    server = request.getfixturevalue("bucket_server")
    for variable, value in server.environment.items():
        monkeypatch.setenv(variable, value)
    name = f"nodes-{uuid4().hex}"
    monkeypatch.setenv("DRIFTLINE_STORE", f"s3://{name}/fleet")
    (server.folder / name).mkdir()
    return Path(server.folder) / name


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START + HOUR)


@pytest.fixture
def real() -> FakeClock:
    return FakeClock(REAL)


@pytest.fixture
def machines(
    database: str, bucket: Path, tmp_path: Path, clock: FakeClock, real: FakeClock
) -> Iterator[Callable[[str], Machine]]:
    """Makes nodes by name, each with its own connections to the one database."""
    with ExitStack() as stack:

        def make(name: str) -> Machine:
            store = stack.enter_context(open_store(database))
            return Machine(name, tmp_path / "nodes" / name, store, clock, real)

        yield make


@pytest.fixture
def faulty(bucket: Path, faulty_bucket: FaultyBucket, monkeypatch: pytest.MonkeyPatch) -> FaultProxy:
    """The way to the bucket, which can be spoilt."""
    for variable, value in faulty_bucket.environment.items():
        monkeypatch.setenv(variable, value)
    return faulty_bucket
