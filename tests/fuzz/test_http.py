"""Whatever is sent to the service, it answers; and never that it has failed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from litestar.testing import TestClient

from driftline.service import Service
from driftline.serving.capture_log import CaptureLog
from driftline.serving.endpoints import EndpointConfig, Registry
from driftline.serving.invocations import Invocations
from driftline.testing import FakeClock
from driftline.web.app import application

METHODS = ("get", "put", "post", "patch", "delete")
TEXT = st.text(max_size=30) | st.sampled_from(
    ["%00", "%FF", "..", "%2e%2e", "a/b", "9" * 25, "-1", "NaN", "é", "\u2028"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
BODIES = st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode())
TYPES = st.sampled_from(
    ["application/json", "text/csv", "application/octet-stream", "", "multipart/form-data", "x/\xff"]
)


@pytest.fixture
def service(tmp_path: Path, database: str) -> Iterator[Service]:
    with Service(tmp_path / "data", clock=FakeClock(), database=database) as made:
        yield made


@pytest.fixture
def web(service: Service) -> Iterator[TestClient[Any]]:
    with TestClient(application(service), raise_server_exceptions=False) as client:
        yield client


@cache
def described() -> dict[str, Any]:
    """What the service says of itself."""
    with TemporaryDirectory() as folder, Service(folder) as made, TestClient(application(made)) as client:
        document: dict[str, Any] = client.get("/schema/openapi.json").json()
        return document


def requests_of(document: dict[str, Any]) -> list[tuple[str, str, list[str], dict[str, Any]]]:
    """(method, path, query names, body schema) of every operation that the service describes."""
    found = []
    for path, operations in document["paths"].items():
        for method in METHODS:
            if operation := operations.get(method):
                query = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
                content = operation.get("requestBody", {}).get("content", {})
                found.append((method, path, query, content.get("application/json", {}).get("schema", {})))
    return found


@st.composite
def like(draw: st.DrawFn, schema: dict[str, Any], document: dict[str, Any], depth: int = 0) -> Any:
    """A value that nearly follows a JSON schema."""
    if depth > 5 or draw(st.integers(0, 7)) == 0:
        return draw(VALUES)
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return draw(like(document["components"]["schemas"][name], document, depth + 1))
    if options := schema.get("oneOf") or schema.get("anyOf"):
        return draw(like(draw(st.sampled_from(options)), document, depth + 1))
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    if "properties" in schema:
        wanted = schema.get("required", ())
        names = [name for name in schema["properties"] if name in wanted or draw(st.booleans())]
        return {name: draw(like(schema["properties"][name], document, depth + 1)) for name in names}
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "string": TEXT | st.sampled_from(["churn", "* * * * *", "PT0S", "-PT1H", "2026-11-22T10:00:00Z", "log"]),
        "integer": st.integers() | st.integers(0, 5),
        "number": st.floats() | st.floats(0, 1),
        "boolean": st.booleans(),
        "array": st.lists(VALUES, max_size=3),
    }
    return draw(kinds.get(str(schema.get("type")), VALUES))


def quoted(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="%", errors="replace") or "x"


@given(data=st.data())
def test_every_route_answers_anything_without_failing(web: TestClient[Any], data: st.DataObject) -> None:
    document = described()
    known = [one for one in requests_of(document) if not one[1].endswith("/invocations")]
    for method, path, names, schema in data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=6)):
        name = quoted(data.draw(TEXT | st.just("churn")))
        url = "/".join(name if part.startswith("{") else part for part in path.split("/"))
        query = {one: data.draw(TEXT | st.just("churn")) for one in names if data.draw(st.booleans())}
        near = schema and data.draw(st.integers(0, 3))
        body = json.dumps(data.draw(like(schema, document))).encode() if near else data.draw(BODIES)
        kind = "application/json" if near else data.draw(TYPES)
        headers = {b"content-type": kind.encode("latin-1")}
        answer = web.request(method.upper(), url, params=query, content=body, headers=headers)
        assert answer.status_code < 500 or answer.status_code == 503, (method, url, query, body, answer.text)


class Sum:
    """A model of two columns."""

    n_features = 2
    plain_answers = False

    def predict(self, rows: Any) -> Any:
        """The sum of each row."""
        with np.errstate(all="ignore"):
            return rows.sum(axis=1)

    def describe(self) -> dict[str, Any]:
        """Nothing to tell."""
        return {}


@pytest.fixture
def invocations(tmp_path: Path) -> Invocations:
    async def nothing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    registry = Registry(lambda: [EndpointConfig("sum", Path("sum"))], lambda _: Sum())
    registry.refresh()
    return Invocations(registry, CaptureLog(tmp_path, FakeClock()), nothing)


HEADERS = ("content-type", "accept", "x-inference-id", "x-amzn-sagemaker-custom-attributes", "content-length")
HEADER_BYTES = st.binary(max_size=20) | st.sampled_from(
    [b"text/csv", b"application/json", b"*/*", b"\xff", b"a,b;q=x", b"-1"]
)


@given(
    bodies=st.lists(BODIES | st.just(b"1,2"), min_size=1, max_size=4),
    headers=st.dictionaries(st.sampled_from(HEADERS[:4]), HEADER_BYTES, max_size=4),
    length=st.none() | st.sampled_from([b"", b"-1", b"x", b"9" * 30, b"\xb2"]),
)
@example([b"3.4e38,3.4e38"], {"content-type": b"text/csv"}, None)
def test_invocations_answer_anything_without_failing(
    invocations: Invocations, bodies: list[bytes], headers: dict[str, bytes], length: bytes | None
) -> None:
    given = [(key.encode(), value) for key, value in headers.items()]
    if length is not None:
        given.append((b"content-length", length))
    for status in asyncio.run(ask_all(invocations, bodies, given)):
        assert status < 500, status


async def ask_all(app: Invocations, bodies: list[bytes], headers: list[tuple[bytes, bytes]]) -> list[int]:
    """The statuses of several requests that are made at once."""
    return await asyncio.gather(*(ask(app, body, headers) for body in bodies))


async def ask(app: Invocations, body: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    """The status of one request, made without any client that would mend it first."""
    seen: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            seen.append(message["status"])

    scope = {"type": "http", "method": "POST", "path": "/endpoints/sum/invocations", "headers": headers}
    await app(scope, receive, send)
    return seen[0]
