"""Records: what is written reads back, published lines are read, and anything else is refused, never raised raw."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.errors import InputError
from driftline.core.records import (
    CaptureData,
    CaptureRecord,
    EventMetadata,
    GroundTruthData,
    GroundTruthRecord,
    Payload,
    check_id,
    decode_capture,
    decode_label,
    encode_line,
    encoding_of,
    label,
    payload,
)

PUBLISHED = (
    '{"captureData": {"endpointInput":  {"observedContentType": "text/csv", "mode": "INPUT",  "data": "75,0,109.0", '
    '"encoding": "CSV"}, "endpointOutput": {"observedContentType": "text/csv; charset=utf-8", "mode": "OUTPUT", '
    '"data": "0.799", "encoding": "CSV"}}, "eventMetadata": {"eventId": "a-1", "inferenceId": "o-17", '
    '"customAttributes": ["x"], "inferenceTime": "2020-12-01T22:24:36Z"}, "eventVersion": "0"}'
)
text = st.text(st.characters(codec="utf-8"), max_size=30)
payloads = st.builds(Payload, text, text, st.none() | text, st.sampled_from([None, "INPUT", "OUTPUT"]))
metadata = st.builds(
    EventMetadata,
    text,
    st.none() | text,
    st.none() | st.lists(text, max_size=2),
    st.none() | st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
captures = st.builds(CaptureRecord, st.builds(CaptureData, st.none() | payloads, st.none() | payloads), metadata)
labels = st.builds(GroundTruthRecord, st.builds(GroundTruthData, text, text), metadata)


def test_a_published_line_is_read() -> None:
    record = decode_capture(PUBLISHED)
    assert record.join_key == "o-17"
    assert record.event_metadata.inference_time == datetime(2020, 12, 1, 22, 24, 36, tzinfo=UTC)
    output = record.capture_data.endpoint_output
    assert output is not None
    assert (output.data, output.encoding, output.mode) == ("0.799", "CSV", "OUTPUT")
    assert json.loads(encode_line(record)) == json.loads(PUBLISHED)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(record=captures)
def test_captures_read_back(record: CaptureRecord) -> None:
    line = encode_line(record)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_capture(line) == record


@settings(max_examples=100, deadline=None, derandomize=True)
@given(record=labels)
def test_labels_read_back(record: GroundTruthRecord) -> None:
    assert decode_label(encode_line(record)) == record


def test_lines_are_the_records_in_order() -> None:
    assert [encode_line(record) for record in (label("a", "1"), label("b", "0"))] == [
        encode_line(label("a", "1")),
        encode_line(label("b", "0")),
    ]


def test_without_an_inference_id_the_event_id_joins() -> None:
    for inference_id in (None, ""):
        assert CaptureRecord(CaptureData(), EventMetadata("e", inference_id)).join_key == "e"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.one_of(st.binary(max_size=60), st.text(max_size=60)))
def test_any_line_is_a_record_or_refused(data: bytes | str) -> None:
    for decode in (decode_capture, decode_label):
        with pytest.raises(InputError, match=r"^not a "):
            decode(data)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(edits=st.lists(st.tuples(st.integers(0, len(PUBLISHED)), st.integers(0, 3), st.binary(max_size=2)), max_size=3))
def test_a_damaged_line_is_a_record_or_refused(edits: list[tuple[int, int, bytes]]) -> None:
    data = PUBLISHED.encode()
    for place, cut, put in edits:
        data = data[:place] + put + data[place + cut :]
    try:
        record = decode_capture(data)
    except InputError as error:
        str(error).encode()
        return
    assert decode_capture(encode_line(record)) == record


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"captureData":' * 5000, PUBLISHED.replace('"o-17"', '"\\ud800"'), "\ud800"]
)
def test_deep_nesting_and_lone_surrogates_are_refused(line: str) -> None:
    with pytest.raises(InputError, match=r"^not a capture record"):
        decode_capture(line)


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/csv", "CSV"), (" TEXT/CSV ;header=present", "CSV"), ("application/json", "JSON"),
        ("application/jsonlines", "JSON"), ("text/libsvm", "BASE64"), ("", "BASE64"), ("text/csvx", "BASE64"),
    ],
)  # fmt: skip
def test_encodings(content_type: str, encoding: str) -> None:
    assert encoding_of(content_type) == encoding


def test_configured_types_replace_the_usual_ones() -> None:
    assert encoding_of("text/tab", {"text/tab"}, set()) == "CSV"
    assert encoding_of("text/csv", {"text/tab"}, set()) == "BASE64"


@settings(max_examples=100, deadline=None, derandomize=True)
@given(body=st.binary(max_size=40), encoding=st.sampled_from(["CSV", "JSON", "BASE64"]))
def test_a_body_is_kept_whole(body: bytes, encoding: Any) -> None:
    made = payload(body, "text/csv", "INPUT", encoding)
    kept = base64.b64decode(made.data) if made.encoding == "BASE64" else made.data.encode()
    assert kept == body
    assert (made.encoding == encoding) or not _is_text(body)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("value", ["", "a\nb", "a\x00", "\x7f", "x" * 1025, "\ud800"])
def test_ids_that_may_not_be_stored(value: str) -> None:
    with pytest.raises(InputError, match="an id must be") as error:
        check_id(value)
    str(error.value).encode()
    with pytest.raises(InputError):
        label(value, "1")


@pytest.mark.parametrize("value", ["a", "x" * 1024, "ünï 木", "a,b", '"'])
def test_ids_that_may_be_stored(value: str) -> None:
    assert check_id(value) == value
    assert decode_label(encode_line(label(value, "1"))).event_metadata.event_id == value
