"""Events as KServe's inference logger sends them, in the three ways that HTTP has for events."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.core.errors import InputError
from driftline.serving.cloud_events import BATCH, STRUCTURED, InferenceEvent, read_events

REQUEST, RESPONSE = (f"org.kubeflow.serving.inference.{side}" for side in ("request", "response"))
HEADERS = {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "0009174a-24a8-4603-b098-09c8799950e9",
    "ce-type": REQUEST,
    "ce-source": "http://localhost:9081/",
    "ce-time": "2026-11-22T10:30:15.123456789Z",
    "ce-inferenceservicename": "churn",
    "ce-namespace": "shop",
    "ce-component": "predictor",
    "ce-endpoint": "",
    "traceparent": "00-9f1a-01",
}
DOCUMENT = {
    "specversion": "1.0",
    "id": "a-1",
    "type": RESPONSE,
    "source": "http://localhost:9081/",
    "inferenceservicename": "churn",
    "time": "2026-11-22T10:30:15Z",
    "datacontenttype": "application/json",
}


def structured(**more: Any) -> InferenceEvent:
    [event] = read_events({"content-type": f"{STRUCTURED}; charset=UTF-8"}, json.dumps(DOCUMENT | more).encode())
    return event


def test_binary_mode_keeps_the_body_byte_for_byte() -> None:
    body = b'{"instances": [[6.8,  2.8, 4.8, 1.4]]}'
    [event] = read_events(HEADERS, body)
    assert event == InferenceEvent(HEADERS["ce-id"], "request", body, "application/json")
    [other] = read_events(HEADERS | {"ce-id": "%C3%BC%20%25", "ce-type": RESPONSE}, b"")
    assert (other.id, other.side) == ("ü %", "response")


def test_structured_mode_gives_the_body_that_the_document_holds() -> None:
    assert structured(data={"predictions": [0.5]}).body == b'{"predictions": [0.5]}'
    assert structured(data="1,2", datacontenttype="text/csv").body == b"1,2"
    assert structured(data='"é"', datacontenttype="text/plain").body == '"é"'.encode()
    assert structured(data="1,2").body == b'"1,2"'
    assert structured(data_base64=base64.b64encode(b"\xff\x00").decode()).body == b"\xff\x00"
    assert structured().body == b""
    assert structured().side == "response"


def test_a_batch_is_many_documents() -> None:
    body = json.dumps([DOCUMENT | {"id": f"b-{n}", "data": [n]} for n in range(3)]).encode()
    assert [(event.id, event.body) for event in read_events({"content-type": BATCH}, body)] == [
        ("b-0", b"[0]"),
        ("b-1", b"[1]"),
        ("b-2", b"[2]"),
    ]
    assert read_events({"content-type": BATCH}, b"[]") == []


@pytest.mark.parametrize(
    ("headers", "body", "message"),
    [
        ({}, b"{}", "no CloudEvent"),
        ({key: value for key, value in HEADERS.items() if key != "ce-id"}, b"", "ce-id"),
        (HEADERS | {"ce-type": "org.kubeflow.serving.inference.other"}, b"", "type are not read"),
        (HEADERS | {"ce-specversion": "2.0"}, b"", "version '2.0'"),
        (HEADERS | {"ce-id": "a%0Ab"}, b"", "control characters"),
        (HEADERS | {"ce-id": "x" * 1025}, b"", "1024 characters"),
        ({"content-type": STRUCTURED}, b"", "no CloudEvent"),
        ({"content-type": STRUCTURED}, b"[]", "no CloudEvent"),
        ({"content-type": STRUCTURED}, b"\xff", "no CloudEvent"),
        ({"content-type": STRUCTURED}, b"[" * 100_000, "no CloudEvent"),
        ({"content-type": STRUCTURED}, json.dumps(DOCUMENT | {"id": 7}).encode(), "no CloudEvent"),
        ({"content-type": STRUCTURED}, json.dumps(DOCUMENT | {"data_base64": "?"}).encode(), "not BASE64"),
        ({"content-type": "application/cloudevents+avro"}, b"", "only the JSON format"),
        ({"content-type": BATCH}, json.dumps([DOCUMENT, DOCUMENT | {"type": "x"}]).encode(), "event 2"),
    ],
)
def test_what_is_no_such_event_is_refused(headers: dict[str, str], body: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_events(headers, body)
    assert message in str(caught.value)


@given(
    st.dictionaries(
        st.sampled_from(sorted(HEADERS)), st.sampled_from([*HEADERS.values(), STRUCTURED, BATCH, "%", "\x00"])
    ),
    st.one_of(st.binary(max_size=60), st.sampled_from([json.dumps(DOCUMENT).encode(), b"[{}]", b'{"data":"\\ud800"}'])),
)
def test_any_headers_and_body_give_events_or_our_error(headers: dict[str, str], body: bytes) -> None:
    try:
        events = read_events(headers, body)
    except InputError:
        return
    assert all(event.side in ("request", "response") for event in events)
