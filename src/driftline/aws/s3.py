"""Requests for buckets, handed on to the S3 server: bodies flow through, paths stay as they were written, and every
request is signed anew, because clients do not know the S3 server's key."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from html import escape
from uuid import uuid4

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from driftline.aws.audit import Deed
from driftline.aws.errors import AwsError
from driftline.aws.roles import needed
from driftline.aws.s3_body import checked, unframed
from driftline.aws.s3_refusals import refuse
from driftline.aws.signature import UNSIGNED, Signed
from driftline.resources.access import may
from driftline.service.door import ANYONE, Note, Visitor
from driftline.serving.asgi import App, ClientGoneError, Headers, Message, Receive, Scope, Send, respond
from driftline.storage.s3_credentials import S3Credentials

Who = Callable[[Signed], Visitor]
"""Whoever signed a request, or :class:`AwsError`."""
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_AUTH = re.compile(
    rb"(X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token)"
    rb"|AWSAccessKeyId|Signature|Expires|x-amz-security-token)(=|$)"
)
# Of the connection, of a signature or of a framing that ends here; the rest is handed on.
_OURS = frozenset(
    b"host authorization connection keep-alive te trailer transfer-encoding upgrade expect content-length"
    b" proxy-authorization proxy-connection x-amz-date date x-amz-content-sha256 x-amz-security-token x-amz-trailer"
    b" x-amz-decoded-content-length x-amz-expected-bucket-owner x-amz-source-expected-bucket-owner accept-encoding"
    b" x-amz-sdk-checksum-algorithm".split()
)
_NOT_ANSWERED = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"date", b"server"})
_TIMEOUT = httpx.Timeout(120, connect=5)
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=32)


class S3:
    """An ASGI application in front of the S3 server at an address.

    ``who`` says who asks, where access is on: reading needs the role reader, writing the role writer. ``note`` tells
    the audit log how many objects of a bucket were written.
    """

    def __init__(
        self,
        address: str,
        key: S3Credentials,
        *,
        region: str,
        account: str,
        who: Who | None = None,
        note: Note | None = None,
    ) -> None:
        self._host = address.removeprefix("http://")
        self._address, self._region, self._account = address, region, account
        self._who, self._note = who, note
        self._signer = _Signer(Credentials(key.id, key.secret), "s3", region)
        self._http = httpx.AsyncClient(timeout=_TIMEOUT, limits=_LIMITS, trust_env=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands one request on, or answers with the error that S3 has for it."""
        deed = Deed("s3", scope["method"])
        send = self._telling(deed, scope, send)
        try:
            await self._handed_on(scope, receive, send, deed)
        except AwsError as error:
            await refused(scope, send, error)
        except httpx.TransportError as error:
            what = f"the S3 server of this data folder does not answer ({type(error).__name__}); try again"
            await refused(scope, send, AwsError("ServiceUnavailable", what, 503))
        except ClientGoneError:
            pass

    async def close(self) -> None:
        """End the connections to the S3 server."""
        await self._http.aclose()

    def _telling(self, deed: Deed, scope: Scope, send: Send) -> Send:
        """What tells the audit log of an answer before it leaves."""
        note, bucket = self._note, _path(scope).strip(b"/").partition(b"/")[0].decode("latin-1")
        if note is None or not deed.changes():
            return send

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                await asyncio.to_thread(deed.told, note, message["status"], bucket)
            await send(message)

        return telling

    async def _handed_on(self, scope: Scope, receive: Receive, send: Send, deed: Deed) -> None:
        headers, path = dict(scope["headers"]), _path(scope)
        self._admit(scope, path, headers, deed)
        refuse(scope["method"], path, scope["query_string"], headers)
        content, told = _content(headers, receive), _told_hash(headers)
        target = path + _query(scope["query_string"])
        length = _length(headers)
        if content is not None and length is None:
            raise AwsError("MissingContentLength", "an upload must tell its length", 411)
        stream = httpx.ByteStream(b"") if content is None else _Stream(content)
        answer = await self._http.send(self._request(scope, target, told, length, stream), stream=True)
        try:
            await self._answered(scope, path, answer, send)
        finally:
            await answer.aclose()

    def _admit(self, scope: Scope, path: bytes, headers: dict[bytes, bytes], deed: Deed) -> None:
        owner = headers.get(b"x-amz-expected-bucket-owner", self._account.encode())
        if owner != self._account.encode():
            raise AwsError("AccessDenied", f"buckets here belong to the account {self._account}", 403)
        if self._who is None:
            deed.who, deed.allowed = ANYONE, True
            return
        deed.who = self._who(Signed(scope["method"], path, scope["query_string"], scope["headers"]))
        role, least = deed.who.role, needed("s3", scope["method"])
        deed.allowed = may(role, least)
        if not deed.allowed:
            raise AwsError("AccessDenied", f"the role {role} may not do this, which needs the role {least}", 403)

    def _request(
        self, scope: Scope, target: bytes, told: str, length: str | None, stream: httpx.AsyncByteStream
    ) -> httpx.Request:
        """The request as the S3 server gets it, signed for it."""
        kept = [(name, value) for name, value in scope["headers"] if name not in _OURS and value != b"aws-chunked"]
        signed = AWSRequest(scope["method"], self._address + target.decode("latin-1"))
        for name, value in kept:
            signed.headers[name.decode("latin-1")] = value.decode("latin-1")
        signed.headers["X-Amz-Content-SHA256"] = told
        self._signer.add_auth(signed)
        headers = {name: value.encode("latin-1") for name, value in signed.headers.items()}
        headers |= {"Host": self._host.encode(), "Accept-Encoding": b"identity"}
        if length is not None:
            headers["Content-Length"] = length.encode()
        further = {"target": target, "timeout": _TIMEOUT.as_dict()}
        return httpx.Request(scope["method"], self._address, headers=headers, stream=stream, extensions=further)

    async def _answered(self, scope: Scope, path: bytes, answer: httpx.Response, send: Send) -> None:
        wanted = dict(scope["headers"]).get(b"if-match")
        etag = answer.headers.get("etag", "")
        if wanted is not None and answer.is_success and etag and not _matches(wanted.decode("latin-1"), etag):
            raise AwsError("PreconditionFailed", "the object is not the one that If-Match names", 412)
        if answer.status_code == 409 and scope["method"] == "PUT" and path.strip(b"/").count(b"/") == 0:
            await self._own_bucket(scope, path, send)
            return
        if answer.status_code == 404 and scope["method"] == "GET" and b"<Code>NoSuchKey<" in await answer.aread():
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404)  # of which rclone only tells the code
        headers = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in _NOT_ANSWERED]
        # rclone answers a part of an object as if it were whole.
        status = 206 if answer.status_code == 200 and "content-range" in answer.headers else answer.status_code
        await send({"type": "http.response.start", "status": status, "headers": headers})
        try:
            async for piece in answer.aiter_bytes() if answer.is_stream_consumed else answer.aiter_raw():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except httpx.TransportError:
            # The status has been told; an answer that is not completed tells the client that something is missing.
            return
        await send({"type": "http.response.body", "body": b""})

    async def _own_bucket(self, scope: Scope, path: bytes, send: Send) -> None:
        """A bucket that is there already is the caller's: in the first region that is no error."""
        if self._region != "us-east-1":
            raise AwsError("BucketAlreadyOwnedByYou", "this bucket is there already, and it is yours", 409)
        await respond(send, 200, [(b"location", b"/" + path.strip(b"/")), (b"content-length", b"0")], b"")


