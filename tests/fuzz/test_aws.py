"""Whatever is sent to the AWS side, it answers as the service does; and never that it has failed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.aws.front import front
from driftline.aws.operations import OPERATIONS
from driftline.aws.protocol.models import SIGNING_NAMES, TARGETS, operation
from driftline.service import Service
from driftline.serving.asgi import respond
from driftline.testing import FakeClock

TEXT = st.text(max_size=20) | st.sampled_from(
    ["a", "-", "a" * 300, "\x00", "é", "alias/a", "arn:aws:kms:a:1:key/b", "s3://b/k"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
JSON = {service: prefix for prefix, service in TARGETS.items()}
FORMS = {service: name for name, service in SIGNING_NAMES.items()}
CALLS = [(service, name) for service, operations in OPERATIONS.items() for name in operations]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Any]:
    async def gated(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, 404, [], b"")

    with Service(tmp_path / "data", clock=FakeClock()) as service:
        yield front(service, inner=gated, gated=gated, s3=gated, access=False)


def asked(
    app: Any, headers: dict[str, str], body: bytes, query: str = "", method: str = "POST", path: str = "/"
) -> int:
    """The status of the answer to one request."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    told = [(name.lower().encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": told}
    asyncio.run(app(scope, receive, send))
    return int(sent[0]["status"])


def signed(service: str) -> dict[str, str]:
    """A header that names a service."""
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential=AK/20261122/eu-central-1/{service}/aws4_request"}


@st.composite
def documents(draw: st.DrawFn, service: str, name: str) -> dict[str, Any]:
    """Documents whose members are those of an operation, mostly."""
    found = operation(service, name)
    names = list(found.input_shape.members) if found is not None and found.input_shape is not None else []
    required = found.input_shape.required_members if names and found is not None else []
    some = st.sampled_from(names) if names else TEXT
    return draw(st.dictionaries(some, VALUES, max_size=4)) | {name: draw(VALUES) for name in required}


@given(st.data())
def test_documents_of_any_kind(app: Any, data: st.DataObject) -> None:
    service, name = data.draw(st.sampled_from([call for call in CALLS if call[0] in JSON]))
    document = data.draw(documents(service, name))
    body = json.dumps(document).encode("utf-8", "replace")
    assert asked(app, {"X-Amz-Target": f"{JSON[service]}.{name}"}, body) < 500


@given(st.data())
def test_forms_of_any_kind(app: Any, data: st.DataObject) -> None:
    service, name = data.draw(st.sampled_from([call for call in CALLS if call[0] in FORMS]))
    parts = st.lists(
        st.sampled_from(["member", "entry", "1", "2", "key", "value", "x", "RoleName", "Tags", ""]), max_size=5
    )
    keys = parts.map(".".join) | TEXT
    fields = {"Action": name, **data.draw(st.dictionaries(keys, TEXT, max_size=6))}
    body = "&".join(f"{quote(key, errors='replace')}={quote(value, errors='replace')}" for key, value in fields.items())
    headers = {"Content-Type": "application/x-www-form-urlencoded", **signed(FORMS[service])}
    assert asked(app, headers, body.encode()) < 500


@given(
    st.dictionaries(
        st.sampled_from(
            ["X-Amz-Target", "Authorization", "Content-Type", "Content-Encoding", "X-Amz-Date", "Smithy-Protocol"]
        ),
        st.text(max_size=30)
        | st.sampled_from(
            [
                "SageMaker.DescribeModel",
                "SageMaker.",
                "TrentService.CreateKey",
                "gzip",
                "application/x-www-form-urlencoded",
                "application/json; charset=utf-7",
                *[header for name in ("sts", "s3", "sagemaker", "") for header in signed(name).values()],
            ]
        ),
    ),
    st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode("utf-8", "replace")),
    st.sampled_from(
        ["", "Action=GetCallerIdentity", "X-Amz-Algorithm=AWS4", "%ff&Action=%ff", "X-Amz-Credential=a/b/c"]
    ),
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"]),
    st.sampled_from(["/", "/endpoints/a/invocations", "/bucket/key", "//", "/endpoints//invocations"]),
)
def test_requests_of_any_kind(
    app: Any, headers: dict[str, str], body: bytes, query: str, method: str, path: str
) -> None:
    assert asked(app, headers, body, query, method, path) < 500
