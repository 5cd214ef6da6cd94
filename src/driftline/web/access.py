"""The gate: nobody gets past it without a token or a session whose role is enough. It stands before everything."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import NamedTuple
from urllib.parse import quote

from driftline.core.errors import AccessError, DriftlineError, ForbiddenError, SetupError
from driftline.resources.access import may
from driftline.service.door import ANYONE, NOBODY, Door, Visitor
from driftline.serving.asgi import App, ClientGoneError, Receive, Scope, Send, respond, respond_error, unless_away
from driftline.web.access_cookies import check_form, session_of
from driftline.web.access_rules import OPEN, changes, needed
from driftline.web.access_throttle import Throttle
from driftline.web.audit import Auditor

FRESH, STALE = 5.0, 3600.0
"""Seconds for which a look-up is remembered; and for which it is trusted while the store cannot be reached: a token can
be revoked then on a node that reaches it, and this one would not know."""
_MOST_REMEMBERED = 10_000
_COOKIE = b"cookie "
_WRITERS = frozenset({"writer", "operator", "admin"})
visitor: ContextVar[Visitor] = ContextVar("visitor", default=ANYONE)
"""Who asks, for the handlers behind the gate; :data:`ANYONE` where there is no gate, because access is off."""


class _Known(NamedTuple):
    who: Visitor
    fresh: float
    stale: float


class Gate:
    """An ASGI application that lets through whom it knows. See ``docs/access.md`` for the rules.

    Tokens that were looked up are remembered for :data:`FRESH` seconds by their digest, so that an invocation costs no
    question to the store, and a revoked token is void that long after.
    """

    def __init__(self, app: App, door: Door, auditor: Auditor, now: Callable[[], float] = time.monotonic) -> None:
        self._app, self._door, self._auditor, self._now = app, door, auditor, now
        self._known: dict[bytes, _Known] = {}
        self._asked: dict[bytes, asyncio.Task[Visitor | None]] = {}
        self.throttle = Throttle(now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 401 or 403, or hands the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path.endswith("/invocations") and path.startswith("/endpoints/") and path.count("/") == 3:
            # The way of every prediction: one look-up in memory and nothing else.
            headers = scope["headers"]
            for place, (name, value) in enumerate(headers):
                if name == b"authorization":
                    known = self._known.get(hashlib.sha256(value).digest())
                    if known is not None and known.who.role in _WRITERS and known.fresh > self._now():
                        # It was meant for us, not for a server that the request may be handed on to.
                        del headers[place]
                        await self._app(scope, receive, send)
                        return
        await self._asked_in(scope, receive, send, path)

    async def _asked_in(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        """The whole examination of a request."""
        headers, role, who = dict(scope["headers"]), needed(scope["method"], path), NOBODY
        try:
            if role == OPEN:
                session = session_of(headers) if path in ("/login", "/logout") else None
                who = (session and await self._find(_COOKIE + session.encode(), scope)) or NOBODY
            else:
                who = await self._visitor(scope, headers)
                if not may(who.role, role):
                    raise ForbiddenError(
                        f"the role {who.role} may not do this",
                        evidence=f"{scope['method']} {path[:200]} needs the role {role}",
                        hint="use a token with that role: driftline token create NAME --role " + role,
                    )
                if who.csrf and changes(scope["method"]):
                    receive = await check_form(scope, headers, receive, who.csrf)
        except DriftlineError as error:
            await self._refuse(scope, send, error, headers, who)
        except ClientGoneError:
            pass
        else:
            visitor.set(who)
            if path.endswith("/invocations"):
                mine = (b"authorization", b"cookie")
                scope["headers"] = [header for header in scope["headers"] if header[0] not in mine]
            await self._app(scope, receive, send)

    async def _visitor(self, scope: Scope, headers: dict[bytes, bytes]) -> Visitor:
        """Who asks. Raises :class:`AccessError` for nobody."""
        given = headers.get(b"authorization")
        if given is not None:
            found = await self._find(given, scope)
            if found is None:
                raise AccessError("the token is not valid", hint="it is unknown, revoked or over; make another")
            return found
        session = session_of(headers)
        found = await self._find(_COOKIE + session.encode(), scope) if session is not None else None
        if found is None:
            hint = "send 'Authorization: Bearer TOKEN', set DRIFTLINE_TOKEN, or sign in at /login"
            raise AccessError("this service wants a token", hint=hint)
        return found

    async def _find(self, credential: bytes, scope: Scope) -> Visitor | None:
        """Who a header or cookie belongs to: remembered, or looked up, once for all who wait for the same."""
        digest, now = hashlib.sha256(credential).digest(), self._now()
        known = self._known.get(digest)
        if known is not None and known.fresh > now:
            return known.who
        address = _address(scope)
        if known is None:
            self.throttle.check(address)
        if digest not in self._asked:
            self._asked[digest] = asyncio.create_task(asyncio.to_thread(self._look_up, credential))
            self._asked[digest].add_done_callback(lambda task: self._answered(digest, task))
        try:
            who = await unless_away(self._asked[digest], self._door.away)
        except SetupError:
            # The endpoints go on serving whom they knew a moment ago.
            if known is None or known.stale < now:
                raise
            return known.who
        self._remember(digest, who, now)
        if who is None and not credential.startswith(_COOKIE):
            # A session that is over is nobody's attack.
            self.throttle.failed(address)
        return who

    def _answered(self, digest: bytes, task: asyncio.Task[Visitor | None]) -> None:
        self._asked.pop(digest, None)
        if not task.cancelled():
            task.exception()  # nobody may be left who waits for it

    def _look_up(self, credential: bytes) -> Visitor | None:
        kind, _, secret = credential.decode("latin-1").partition(" ")
        if kind == "cookie":
            return self._door.session(secret)
        return self._door.token(secret.strip()) if kind.lower() == "bearer" else None

    def _remember(self, digest: bytes, who: Visitor | None, now: float) -> None:
        if who is None:
            self._known.pop(digest, None)
            return
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[digest] = _Known(who, now + FRESH, now + STALE)

    def forget(self) -> None:
        """Ask the store again for everybody."""
        self._known.clear()

    def doubt(self) -> None:
        """Ask the store again for everybody, as soon as it can be reached."""
        self._known = {digest: known._replace(fresh=float("-inf")) for digest, known in dict(self._known).items()}

    async def _refuse(
        self, scope: Scope, send: Send, error: DriftlineError, headers: dict[bytes, bytes], who: Visitor
    ) -> None:
        if changes(scope["method"]):
            await self._auditor.refused(scope, who, error)
        if isinstance(error, AccessError) and scope["method"] == "GET" and b"text/html" in headers.get(b"accept", b""):
            query = scope["query_string"].decode("latin-1")
            wanted = scope["path"] + (f"?{query}" if query else "")
            there = f"/login?next={quote(wanted, safe='/')}".encode()
            await respond(send, 303, [(b"location", there), (b"content-length", b"0")], b"")
            return
        await respond_error(send, error)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
