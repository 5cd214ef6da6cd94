"""The AWS side as a web process is told of it by name: ``--front driftline.aws.assembly:front``."""

from __future__ import annotations

from functools import partial

from driftline.aws.front import Settings
from driftline.aws.front import front as make_front
from driftline.aws.requests import Request
from driftline.aws.s3 import S3, elsewhere
from driftline.aws.signature import Signed, verify
from driftline.core.records import utc
from driftline.service import Service
from driftline.service.access_keys import AccessKeys
from driftline.service.door import Note, Visitor
from driftline.serving.asgi import App, Message, Receive, Scope, Send
from driftline.storage.clock import system_clock
from driftline.storage.s3_credentials import s3_credentials


def front(
    service: Service,
    *,
    inner: App,
    gated: App,
    access: bool,
    note: Note | None = None,
    region: str = "us-east-1",
    account: str = "000000000000",
    endpoint_url: str = "",
    s3: str = "",
    s3_endpoint: str = "",
) -> App:
    """The AWS side with its buckets and its doorkeeper.

    ``s3`` is the address of our own S3 server, ``s3_endpoint`` that of the one that is used instead.
    """
    keys = AccessKeys(service.store, service.layout)

    def signer(request: Signed, body: bytes | None = None) -> Visitor:
        return verify(request, keys.find, utc(system_clock()), body)

    def authorise(request: Request) -> Visitor:
        return signer(Signed(request.method, request.path, request.query, request.headers), request.body)

    settings = Settings(region, account, endpoint_url)
    made = partial(make_front, service, inner=inner, access=access, settings=settings, authorise=authorise, note=note)
    if s3_endpoint:
        return made(gated=gated, s3=elsewhere(s3_endpoint))
    buckets = S3(
        s3, s3_credentials(service.layout), region=region, account=account, who=signer if access else None, note=note
    )
    return made(gated=_closing(gated, buckets), s3=buckets)


def _closing(app: App, buckets: S3) -> App:
    """An application with whose end the connections to the S3 server end."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "lifespan.shutdown.complete":
                await buckets.close()
            await send(message)

        await app(scope, receive, sent if scope["type"] == "lifespan" else send)

    return wrapped
