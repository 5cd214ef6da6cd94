"""The refusal of the one protocol of CloudWatch that is not spoken here, in that protocol, so that clients show it."""

from __future__ import annotations

from driftline.aws.protocol.answers import Answer

_TYPE = "com.amazonaws.cloudwatch#UnknownOperationException"
_MESSAGE = "driftline speaks JSON and the query protocol for CloudWatch, not CBOR: choose one of these in the client"


def cbor_refusal() -> Answer:
    """An error that says which protocols to use."""
    body = b"\xa2" + _text("__type") + _text(_TYPE) + _text("message") + _text(_MESSAGE)
    return Answer(400, [(b"content-type", b"application/cbor"), (b"smithy-protocol", b"rpc-v2-cbor")], body)


def _text(text: str) -> bytes:
    """A text of fewer than 256 bytes.

    >>> _text("ab")
    b'x\\x02ab'
    """
    raw = text.encode()
    return bytes((0x78, len(raw))) + raw
