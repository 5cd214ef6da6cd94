"""Applications that capture for themselves hide what they call sensitive, with the key of the data folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from driftline import capture
from driftline.capture import CaptureMiddleware, CaptureSettings, SensitiveColumn, sensitive_column
from driftline.core.records import CaptureRecord

Records = Callable[[], list[CaptureRecord]]


def test_a_call_hides_text_and_values(data: Path, records: Records) -> None:
    places = CaptureSettings(sensitive=(sensitive_column("input:0:hash"),))
    keys = CaptureSettings(sensitive=(sensitive_column("input:who.mail:hash"), sensitive_column("output:p:mask")))
    assert capture.log("churn", "s3cret,2", "0.5", data=data, capture=places)
    assert capture.log("churn", {"who": {"mail": "s3cret"}}, {"p": 1}, data=data, capture=keys)
    assert capture.log("churn", {"who": "s3cret"}, "p=s3cret", data=data, capture=keys, output_type="text/plain")
    one, two, three = (record.capture_data for record in records())
    assert one.endpoint_input is not None
    assert two.endpoint_input is not None
    assert two.endpoint_output is not None
    code = one.endpoint_input.data.removesuffix(",2")
    assert json.loads(two.endpoint_input.data) == {"who": {"mail": code}}
    assert two.endpoint_output.data == '{"p":"***"}'
    assert three.endpoint_output is None
    assert capture.counts("churn", data=data) == (3, 0, 0)


def test_the_middleware_hides_what_passes_by(data: Path, records: Records) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/csv")]})
        await send({"type": "http.response.body", "body": body})

    rules = ["input:1:mask", SensitiveColumn("output", 0, "drop")]
    watched = CaptureMiddleware(app, data=data, endpoint="shop", path="/predict", sensitive=rules)

    async def ask() -> bytes:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(watched), base_url="http://test") as client:
            answer = await client.post("/predict", content=b"1,s3cret", headers={"Content-Type": "text/csv"})
            return answer.content

    assert asyncio.run(ask()) == b"1,s3cret"
    [record] = records()
    assert record.capture_data.endpoint_input is not None
    assert record.capture_data.endpoint_output is not None
    assert (record.capture_data.endpoint_input.data, record.capture_data.endpoint_output.data) == ("1,***", ",s3cret")
