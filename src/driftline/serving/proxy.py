"""Endpoints whose model is served elsewhere: requests are passed on, answers passed back, and both are captured."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx

from driftline.core.errors import DriftlineError, InputError
from driftline.serving.asgi import ClientGoneError, Message, Receive, Scope, Send
from driftline.serving.capture_log import CaptureLog
from driftline.serving.endpoints import EndpointConfig
from driftline.serving.errors import UpstreamError, UpstreamTimeoutError
from driftline.serving.forwarded import SEEN_BY, to_client, to_upstream
from driftline.serving.observed import AWS_ID, Observed
from driftline.serving.upstream import check_host

_log = logging.getLogger(__name__)
_TIMEOUT = httpx.Timeout(60.0, connect=5.0, pool=5.0)
_LIMITS = httpx.Limits(max_connections=512, max_keepalive_connections=64, keepalive_expiry=15.0)


class Proxy:
    """Forwards requests over a pool of connections, which belongs to the running event loop.

    The answer goes through byte by byte as it comes, with its status and headers. Capture comes after the last byte,
    and whatever happens in it the client has had its answer; ``max_body`` is the most bytes of a body that it keeps.
    """

    def __init__(self, capture_log: CaptureLog, *, max_body: int, timeout: httpx.Timeout = _TIMEOUT) -> None:
        self._capture_log, self._max_body = capture_log, max_body
        # Redirects are the client's to follow; the environment's proxies are not meant for model servers.
        self._http = httpx.AsyncClient(timeout=timeout, limits=_LIMITS, follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def forward(self, config: EndpointConfig, upstream: str, scope: Scope, receive: Receive, send: Send) -> int:
        """Answers one request and returns the status of the answer.

        Raises a :class:`DriftlineError` only when nothing of the answer was sent yet.
        """
        observed = Observed(scope["headers"], self._max_body)
        request = _request(config, upstream, scope, await _body(receive, observed), observed)
        try:
            response = await self._http.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _failure(config, upstream, error) from None
        try:
            whole = await self._pass_back(response, observed, receive, send)
        except httpx.HTTPError as error:
            # The status has left already: only an answer that ends too early can tell the client.
            _log.warning("endpoint %s: %s broke its answer off: %s", config.name, upstream, error)
            whole = False
        finally:
            await response.aclose()
        if observed.good:
            self._capture(config, observed if whole else None)
        return observed.status

    async def _pass_back(self, response: httpx.Response, observed: Observed, receive: Receive, send: Send) -> bool:
        """Whether all of the answer has gone to the client."""
        headers = to_client(response.headers.raw)
        observed.answer_begins(response.status_code, headers)
        if not any(name == AWS_ID for name, _ in headers):
            headers.append((AWS_ID, observed.inference_id.encode()))
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        gone: asyncio.Future[Message] | None = None
        begun = False
        try:
            async for chunk in response.aiter_raw():
                if begun:  # most answers are one chunk, which need no look at whether the client still listens
                    gone = gone or asyncio.ensure_future(receive())
                    if gone.done():
                        return False
                begun = True
                observed.answered.add(chunk, more=True)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        finally:
            if gone is not None:
                gone.cancel()
        observed.answered.add(b"", more=False)
        await send({"type": "http.response.body", "body": b""})
        return True

    def _capture(self, config: EndpointConfig, observed: Observed | None) -> None:
        try:
            exchange = None if observed is None else observed.exchange()
            if exchange is None:
                self._capture_log.count_dropped(config.name)
            else:
                self._capture_log.append(config, [exchange])
        except Exception:
            _log.exception("endpoint %s: an answer was not captured", config.name)


async def _body(receive: Receive, observed: Observed) -> bytes | AsyncIterator[bytes]:
    """The request's body: whole when it came at once, else as it comes."""
    first = await _next(receive, observed)
    return _chunks(first, receive, observed) if first.get("more_body") else first.get("body", b"")


async def _chunks(first: Message, receive: Receive, observed: Observed) -> AsyncIterator[bytes]:
    message = first
    while True:
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return
        message = await _next(receive, observed)


async def _next(receive: Receive, observed: Observed) -> Message:
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGoneError
    observed.asked.add(message.get("body", b""), more=message.get("more_body", False))
    return message


def _request(
    config: EndpointConfig, upstream: str, scope: Scope, body: bytes | AsyncIterator[bytes], observed: Observed
) -> httpx.Request:
    if any(name == SEEN_BY and value == config.name.encode() for name, value in scope["headers"]):
        hint = "give the endpoint the address of the model server, not that of this service"
        raise InputError(f"endpoint {config.name} forwards to itself", evidence=upstream, hint=hint)
    query: bytes = scope.get("query_string", b"")
    joined = upstream if not query else f"{upstream}{'&' if '?' in upstream else '?'}{query.decode('latin-1')}"
    headers = to_upstream(scope["headers"], config.name, observed.inference_id)
    extensions = {"timeout": _TIMEOUT.as_dict(), "trace": _check_peer}
    return httpx.Request("POST", joined, headers=headers, content=body, extensions=extensions)


async def _check_peer(event: str, info: dict[str, Any]) -> None:
    """Refuses a connection to an address that is refused, whatever name led there, before anything is sent on it."""
    if event == "connection.connect_tcp.complete":
        address = info["return_value"].get_extra_info("server_addr")
        if address is not None:
            try:
                check_host(address[0])
            except InputError:
                await info["return_value"].aclose()
                raise


def _failure(config: EndpointConfig, upstream: str, error: Exception) -> DriftlineError:
    _log.warning("endpoint %s: no answer from %s: %s %s", config.name, upstream, type(error).__name__, error)
    evidence = f"{upstream}: {type(error).__name__}: {error}"[:300]
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return UpstreamTimeoutError(
            f"the model server of endpoint {config.name} did not answer in time",
            evidence=evidence,
            hint="look at its load, or send fewer rows",
        )
    return UpstreamError(
        f"the model server of endpoint {config.name} cannot be reached",
        evidence=evidence,
        hint="start it, or correct its address with 'driftline endpoint proxy'",
    )
