"""The label of one ground-truth record: which JSON values it may be, and as what text it is kept.

A label is text, as SageMaker writes it, or the JSON value itself: a number, true or false, or, where the encoding is
JSON, an array with one of these or a text for each row of the request. A number is kept digit by digit as it was sent.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from driftline.core.errors import InputError
from driftline.core.records import EventMetadata, GroundTruthData, GroundTruthRecord, check_id

_WAIT = "leave the record out until the truth is known"
_ONE_A_ROW = "for a request of several rows give an array of numbers, booleans and texts, one a row"


class _Value(msgspec.Struct):
    data: msgspec.Raw
    encoding: str = "CSV"


class _Record(msgspec.Struct, rename="camel"):
    ground_truth_data: _Value
    event_metadata: EventMetadata
    event_version: str = "0"


_records = msgspec.json.Decoder(_Record)


def label_of(line: str) -> GroundTruthRecord:
    """The record of one line, its label as text that runs can read.

    Raises :class:`InputError` for what is no ground-truth record and for a label that says nothing (null, an empty
    text or array), that is an object, or that does not fit its encoding.
    """
    try:
        given = _records.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InputError(f"not a ground-truth record: {error}", evidence=line[:200]) from None
    check_id(given.event_metadata.event_id)
    value = given.ground_truth_data
    data = GroundTruthData(_text(bytes(value.data), value.encoding), value.encoding)
    return GroundTruthRecord(data, given.event_metadata, given.event_version)


def _text(raw: bytes, encoding: str) -> str:
    """The JSON of a label as the text that is stored for it, once it has been found to fit its encoding."""
    if encoding not in ("CSV", "JSON", "BASE64"):
        raise InputError(f"{encoding[:40]!r} is no encoding", hint="use CSV, JSON or BASE64")
    if raw[:1] != b'"':
        _check_value(raw, arrays=encoding == "JSON")
        if encoding == "BASE64":
            raise _refused("a label in BASE64 must be text", raw, "send the value itself with the encoding JSON")
        return raw.decode()
    text = msgspec.json.decode(raw, type=str)
    content = _decoded(text) if encoding == "BASE64" else text
    if not content.strip():
        raise InputError("the label is empty", hint=_WAIT)
    if encoding != "CSV":
        _check_content(content)
    return text


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InputError(
            "the label is not text in BASE64",
            evidence=f"{text[:80]!r}: {error}",
            hint="encode UTF-8 text, or send it as it is with the encoding CSV",
        ) from None


def _check_content(content: str) -> None:
    """What a text in JSON or BASE64 holds may be JSON itself, and is then read as such; any other text is the label."""
    try:
        raw = bytes(msgspec.json.decode(content, type=msgspec.Raw))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return
    _check_value(raw, arrays=True)


def _check_value(raw: bytes, *, arrays: bool) -> None:
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise _refused(
            f"the label cannot be kept: {error}", raw, "send it as text, or a number in the usual range"
        ) from None
    if value is None:
        raise _refused("the label is null", raw, _WAIT)
    if isinstance(value, dict):
        raise _refused("a label cannot be an object", raw, _ONE_A_ROW)
    if isinstance(value, list):
        if not arrays:
            raise _refused("an array is a label only in JSON", raw, 'say "encoding": "JSON"')
        if not value or not all(isinstance(item, str | bool | int | float) for item in value):
            raise _refused("the label's array has rows without a label", raw, _ONE_A_ROW)
    elif isinstance(value, str) and not value.strip():
        raise _refused("the label is empty", raw, _WAIT)


def _refused(what: str, raw: bytes, hint: str) -> InputError:
    return InputError(what, evidence=raw[:200].decode("utf-8", "replace"), hint=hint)
