"""The context behind the server, for what its clients cannot say."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.aws.context import Context


@pytest.fixture
def context(aws_server: Any) -> Context:
    found: Context = aws_server.context
    return found


@pytest.fixture(scope="module")
def refusing(shared_server: Any) -> Any:
    """A client for requests that leave nothing behind, of a server that a module's tests share."""
    return shared_server.client("cloudwatch")
