"""Capture and ground-truth records: one JSON object a line, in the format of SageMaker's data capture."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Literal, TypeVar

import msgspec

from driftline.core.errors import InputError

Encoding = Literal["CSV", "JSON", "BASE64"]
CSV_TYPES = frozenset({"text/csv"})
JSON_TYPES = frozenset({"application/json", "application/jsonlines"})
T = TypeVar("T")
_ID = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,1024}")


class Payload(msgspec.Struct, rename="camel", omit_defaults=True):
    """One side of a request: the body as text (BASE64 when it is neither CSV nor JSON) and what it was said to be."""

    data: str
    encoding: str
    observed_content_type: str | None = None
    mode: Literal["INPUT", "OUTPUT"] | None = None


class CaptureData(msgspec.Struct, rename="camel", omit_defaults=True):
    """What went in and what came out; a side that is not captured is absent."""

    endpoint_input: Payload | None = None
    endpoint_output: Payload | None = None


class EventMetadata(msgspec.Struct, rename="camel", omit_defaults=True):
    """Who and when: the event's own id, the caller's id if one was given, and the time of the inference."""

    event_id: str
    inference_id: str | None = None
    custom_attributes: list[str] | None = None
    inference_time: datetime | None = None


class CaptureRecord(msgspec.Struct, rename="camel"):
    """One captured request with its answer."""

    capture_data: CaptureData
    event_metadata: EventMetadata
    event_version: str = "0"

    @property
    def join_key(self) -> str:
        """What a label's event id must equal: the inference id, or the event id where there is none."""
        return self.event_metadata.inference_id or self.event_metadata.event_id


class GroundTruthData(msgspec.Struct):
    """The true answer: one value, or one line a row for a request of several rows."""

    data: str
    encoding: str = "CSV"


class GroundTruthRecord(msgspec.Struct, rename="camel"):
    """One label; its ``event_id`` is the prediction's inference id, or its event id."""

    ground_truth_data: GroundTruthData
    event_metadata: EventMetadata
    event_version: str = "0"


_encoder = msgspec.json.Encoder()
_captures = msgspec.json.Decoder(CaptureRecord)
_labels = msgspec.json.Decoder(GroundTruthRecord)


def encoding_of(
    content_type: str,
    csv_types: Collection[str] = CSV_TYPES,
    json_types: Collection[str] = JSON_TYPES,
) -> Encoding:
    """How a body of this content type is captured; parameters such as ``charset`` do not matter.

    >>> encoding_of("text/csv; charset=utf-8"), encoding_of("application/json"), encoding_of("image/png")
    ('CSV', 'JSON', 'BASE64')
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in csv_types:
        return "CSV"
    return "JSON" if media_type in json_types else "BASE64"


def payload(body: bytes, content_type: str, mode: Literal["INPUT", "OUTPUT"], encoding: Encoding) -> Payload:
    """A body as one side of a record; a CSV or JSON body that is not UTF-8 is kept whole as BASE64."""
    if encoding != "BASE64":
        try:
            return Payload(body.decode(), encoding, content_type, mode)
        except UnicodeDecodeError:
            pass
    return Payload(base64.b64encode(body).decode(), "BASE64", content_type, mode)


def encode_line(record: CaptureRecord | GroundTruthRecord) -> bytes:
    """The record as one line of JSON with its newline."""
    return _encoder.encode(record) + b"\n"


def decode_capture(line: bytes | str) -> CaptureRecord:
    """A capture record from one line; raises :class:`InputError` for anything else."""
    return _decode(_captures, line, "a capture record")


def decode_label(line: bytes | str) -> GroundTruthRecord:
    """A ground-truth record from one line; raises :class:`InputError` for anything else."""
    return _decode(_labels, line, "a ground-truth record")


def _decode(decoder: msgspec.json.Decoder[T], line: bytes | str, what: str) -> T:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        shown = (line.encode("utf-8", "replace") if isinstance(line, str) else line).decode("utf-8", "replace")
        raise InputError(f"not {what}: {error}", evidence=shown[:200]) from None


def label(event_id: str, value: str) -> GroundTruthRecord:
    """The ground-truth record of one value.

    >>> encode_line(label("o-17", "1")).decode().strip()
    '{"groundTruthData":{"data":"1","encoding":"CSV"},"eventMetadata":{"eventId":"o-17"},"eventVersion":"0"}'
    """
    check_id(event_id)
    return GroundTruthRecord(GroundTruthData(value), EventMetadata(event_id))


def check_id(value: str) -> str:
    """An id that may be stored: 1 to 1024 characters, no control characters (they would break lines and logs)."""
    if _ID.fullmatch(value) is None:
        raise InputError(
            "an id must be 1 to 1024 characters without control characters",
            evidence=f"{len(value)} characters: {value[:80]!r}",
            hint="send the id your own system knows the request by",
        )
    return value


def utc(moment: float) -> datetime:
    """Seconds since the epoch as an aware UTC datetime."""
    return datetime.fromtimestamp(moment, UTC)
