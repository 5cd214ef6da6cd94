"""The middleware around an application that knows nothing of it: what it changes (one header), and what it records."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline import capture
from driftline.capture import CaptureMiddleware
from driftline.core.records import CaptureRecord

Records = Callable[[], list[CaptureRecord]]
ID = "x-amzn-sagemaker-inference-id"


class Shop:
    """An application: answers in pieces, as its orders say."""

    def __init__(self, *pieces: bytes, status: int = 200, headers: Any = (), reads: bool = True) -> None:
        self.pieces, self.status, self.reads = pieces or (b"0.5",), status, reads
        self.headers = [(b"content-type", b"text/csv"), *headers]
        self.got = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        more = self.reads
        while more:
            message = await receive()
            self.got += message.get("body", b"")
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        for piece in self.pieces[:-1]:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": self.pieces[-1]})


def ask(app: Any, body: Any = b"1,2", path: str = "/predict", method: str = "POST", **headers: str) -> httpx.Response:
    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            given = {"Content-Type": "text/csv"} | {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, path, content=body, headers=given)

    return asyncio.run(go())


def around(app: Any, data: Path, **options: Any) -> CaptureMiddleware:
    return CaptureMiddleware(app, **{"data": data, "endpoint": "shop", "path": "/predict"} | options)


def test_the_answer_is_the_application_s_and_the_record_has_both_sides(data: Path, records: Records) -> None:
    app = Shop(b"0.", b"25\n")
    response = ask(around(app, data), x_amzn_sagemaker_inference_id="o-7", x_amzn_sagemaker_custom_attributes="k=v")
    assert (response.status_code, response.content, app.got) == (200, b"0.25\n", b"1,2")
    [record] = records()
    assert response.headers[ID] == record.event_metadata.inference_id == "o-7"
    assert record.event_metadata.custom_attributes == ["k=v"]
    assert record.capture_data.endpoint_input is not None
    assert record.capture_data.endpoint_output is not None
    assert (record.capture_data.endpoint_input.data, record.capture_data.endpoint_output.data) == ("1,2", "0.25\n")


def test_an_id_is_made_where_there_is_none_that_can_be_kept(data: Path, records: Records) -> None:
    ids = [ask(around(Shop(), data)).headers[ID], ask(around(Shop(), data), x_inference_id="x" * 1025).headers[ID]]
    assert ids == [record.join_key for record in records()]
    assert all(len(name) == 36 for name in ids)
    own = ask(around(Shop(headers=[(ID.encode(), b"theirs")]), data))
    assert own.headers.get_list(ID) == ["theirs"]


def test_other_paths_methods_and_protocols_pass_untouched(data: Path, records: Records) -> None:
    app = around(Shop(), data)
    for response in (ask(app, path="/other"), ask(app, method="GET"), ask(app, path="/predict/x")):
        assert ID not in response.headers
    assert ID in ask(around(Shop(), data, path="/pre*"), path="/predict/x").headers
    seen = []

    async def life(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive, send))

    asyncio.run(around(life, data)({"type": "lifespan"}, "receive", "send"))  # type: ignore[arg-type]
    assert seen == [({"type": "lifespan"}, "receive", "send")]
    assert len(records()) == 1


def test_errors_are_no_predictions_and_what_is_too_large_or_unread_is_counted(data: Path, records: Records) -> None:
    assert ask(around(Shop(status=422), data)).status_code == 422
    assert capture.counts("shop", data=data) == (0, 0, 0)
    assert ask(around(Shop(b"x" * 11), data, max_body=10)).content == b"x" * 11
    assert ask(around(Shop(), data, max_body=10), b"y" * 11).status_code == 200
    assert ask(around(Shop(reads=False), data)).status_code == 200
    assert capture.counts("shop", data=data) == (0, 0, 3)

    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError("theirs")

    with pytest.raises(ZeroDivisionError, match="theirs"):
        ask(around(fails, data))
    assert capture.counts("shop", data=data) == (0, 0, 3)
    assert records() == []


def test_a_disk_that_is_full_changes_no_answer(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert ask(around(Shop(), tmp_path / "file")).content == b"0.5"
    assert capture.counts("shop", data=tmp_path / "file") == (0, 0, 1)


def test_compressed_bodies_are_recorded_as_they_were_before(data: Path, records: Records) -> None:
    answer = Shop(gzip.compress(b"0.75"), headers=[(b"content-encoding", b"gzip")])
    assert ask(around(answer, data), gzip.compress(b"9,9"), content_encoding="gzip").text == "0.75"
    ask(around(Shop(), data, max_body=1000), gzip.compress(b"0" * 100_000), content_encoding="gzip")
    first, bomb = (record.capture_data.endpoint_input for record in records())
    assert first is not None
    assert bomb is not None
    assert first.data == "9,9"
    assert bomb.encoding == "BASE64"


def test_a_chunk_leaves_before_the_next_one_is_made(data: Path, records: Records) -> None:
    """A client that waits for the first piece gets it while the application still waits for the client."""

    async def go() -> list[bytes]:
        first, got = asyncio.Event(), []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
            await asyncio.wait_for(first.wait(), 10)
            await send({"type": "http.response.body", "body": b"data: 2\n\n"})

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                got.append(message["body"])
                first.set()

        scope = {"type": "http", "path": "/predict", "method": "POST", "headers": []}
        await around(app, data)(scope, receive, send)
        return got

    assert asyncio.run(go()) == [b"data: 1\n\n", b"data: 2\n\n"]
    assert len(records()) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from([b"content-type", b"x-amzn-sagemaker-inference-id", b"content-encoding", b"x-other"]),
            st.binary(max_size=30),
        ),
        max_size=4,
    ),
    asked=st.lists(st.binary(max_size=20), min_size=1, max_size=3),
    answered=st.lists(st.binary(max_size=20), min_size=1, max_size=3),
)
def test_no_header_and_no_body_is_ever_in_the_way(
    data: Path, headers: list[tuple[bytes, bytes]], asked: list[bytes], answered: list[bytes]
) -> None:
    before = capture.counts("prop", data=data)
    messages = [
        {"type": "http.request", "body": body, "more_body": place < len(asked)} for place, body in enumerate(asked, 1)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    app = Shop(*answered, headers=headers)
    scope = {"type": "http", "path": "/predict", "method": "POST", "headers": headers}
    asyncio.run(around(app, data, endpoint="prop")(scope, receive, send))
    assert app.got == b"".join(asked)
    assert [message["body"] for message in sent[1:]] == answered
    assert sent[0]["headers"][: len(app.headers)] == app.headers
    assert sum(capture.counts("prop", data=data)) == sum(before) + 1
