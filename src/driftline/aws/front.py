"""The ASGI application before all others with ``--aws``: what AWS clients ask is answered here, the rest passed on."""

from __future__ import annotations

import asyncio
import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import msgspec

from driftline.aws.context import Context
from driftline.aws.errors import AwsError
from driftline.aws.operations import OPERATIONS
from driftline.aws.performing import Performer
from driftline.aws.protocol import models
from driftline.aws.protocol.answers import Answer, refusal
from driftline.aws.protocol.calls import Call, of_form, of_target, scope_of
from driftline.aws.protocol.cbor_refusal import cbor_refusal
from driftline.aws.protocol.forms import fields_of
from driftline.aws.requests import Authorise, Request, content_of, read_request
from driftline.aws.runtime import invoke, of_ours, reply, runtime_error
from driftline.core.errors import DriftlineError, TooLargeError
from driftline.service import Service
from driftline.service.door import Note, Visitor
from driftline.service.registry import Registry
from driftline.serving.asgi import App, ClientGoneError, Message, Receive, Scope, Send, text_of
from driftline.storage.buckets import open_objects

_MARKS = frozenset(
    {b"x-amz-target", b"x-amz-date", b"x-amz-content-sha256", b"amz-sdk-invocation-id", b"smithy-protocol"}
)
_PERHAPS = _MARKS | {b"authorization"}
_SIGNED_ADDRESS = re.compile(rb"X-Amz-Algorithm=|AWSAccessKeyId=")
_ADDRESS_CREDENTIAL = re.compile(rb"X-Amz-Credential=[^/&]*?(?:%2F|/)\d{8}(?:%2F|/)[a-z0-9-]*(?:%2F|/)([a-z0-9-]*)")
_INVOCATIONS = re.compile(r"/endpoints/[^/]+/invocations")
_FORM = b"application/x-www-form-urlencoded"
_THREADS = 16
_NO_BUCKETS = b"<Error><Code>NotImplemented</Code><Message>driftline serves no buckets here</Message></Error>"


class Settings(msgspec.Struct, frozen=True):
    """What ARNs are made of, and the address that clients reach this server by."""

    region: str = "us-east-1"
    account: str = "000000000000"
    endpoint_url: str = ""


def front(
    service: Service,
    *,
    inner: App,
    gated: App,
    access: bool,
    settings: Settings | None = None,
    s3: App | None = None,
    authorise: Authorise | None = None,
    note: Note | None = None,
) -> App:
    """The AWS side of a service, before the application that everybody else is answered by.

    ``inner`` serves invocations and has no gate; ``gated`` is given whatever is not an AWS client's; ``s3`` answers
    for buckets. With ``access`` every signature is verified by ``authorise``, and without that nobody is let in.
    ``note`` writes changes to the audit log.
    """
    known = settings or Settings()
    objects = open_objects(service.layout)
    context = Context(service, Registry(service.store), objects, known.region, known.account, known.endpoint_url)
    performer = Performer(context, OPERATIONS, (authorise or _nobody) if access else None, note)
    return Front(performer, invocations=inner, gated=gated, s3=s3, guarded=access)


def _nobody(_: Request) -> Visitor:
    raise AwsError("AccessDeniedException", "access is on, and no access keys are known here", 403)


