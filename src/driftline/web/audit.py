"""The audit log's hand: every change that the API makes or refuses becomes a row, before its answer leaves."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from urllib.parse import quote, unquote

import msgspec

from driftline.core.errors import AwayError, DriftlineError
from driftline.resources.access import AuditEntry
from driftline.service.door import Door, Visitor
from driftline.serving.asgi import App, Message, Receive, Scope, Send
from driftline.web.access_rules import changes

_log = logging.getLogger(__name__)
_IN_AGGREGATE = frozenset({"put_labels", "put_events", "put_metrics", "invoke", "refused"})
_MOST_COUNTED = 1000
_MOST_KEPT = 10_000
_PRIVATE = ("/login", "/logout", "/timezone")
"""What writes its own rows, and what changes nothing but the reader's browser."""
_Count = tuple[Visitor, str, str, str]


class Auditor:
    """Names what requests do and writes it down. What comes often (labels, refusals of nobody) is added up.

    While the database is away rows are kept in memory, up to ten thousand, and written with their own times when it is
    back.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._counts: Counter[_Count] = Counter()
        self._counting = threading.Lock()
        self._kept: list[AuditEntry] = []
        self._routes: list[tuple[str, re.Pattern[str], str]] = []

    def know(self, routes: Iterable[tuple[str, str, str]]) -> None:
        """Learn how requests are named: (method, path with names in braces, action)."""
        self._routes = [(method, _pattern(path), action) for method, path, action in routes]

    def action(self, method: str, path: str) -> str:
        """What a request does, by the name of what answers it."""
        found = (name for verb, pattern, name in self._routes if verb == method and pattern.fullmatch(path))
        return next(found, "unknown")

    async def done(self, scope: Scope, who: Visitor, status: int, name: str = "", place: str = "") -> None:
        """A request was answered; ``name`` is what it made, or ``place`` its page, where its path does not say."""
        action = self.action(scope["method"], scope["path"])
        target = _target(place or scope["path"]) + (f"/{name}" if name else "")
        outcome = "done" if status < 400 else f"failed with {status}"
        await self._note(who, action, target, outcome)

    async def refused(self, scope: Scope, who: Visitor, error: DriftlineError) -> None:
        """A request was turned away at the gate."""
        if who.role:
            action = self.action(scope["method"], scope["path"])
            await self._note(who, action, _target(scope["path"]), f"refused with {error.http_status}")
        else:
            # Whoever has no token must not be able to fill the log.
            await self._note(who, "refused", "", f"refused with {error.http_status}")

    async def event(self, who: Visitor, action: str, outcome: str) -> None:
        """Something that is not a change of the API: a login, a logout."""
        await self._note(who, action, "", outcome)

    async def _note(self, who: Visitor, action: str, target: str, outcome: str) -> None:
        often = action in _IN_AGGREGATE
        if self._door.away() is not None or (often and len(self._counts) < _MOST_COUNTED - 1):
            self.note(who, action, target, outcome, often)
        else:
            await asyncio.to_thread(self.note, who, action, target, outcome, often)

    def note(self, who: Visitor, action: str, target: str, outcome: str, often: bool) -> None:
        """Write a row; what comes often is added up, and written when there is much of it or :meth:`flush` is called.

        Any thread may call it; it may take as long as the store does.
        """
        who = who._replace(csrf="")
        try:
            if often:
                self._count((who, action, target, outcome))
            else:
                self._record(self._door.entry(who, action, target, outcome))
        except DriftlineError as error:
            _log.error("the audit log misses: %s %s %s %s (%s)", who.name, action, target, outcome, error.what)

    def _record(self, entry: AuditEntry) -> None:
        try:
            self._door.write(entry)
        except AwayError:
            with self._counting:
                if len(self._kept) >= _MOST_KEPT:
                    raise
                self._kept.append(entry)

    def _count(self, what: _Count) -> None:
        with self._counting:
            if len(self._counts) < _MOST_KEPT or what in self._counts:
                self._counts[what] += 1
        if len(self._counts) >= _MOST_COUNTED and self._door.away() is None:
            self.flush()

    def flush(self) -> None:
        """Write what was kept and added up; what cannot be written is kept for the next time."""
        self.tell_kept()
        with self._counting:
            counts, self._counts = self._counts, Counter()
        for (who, action, target, outcome), number in list(counts.items()):
            try:
                self._door.record(who, action, target, outcome, requests=number)
            except DriftlineError:
                with self._counting:
                    self._counts.update(counts)
                raise
            del counts[who, action, target, outcome]

    def leave(self) -> list[AuditEntry]:
        """What was neither written nor is: for whoever comes after this process."""
        with self._counting:
            kept, self._kept, counts, self._counts = self._kept, [], self._counts, Counter()
        return [*kept, *(self._door.entry(*what, requests=number) for what, number in counts.items())]

    def keep(self, entries: Iterable[AuditEntry]) -> None:
        """Take over what another process left."""
        with self._counting:
            self._kept = [*entries, *self._kept][:_MOST_KEPT]

    def tell_kept(self) -> None:
        """Write what was kept while the database was away."""
        with self._counting:
            kept, self._kept = self._kept, []
        try:
            if kept:
                self._door.write(*kept)
        except DriftlineError:
            with self._counting:
                self._kept = kept + self._kept
            raise


class Audited:
    """An ASGI application whose changes are written down. Reads pass untouched."""

    def __init__(self, app: App, auditor: Auditor, visitor: Callable[[], Visitor]) -> None:
        self._app, self._auditor, self._visitor = app, auditor, visitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands the request on, and the answer when it is written down."""
        if scope["type"] != "http" or not changes(scope["method"]) or scope["path"] in _PRIVATE:
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                held.append(message)
                return
            if held:
                start = held.pop()
                # What a list is asked to add has its name in the answer and not in the path.
                adds = start["status"] == 201 and scope["path"].count("/") == 2
                name = _made(message.get("body", b"")) if adds else ""
                await self._auditor.done(scope, self._visitor(), start["status"], name, _place(scope, start))
                await send(start)
            await send(message)

        await self._app(scope, receive, noted)


def _place(scope: Scope, start: Message) -> str:
    """Where the form of a new thing leads to: the page of what it made. Empty for other requests."""
    if not scope["path"].startswith("/new/") or start["status"] != 303:
        return ""
    return unquote(dict(start["headers"]).get(b"location", b"").decode("latin-1"))


class _Made(msgspec.Struct):
    name: str = ""
    token: dict[str, msgspec.Raw] = {}


def _made(body: bytes) -> str:
    try:
        found = msgspec.json.decode(body, type=_Made)
        return found.name or (msgspec.json.decode(found.token["name"], type=str) if found.token else "")
    except (msgspec.DecodeError, UnicodeError, KeyError):
        return ""


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(map(re.escape, re.split(r"\{[^}]*\}", path))))


def _target(path: str) -> str:
    """The thing that a path is about, such as ``endpoints/churn``."""
    parts = [part for part in path.split("/") if part]
    return quote("/".join(parts[1:3] if parts[:1] == ["api"] else parts[:2]), safe="/-._~")[:300]
