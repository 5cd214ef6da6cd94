"""Which headers go through a proxy."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from driftline.serving.asgi import Headers

# Of one connection only (RFC 9110, 7.6.1), with those that older software uses in the same way.
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade".split()
)
# What lets a caller in here is no business of the server behind; nor is the name that this server was called by.
_OURS = frozenset((b"authorization", b"cookie", b"host", b"expect"))
SEEN_BY = b"x-driftline-endpoint"


def to_upstream(headers: Iterable[tuple[bytes, bytes]], endpoint: str, inference_id: str) -> Headers:
    """A request's headers as they are forwarded."""
    given = list(headers)
    passed = _passing(given, _OURS | {b"x-amzn-sagemaker-inference-id"})
    return [*passed, (b"x-amzn-sagemaker-inference-id", inference_id.encode()), (SEEN_BY, endpoint.encode())]


def to_client(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """An answer's headers as they are passed on, in their order."""
    return _passing([(name.lower(), value) for name, value in headers], frozenset())


def _passing(headers: Headers, without: Collection[bytes]) -> Headers:
    named = {
        token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")
    } - {b"content-type", b"content-length"}
    return [
        (name, value) for name, value in headers if name not in HOP_BY_HOP and name not in without and name not in named
    ]
