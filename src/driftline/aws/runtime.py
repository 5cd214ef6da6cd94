"""InvokeEndpoint: the same way as every prediction, with the errors of SageMaker's runtime."""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.aws.errors import AwsError, sentence
from driftline.aws.protocol.answers import Answer
from driftline.core.errors import DriftlineError
from driftline.serving.asgi import App, Message, Receive, Scope, Send, respond

_OURS = frozenset({"code", "message", "evidence", "hint"})
_NOT_FOR_MODELS = frozenset({b"authorization", b"x-amz-security-token"})
_CODES = {
    "not_found": ("ValidationError", 400),
    "conflict": ("ValidationError", 400),
    "too_large": ("ValidationError", 400),
    "method_not_allowed": ("ValidationError", 400),
    "endpoint_unavailable": ("ServiceUnavailable", 503),
    "upstream_failed": ("ServiceUnavailable", 503),
    "environment": ("ServiceUnavailable", 503),
    "busy": ("ThrottlingException", 429),
}
"""Our errors as the runtime calls them; every other one is the model's."""


async def invoke(inner: App, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
    """Hand an invocation on to ``inner``, without its signature, and put its errors into the runtime's shape."""
    headers = [header for header in scope["headers"] if header[0] not in _NOT_FOR_MODELS]
    await inner({**scope, "headers": headers}, receive, _Translating(send, request_id))


class _Translating:
    """Passes answers on with the request's id; what is an error is kept until it is whole, then told anew."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._id = send, request_id
        self._status, self._body = 0, bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] >= 400:
                self._status = message["status"]
                return
            headers = [*message["headers"], (b"x-amzn-requestid", self._id.encode())]
            message = {**message, "headers": headers}
        elif self._status and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await reply(self._send, _retold(self._status, bytes(self._body)), self._id)
            return
        await self._send(message)


async def reply(send: Send, answer: Answer, request_id: str) -> None:
    """Send an answer with what every answer has: its length and the request's id."""
    fixed = [(b"x-amzn-requestid", request_id.encode()), (b"content-length", b"%d" % len(answer.body))]
    if answer.status == 413:
        # What is left of the body stays unread, so the connection cannot be used again.
        fixed.append((b"connection", b"close"))
    await respond(send, answer.status, [*answer.headers, *fixed], answer.body)


def runtime_error(error: AwsError, **more: Any) -> Answer:
    """An error in the runtime's shape."""
    body = {"__type": error.code, "Message": error.message, "message": error.message, **more}
    headers = [(b"content-type", b"application/json"), (b"x-amzn-errortype", error.code.encode())]
    return Answer(error.status, headers, msgspec.json.encode(body))


def of_ours(error: DriftlineError) -> AwsError:
    """One of our errors as the runtime calls it."""
    code, status = _CODES.get(error.code, ("ModelError", 424))
    return AwsError(code, _sentence(error.as_dict()), status)


def _retold(status: int, body: bytes) -> Answer:
    """An error answer of ours, or of a model served elsewhere, as the runtime tells it."""
    told = _ours(body)
    if told is not None and told["code"] in _CODES:
        code, as_status = _CODES[told["code"]]
        return runtime_error(AwsError(code, _sentence(told), as_status))
    if told is not None and told["code"] in ("internal", "error"):
        return runtime_error(AwsError("InternalFailure", told["message"], 500))
    original = body.decode("utf-8", "replace") if told is None else _sentence(told)
    message = f'Received client error ({status}) from model with message "{original[:1000]}"'
    if status >= 500:
        message = message.replace("client", "server", 1)
    return runtime_error(AwsError("ModelError", message, 424), OriginalStatusCode=status, OriginalMessage=original)


def _ours(body: bytes) -> dict[str, str] | None:
    """The error in a body that this server wrote; None for a body of another server."""
    try:
        return msgspec.json.decode(body, type=dict[str, str]) if set(msgspec.json.decode(body)) == _OURS else None
    except (msgspec.DecodeError, TypeError, RecursionError):
        return None


def _sentence(told: dict[str, str]) -> str:
    return sentence(told["message"], told["evidence"], told["hint"])
