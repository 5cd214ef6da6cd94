"""``POST /endpoints/{name}/invocations`` as a raw ASGI application; every other request goes to a fallback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter_ns
from typing import TYPE_CHECKING

from driftline.core.errors import AwayError, ConflictError, DriftlineError, NotFoundError
from driftline.core.records import check_id
from driftline.serving.asgi import (
    App,
    Away,
    ClientGoneError,
    Headers,
    Message,
    Receive,
    Scope,
    Send,
    read_body,
    respond,
    respond_error,
    text_of,
    unless_away,
)
from driftline.serving.batching import Batcher, Job
from driftline.serving.capture_log import CaptureLog
from driftline.serving.capture_records import Exchange
from driftline.serving.endpoints import Endpoint, Registry
from driftline.serving.errors import MethodError, UnavailableError
from driftline.serving.payload import answer_type, body_type, parse
from driftline.serving.request_counts import RequestCounts

if TYPE_CHECKING:
    from driftline.serving.proxy import Proxy

_log = logging.getLogger(__name__)
_PREFIX, _SUFFIX = "/endpoints/", "/invocations"
_AWS_ID, _OWN_ID = b"x-amzn-sagemaker-inference-id", b"x-inference-id"
_ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"


class Invocations:
    """Serves the endpoints of a registry, each request captured before it is answered.

    ``max_body`` is in bytes. ``refresh`` is called in a thread when an endpoint is asked for that is unknown or whose
    first model is still being loaded, at most once in
    ``refresh_every`` seconds; a request for it waits for a refresh that began after it arrived, so that an endpoint
    deployed through another process is served at once. While the database is ``away`` nobody waits for it, and an
    endpoint that is not known here is a 503. ``counts`` is told of every request and how it ended.
    """

    def __init__(
        self,
        registry: Registry,
        capture_log: CaptureLog,
        fallback: App,
        *,
        max_body: int = 6 << 20,
        refresh: Callable[[], None] | None = None,
        refresh_every: float = 0.25,
        away: Away = lambda: None,
        counts: RequestCounts | None = None,
    ) -> None:
        self._away = away
        # One of its own: a question to a database that hangs must not hold up what else is done in threads.
        self._refresher = ThreadPoolExecutor(1, "refresh")
        self._counts = counts
        self._registry, self._fallback, self._max_body = registry, fallback, max_body
        self._batcher, self._capture_log = Batcher(capture_log), capture_log
        self._proxy: Proxy | None = None
        self._refresh, self._refresh_every = refresh, refresh_every
        self._next_refresh: asyncio.Task[None] | None = None
        self._last_refresh = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; see the class."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if path.startswith(_PREFIX) and path.endswith(_SUFFIX):
                name = path[len(_PREFIX) : -len(_SUFFIX)]
                if name and "/" not in name:
                    await self._invoke(name, scope, receive, send)
                    return
        await self._fallback(scope, receive, send if scope["type"] != "lifespan" else self._closing(send))

    async def _invoke(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        began, status, outcome = perf_counter_ns(), 200, "ok"
        try:
            if scope["method"] != "POST":
                raise MethodError(f"{scope['method']} is not for invocations", hint="send the rows with POST")
            endpoint = self._registry.get(name)
            if endpoint is None or endpoint.model is None:
                if endpoint is None or endpoint.loading:
                    endpoint = await self._awaited(name)
                if endpoint.config.upstream is not None:
                    config, upstream = endpoint.config, endpoint.config.upstream
                    status = await self._forwarding().forward(config, upstream, scope, receive, send)
                    if self._counts is not None:
                        self._counts.count(name, status, "ok" if status < 400 else "upstream_answer", began)
                    return
            headers: dict[bytes, bytes] = dict(scope["headers"])
            job = _job(endpoint, headers, await read_body(receive, headers, self._max_body))
            self._batcher.submit(job)
            await job.done
        except DriftlineError as error:
            status, outcome = error.http_status, error.code
            await respond_error(send, error)
        except ClientGoneError:
            status, outcome = 499, "client_gone"
        else:
            await respond(send, 200, _headers(job), job.exchange.answer)
        if self._counts is not None:
            # Names that nobody deployed are not told apart: whoever asks for many must not fill the memory.
            known = outcome == "ok" or self._registry.get(name) is not None
            self._counts.count(name if known else "", status, outcome, began)

    def _forwarding(self) -> Proxy:
        if self._proxy is None:
            # Only now, so that a service without such endpoints does not load an HTTP client.
            from driftline.serving.proxy import Proxy

            self._proxy = Proxy(self._capture_log, max_body=self._max_body)
        return self._proxy

    def _closing(self, send: Send) -> Send:
        """``send`` for the server's life: at its end the connections to other servers are closed."""

        async def closing(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown") and self._proxy is not None:
                await self._proxy.close()
                self._proxy = None
            await send(message)

        return closing

    async def _awaited(self, name: str) -> Endpoint:
        """The endpoint after a refresh; raises :class:`NotFoundError` if there still is none."""
        if self._refresh is not None:
            if self._next_refresh is None:
                self._next_refresh = asyncio.create_task(self._refreshed(self._refresh))
                self._next_refresh.add_done_callback(_looked_at)
            try:
                await unless_away(self._next_refresh, self._away)
            except AwayError as error:
                if self._registry.get(name) is None:
                    raise _unknown(name, error) from None
        endpoint = self._registry.get(name)
        if endpoint is None:
            raise NotFoundError(
                f"there is no endpoint {name[:80]!r}", hint="deploy it, or check the name in the list of endpoints"
            )
        return endpoint

    async def _refreshed(self, refresh: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._last_refresh + self._refresh_every - loop.time()))
        # Whoever comes from here on may ask for what this refresh does not see any more.
        self._next_refresh, self._last_refresh = None, loop.time()
        try:
            await loop.run_in_executor(self._refresher, refresh)
        except AwayError:
            raise
        except Exception as error:
            _log.exception("the list of endpoints could not be read")
            raise UnavailableError(
                "the list of endpoints could not be read",
                evidence=f"{type(error).__name__}: {error}"[:300],
                hint="try again, and see the server's log",
            ) from None


