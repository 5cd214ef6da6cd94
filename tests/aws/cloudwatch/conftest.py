"""Real boto3 clients, answered in this process by the operations of a service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from driftline import Service
from driftline.aws.context import Context
from driftline.aws.errors import AwsError, translated
from driftline.aws.operations import OPERATIONS
from driftline.core.errors import DriftlineError
from driftline.service.registry import Registry
from driftline.storage.objects import open_objects
from driftline.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def context(tmp_path: Path, clock: FakeClock) -> Iterator[Context]:
    with Service(tmp_path / "data", clock=clock) as service:
        yield Context(service, Registry(service.store), open_objects(service.layout))


@pytest.fixture
def client(context: Context) -> Callable[[str], Any]:
    """A client of a service by its name. It checks what it sends against its own model."""

    def make(name: str) -> Any:
        made = boto3.client(name, "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        sent: list[dict[str, Any]] = []

        def keep(params: dict[str, Any], **_: Any) -> None:
            sent.append(dict(params))

        def answer(model: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
            found, status = _answered(context, name, model.name, sent.pop())
            return AWSResponse("http://here", status, {}, None), found

        made.meta.events.register_last(f"before-parameter-build.{name}.*", keep)
        made.meta.events.register(f"before-call.{name}.*", answer)
        return made

    return make


def _answered(context: Context, service: str, operation: str, given: dict[str, Any]) -> tuple[dict[str, Any], int]:
    try:
        return {**OPERATIONS[service][operation](context, given), "ResponseMetadata": {}}, 200
    except (AwsError, DriftlineError) as error:
        known = error if isinstance(error, AwsError) else translated(service, error)
        return {"Error": {"Code": known.code, "Message": known.message}, "ResponseMetadata": {}}, known.status