class Front:
    """Tells AWS clients by their headers, and calls what they ask for; see :func:`front`."""

    def __init__(self, performer: Performer, *, invocations: App, gated: App, s3: App | None, guarded: bool) -> None:
        self._invocations, self._gated, self._s3 = invocations, gated, s3
        self._performer, self._guarded = performer, guarded
        # Their own threads, so that slow operations keep none of those that endpoints are refreshed by.
        self._threads = ThreadPoolExecutor(_THREADS, "aws")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or passes it on."""
        if scope["type"] != "http" or not _of_aws(scope):
            await self._gated(scope, receive, send)
            return
        with contextlib.suppress(ClientGoneError):
            await self._answered(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        signed_for = _signed_for(headers, scope["query_string"])
        if signed_for == "s3":
            await self._bucket(scope, receive, send)
        elif headers.get(b"smithy-protocol") == b"rpc-v2-cbor":
            await reply(send, cbor_refusal(), str(uuid4()))
        elif b"x-amz-target" in headers:
            await self._by_target(text_of(headers[b"x-amz-target"]), scope, receive, send)
        elif scope["method"] == "POST" and _INVOCATIONS.fullmatch(scope["path"]):
            await self._invoked(scope, receive, send)
        elif headers.get(b"content-type", b"").lower().startswith(_FORM) or b"Action=" in scope["query_string"]:
            await self._by_form(signed_for, scope, receive, send)
        elif signed_for:
            await reply(send, _unknown(f"{signed_for} {scope['method']} {scope['path'][:200]}"), str(uuid4()))
        else:
            await self._bucket(scope, receive, send)

    async def _bucket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._s3 is None:
            await reply(send, Answer(501, [(b"content-type", b"application/xml")], _NO_BUCKETS), str(uuid4()))
        else:
            await self._s3(scope, receive, send)

    async def _by_target(self, target: str, scope: Scope, receive: Receive, send: Send) -> None:
        call = of_target(target)
        if call is None:
            await reply(send, _unknown(target[:200]), str(uuid4()))
            return
        await self._performed(call, scope, receive, send)

    async def _by_form(self, signed_for: str, scope: Scope, receive: Receive, send: Send) -> None:
        service = models.SIGNING_NAMES.get(signed_for, "sts")
        try:
            request = await read_request(scope, receive)
            fields = await self._in_thread(lambda: fields_of(content_of(request), request.query))
            call = of_form(fields, signed_for)
            if call is None:
                raise AwsError(
                    "InvalidAction", "driftline does not answer this: Action and Version name nothing it has"
                )
        except (AwsError, TooLargeError) as error:
            refused = _too_large(error) if isinstance(error, TooLargeError) else error
            request_id = str(uuid4())
            await reply(send, refusal(Call(service, "", "query"), refused, request_id), request_id)
            return
        await self._replied(call, request, send)

    async def _performed(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = await read_request(scope, receive)
        except TooLargeError as error:
            request_id = str(uuid4())
            await reply(send, refusal(call, _too_large(error), request_id), request_id)
            return
        await self._replied(call, request, send)

    async def _replied(self, call: Call, request: Request, send: Send) -> None:
        request_id = str(uuid4())
        await reply(send, await self._in_thread(self._performer.perform, request, call, request_id), request_id)

    async def _invoked(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = str(uuid4())
        if self._guarded:
            try:
                request = await read_request(scope, receive)
                what = ("sagemaker-runtime", "InvokeEndpoint", scope["path"].split("/")[2])
                await self._in_thread(self._performer.admit, request, *what)
            except (AwsError, DriftlineError) as error:
                known = of_ours(error) if isinstance(error, DriftlineError) else error
                await reply(send, runtime_error(known), request_id)
                return
            receive = _again(request.body)
        await invoke(self._invocations, scope, receive, send, request_id)

    async def _in_thread(self, work: Any, *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)


def _of_aws(scope: Scope) -> bool:
    """Whether a request is an AWS client's: by its headers alone, or by an address that is signed."""
    headers = dict(scope["headers"])
    # The way of every prediction: nothing more than this look.
    if not _PERHAPS.isdisjoint(headers):
        return not _MARKS.isdisjoint(headers) or headers[b"authorization"].startswith(b"AWS")
    query: bytes = scope["query_string"]
    return bool(query) and _SIGNED_ADDRESS.search(query) is not None


def _signed_for(headers: dict[bytes, bytes], query: bytes) -> str:
    """The service that a request is signed for; empty where it does not say so."""
    found = scope_of(headers.get(b"authorization", b""))
    if found is not None:
        return found[1]
    credential = _ADDRESS_CREDENTIAL.search(query)
    return "" if credential is None else credential[1].decode()


def _unknown(what: str) -> Answer:
    return runtime_error(AwsError("UnknownOperationException", f"driftline does not answer {what}"))


def _too_large(error: TooLargeError) -> AwsError:
    return AwsError("RequestEntityTooLargeException", error.what, 413)


def _again(body: bytes) -> Receive:
    """A body that was read already, to be read once more."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
