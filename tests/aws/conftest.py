"""The handlers over a real service, with an endpoint of another place and the objects that job definitions name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from driftline import Service
from driftline.aws.context import Context
from driftline.aws.operations import OPERATIONS
from driftline.core.uris import object_uri
from driftline.service.registry import Registry
from driftline.storage.objects import open_objects
from driftline.testing import FakeClock

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def context(tmp_path: Path, clock: FakeClock) -> Iterator[Context]:
    with Service(tmp_path / "data", clock=clock) as service:
        service.register_endpoint("Churn")
        yield Context(service, Registry(service.store), open_objects(service.layout))


@pytest.fixture
def call(context: Context) -> Call:
    """Calls an operation of SageMaker by its name, with the members of its input."""

    def called(operation: str, **given: Any) -> dict[str, Any]:
        return OPERATIONS["sagemaker"][operation](context, given)

    return called


@pytest.fixture
def upload(context: Context) -> Callable[[str, Any], str]:
    """Puts JSON, or bytes, where an address says; the address."""

    def put(uri: str, content: Any) -> str:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        context.objects.write(object_uri(uri), data)
        return uri

    return put