class _Signer(SigV4Auth):  # type: ignore[misc]
    """Signs for S3, whose paths are signed as they stand, and leaves the told hash of a body as it is."""

    def _normalize_url_path(self, path: str) -> str:
        return path


class _Stream(httpx.AsyncByteStream):
    """A body that is sent as it comes."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces


def elsewhere(endpoint: str) -> App:
    """The application in place of :class:`S3` where buckets are elsewhere: it says where."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        what = f"buckets are not here but at {endpoint}: set AWS_ENDPOINT_URL_S3, as driftline aws env does"
        await refused(scope, send, AwsError("InvalidRequest", what, 400))

    return app


async def refused(scope: Scope, send: Send, error: AwsError) -> None:
    """Answers with an error as S3 tells it; the rest of a body that was not read is not wanted."""
    request_id = uuid4().hex
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{error.code}</Code>'
        f"<Message>{escape(error.message)}</Message><RequestId>{request_id}</RequestId></Error>"
    ).encode()
    headers: Headers = [
        (b"content-type", b"application/xml"),
        (b"content-length", b"%d" % len(body)),
        (b"x-amz-request-id", request_id.encode()),
    ]
    if scope["method"] in ("PUT", "POST"):
        headers.append((b"connection", b"close"))
    await respond(send, error.status, headers, b"" if scope["method"] == "HEAD" else body)


def _path(scope: Scope) -> bytes:
    """The path as the client wrote it."""
    raw: bytes | None = scope.get("raw_path")
    return raw if raw is not None else scope["path"].encode()


def _query(query: bytes) -> bytes:
    """The query without what was signed in it."""
    kept = [part for part in query.split(b"&") if part and _AUTH.match(part) is None]
    return b"?" + b"&".join(kept) if kept else b""


def _framed(headers: dict[bytes, bytes]) -> bool:
    return headers.get(b"x-amz-content-sha256", b"").startswith(b"STREAMING-")


def _told_hash(headers: dict[bytes, bytes]) -> str:
    told = headers.get(b"x-amz-content-sha256", b"").decode("latin-1")
    return told if _HEX.fullmatch(told) else UNSIGNED


def _length(headers: dict[bytes, bytes]) -> str | None:
    """The length of the body behind any framing; None where it is not told."""
    name = b"x-amz-decoded-content-length" if _framed(headers) else b"content-length"
    length = headers.get(name)
    if length is not None and not length.isdigit():
        raise AwsError("InvalidArgument", f"{name.decode()} is no number", 400)
    return None if length is None else length.decode()


def _content(headers: dict[bytes, bytes], receive: Receive) -> AsyncIterator[bytes] | None:
    """The body as it is to be stored; None where there is none."""
    if b"content-length" not in headers and b"transfer-encoding" not in headers:
        return None
    pieces = _pieces(receive)
    if _framed(headers):
        return unframed(pieces)
    told = _told_hash(headers)
    return pieces if told == UNSIGNED else checked(pieces, told)


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        if message.get("body"):
            yield message["body"]
        more = message.get("more_body", False)


def _matches(wanted: str, etag: str) -> bool:
    return wanted.strip() == "*" or etag.strip('"') in {part.strip().strip('"') for part in wanted.split(",")}
