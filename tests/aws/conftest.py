"""A started server with the AWS side in front, and clients of boto3 that ask it."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
import uvicorn
from botocore.config import Config

from driftline.aws.context import Context
from driftline.aws.front import Settings, front
from driftline.aws.requests import Authorise
from driftline.service import Service
from driftline.service.registry import Registry
from driftline.serving.asgi import App
from driftline.storage.buckets import open_objects
from driftline.testing import FakeClock
from driftline.web.connections import Connection
from driftline.web.worker import Worker

# Programs of their own, run with the Python of each client.
collect_ignore = ["journeys"]
# Clients in tests know nothing of the developer's own account.
for variable in [name for name in os.environ if name.startswith("AWS_")]:
    os.environ.pop(variable)
for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
    os.environ[variable] = os.devnull
REGION, ACCOUNT = "eu-central-1", "123456789012"


class AwsServer:
    """A server on a free port: the service and the context of its handlers, its address, and clients of it."""

    def __init__(self, worker: Worker, endpoint_url: str) -> None:
        self.worker, self.service, self.endpoint_url = worker, worker.service, endpoint_url
        service = worker.service
        self.context = Context(
            service, Registry(service.store), open_objects(service.layout), REGION, ACCOUNT, endpoint_url
        )
        self.http = httpx.Client(base_url=endpoint_url, trust_env=False, timeout=30)
        self._session = boto3.Session(aws_access_key_id="AK", aws_secret_access_key="SK", region_name=REGION)

    def client(self, service: str, **options: Any) -> Any:
        """A client of boto3: ``client("sagemaker")``."""
        settings = Config(retries={"total_max_attempts": 1}, proxies={}, **options.pop("config", {}))
        return self._session.client(service, endpoint_url=self.endpoint_url, config=settings, **options)

    def target(self, target: str, body: bytes | str = b"{}", **headers: str) -> httpx.Response:
        """A request of a JSON service that no client would make."""
        return self.http.post("/", content=body, headers={"X-Amz-Target": target, **headers})

    def form(self, body: bytes | str, service: str = "monitoring", **headers: str) -> httpx.Response:
        """A request of a query service that no client would make."""
        kind = "application/x-www-form-urlencoded; charset=utf-8"
        signed = f"AWS4-HMAC-SHA256 Credential=AK/20261122/{REGION}/{service}/aws4_request, Signature=0"
        return self.http.post("/", content=body, headers={"Content-Type": kind, "Authorization": signed, **headers})


@contextlib.contextmanager
def aws_served(service: Service, *, s3: App | None = None, authorise: Authorise | None = None) -> Iterator[AwsServer]:
    """A server over a service; with ``authorise`` its signatures are verified."""
    worker = Worker(service)
    # Said to be TCP, so that the loop sends answers at once.
    listening = socket.socket(proto=socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app = front(
        service,
        inner=worker.app,
        gated=worker.app,
        access=authorise is not None,
        settings=Settings(REGION, ACCOUNT, url),
        s3=s3,
        authorise=authorise,
        note=worker.application.auditor.note,
    )
    server = uvicorn.Server(uvicorn.Config(app, http=Connection, loop="asyncio", ws="none", log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        found = AwsServer(worker, url)
        yield found
        found.http.close()
    finally:
        server.should_exit = True
        thread.join()
        worker.captures.close()
        worker.requests.close()


@pytest.fixture(scope="session")
def aws_serve() -> Callable[..., contextlib.AbstractContextManager[AwsServer]]:
    """:func:`aws_served`."""
    return aws_served


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def service(tmp_path: Path, clock: FakeClock) -> Iterator[Service]:
    with Service(tmp_path / "data", clock=clock) as service:
        yield service


@pytest.fixture
def aws_server(service: Service) -> Iterator[AwsServer]:
    """A server of this test's own."""
    with aws_served(service) as server:
        yield server


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """A server that the tests of a module share; they choose names that no other takes."""
    with (
        Service(tmp_path_factory.mktemp("shared") / "data", clock=FakeClock()) as service,
        aws_served(service) as server,
    ):
        yield server


@pytest.fixture
def client(aws_server: AwsServer) -> Callable[..., Any]:
    """Makes clients of ``aws_server``: ``client("sagemaker")``."""
    return aws_server.client
