"""CloudEvents 1.0 over HTTP as model servers send them: in headers, as one JSON document, or as a batch."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import unquote

import msgspec

from driftline.core.errors import InputError
from driftline.core.records import check_id

STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
Side = Literal["request", "response"]
_TYPES: dict[str, Side] = {
    "org.kubeflow.serving.inference.request": "request",
    "org.kubeflow.serving.inference.response": "response",
}
_HINT = "send what KServe's inference logger sends: a CloudEvent of version 1.0"


class InferenceEvent(msgspec.Struct, frozen=True):
    """One side of an inference: the body of a request or of its response, under the id that both have."""

    id: str
    side: Side
    body: bytes
    content_type: str


class _Document(msgspec.Struct):
    """A structured event; what else it has (source, time, extensions) is not needed here."""

    id: str
    type: str
    source: str
    specversion: str
    datacontenttype: str = "application/json"
    data: msgspec.Raw = msgspec.Raw()
    data_base64: str | None = None


_document = msgspec.json.Decoder(_Document)
_documents = msgspec.json.Decoder(list[_Document])


def read_events(headers: Mapping[str, str], body: bytes) -> list[InferenceEvent]:
    """The events of one HTTP request, header names in lower case; raises :class:`InputError` unless all can be used."""
    content_type = headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == BATCH:
        return [_structured(event, f"event {place}: ") for place, event in enumerate(_decoded(_documents, body), 1)]
    if media_type == STRUCTURED:
        return [_structured(_decoded(_document, body), "")]
    if media_type.startswith("application/cloudevents"):
        what = "only the JSON format of events is read"
        raise InputError(what, evidence=content_type[:100], hint=f"send {STRUCTURED}")
    return [_binary(headers, body, content_type or "application/json")]


def _binary(headers: Mapping[str, str], body: bytes, content_type: str) -> InferenceEvent:
    missing = [name for name in ("id", "type", "source", "specversion") if not headers.get(f"ce-{name}")]
    if missing:
        evidence = f"no header {', '.join(f'ce-{name}' for name in missing)}"
        raise InputError("the request is no CloudEvent", evidence=evidence, hint=_HINT)
    # Values of headers are percent-encoded where they hold more than printable ASCII.
    name, kind, version = (unquote(headers[f"ce-{part}"]) for part in ("id", "type", "specversion"))
    return _event(name, kind, version, body, content_type, "")


def _structured(event: _Document, where: str) -> InferenceEvent:
    body = _data(event, where)
    return _event(event.id, event.type, event.specversion, body, event.datacontenttype, where)


def _event(name: str, kind: str, version: str, body: bytes, content_type: str, where: str) -> InferenceEvent:
    if version not in ("1.0", "0.3"):
        raise InputError(f"{where}version {version[:20]!r} of CloudEvents is not read", hint=_HINT)
    if kind not in _TYPES:
        hint = f"send events of type {' or '.join(_TYPES)}"
        raise InputError(f"{where}events of this type are not read", evidence=repr(kind[:200]), hint=hint)
    return InferenceEvent(check_id(name), _TYPES[kind], body, content_type)


def _data(event: _Document, where: str) -> bytes:
    """The body as it went over the wire."""
    if event.data_base64 is not None:
        try:
            return base64.b64decode(event.data_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InputError(f"{where}data_base64 is not BASE64", evidence=str(error), hint=_HINT) from None
    raw = bytes(event.data)
    media_type = event.datacontenttype.partition(";")[0].strip().lower()
    # A text of another type than JSON stands in a JSON string; JSON stands there as itself.
    if raw[:1] == b'"' and not (media_type.endswith(("/json", "+json"))):
        return msgspec.json.decode(raw, type=str).encode("utf-8", "surrogatepass")
    return raw


def _decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InputError("the body is no CloudEvent", evidence=str(error)[:200], hint=_HINT) from None