def _job(endpoint: Endpoint, headers: dict[bytes, bytes], body: bytes) -> Job:
    """One request, parsed and checked; raises the :class:`DriftlineError` that it is to be answered with."""
    if endpoint.model is None:
        raise _unavailable(endpoint)
    content_type = text_of(headers.get(b"content-type", b""))
    media_type = body_type(content_type)
    rows = parse(body, media_type, endpoint.model.n_features)
    inference_id = headers.get(_AWS_ID)
    if inference_id is None:
        inference_id = headers.get(_OWN_ID)
    attributes = headers.get(_ATTRIBUTES)
    exchange = Exchange(
        body,
        content_type,
        b"",
        "",
        None if inference_id is None else check_id(text_of(inference_id)),
        None if attributes is None else text_of(attributes),
    )
    accept = headers.get(b"accept", b"*/*")
    answer = media_type if accept == b"*/*" else answer_type(text_of(accept), media_type)
    count = len(rows) // (4 * endpoint.model.n_features)
    done = asyncio.get_running_loop().create_future()
    return Job(endpoint, endpoint.model, rows, count, answer, exchange, done)


def _looked_at(task: asyncio.Task[None]) -> None:
    """Nobody may be left who waits for it, and then its error is no news."""
    if not task.cancelled():
        task.exception()


def _unknown(name: str, error: AwayError) -> DriftlineError:
    return UnavailableError(
        f"it is not known whether there is an endpoint {name[:80]!r}: {error.what}",
        evidence=error.evidence,
        hint="try again when the database is back; the endpoints that were known are served",
    )


def _unavailable(endpoint: Endpoint) -> DriftlineError:
    failure = endpoint.failure
    if endpoint.config.model is None:
        return ConflictError(
            f"endpoint {endpoint.config.name} answers nothing here",
            evidence="it is external: its model is served elsewhere",
            hint="ask that server, or give the endpoint a model or an upstream",
        )
    return UnavailableError(
        f"endpoint {endpoint.config.name} cannot answer: {failure.what if failure else 'it has no model'}",
        evidence=failure.evidence if failure else "",
        hint=failure.hint if failure else "deploy it again",
    )


def _headers(job: Job) -> Headers:
    exchange = job.exchange
    headers = [
        (b"content-type", exchange.answer_type.encode()),
        (b"content-length", b"%d" % len(exchange.answer)),
        (b"x-amzn-invoked-production-variant", job.endpoint.config.variant.encode()),
    ]
    if exchange.event_id is not None:
        headers.append((b"x-inference-event-id", exchange.event_id.encode()))
    return headers
