"""Answers and errors as the bytes, the status and the headers that clients of a protocol read."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from botocore.model import OperationModel

from driftline.aws.errors import AwsError
from driftline.aws.protocol.calls import Call
from driftline.aws.protocol.json_values import json_value
from driftline.aws.protocol.models import QUERY, error_code, error_shape, error_traits, model
from driftline.aws.protocol.xml_values import element, escaped, xml_members
from driftline.serving.asgi import Headers

_QUERY_CODES = {
    "ValidationException": "ValidationError",
    "UnknownOperationException": "InvalidAction",
    "AccessDeniedException": "AccessDenied",
}
"""What errors of every service are called by the services of the query protocol."""


class Answer(NamedTuple):
    """A complete HTTP answer but for its length and its request's id."""

    status: int
    headers: Headers
    body: bytes


def answer(call: Call, operation: OperationModel, output: dict[str, Any], request_id: str) -> Answer:
    """What an operation gives, in the protocol of its call.

    Members that are None are left out. Raises :class:`ValueError` for what the operation's model does not have.
    """
    shape = operation.output_shape
    if shape is None and output:
        raise ValueError(f"{operation.name} gives nothing, so it cannot give {sorted(output)}")
    if call.protocol == "json":
        return _json(call, 200, {} if shape is None else json_value(shape, output), [])
    inside = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper") or f"{operation.name}Result"
        inside = element(wrapper, xml_members(shape, output))
    meta = element("ResponseMetadata", element("RequestId", request_id))
    return _xml(call, 200, f"{operation.name}Response", inside + meta)


def refusal(call: Call, error: AwsError, request_id: str) -> Answer:
    """An error of a call, in its protocol and under its service's names."""
    code = _QUERY_CODES.get(error.code, error.code) if call.service in QUERY else error.code
    shape = error_shape(call.service, code)
    side = "Receiver" if error.status >= 500 else "Sender"
    if call.protocol == "query":
        status = error.status
        if shape is not None and status == 400:
            code, status = error_code(shape), int(error_traits(shape).get("httpStatusCode", 400))
        told = element("Type", side) + element("Code", escaped(code)) + element("Message", escaped(error.message))
        return _xml(call, status, "ErrorResponse", element("Error", told) + element("RequestId", request_id))
    member = "Message" if shape is not None and "Message" in shape.members else "message"
    headers: Headers = []
    if call.service in QUERY:
        known_as = code if shape is None else error_code(shape)
        headers.append((b"x-amzn-query-error", f"{known_as};{side}".encode("ascii", "replace")))
        # Clients of JSON know an error by its shape's name, and what is common to all services by its common name.
        code = error.code if shape is None else shape.name
    return _json(call, error.status, {"__type": code, member: error.message}, headers)


def _json(call: Call, status: int, document: Any, headers: Headers) -> Answer:
    version = model(call.service).metadata.get("jsonVersion", "1.1")
    kind = (b"content-type", f"application/x-amz-json-{version}".encode())
    return Answer(status, [kind, *headers], msgspec.json.encode(document))


def _xml(call: Call, status: int, root: str, inside: str) -> Answer:
    space = model(call.service).metadata.get("xmlNamespace", "")
    text = f'<{root} xmlns="{space}">{inside}</{root}>\n'
    return Answer(status, [(b"content-type", b"text/xml")], text.encode())
