"""The door of a service: who shows a token or a session, and for how long that is remembered."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from driftline.core.errors import AwayError
from driftline.core.records import utc
from driftline.resources.access import AuditEntry
from driftline.service.access import digest_of
from driftline.storage import access, audit
from driftline.storage.clock import Clock, system_clock
from driftline.storage.database import Store

SESSION_HOURS = 12
_TOUCH = timedelta(minutes=1)


class Visitor(NamedTuple):
    """Who asks: the name of their token, its role, and for a session the word that its forms must repeat."""

    name: str
    role: str
    csrf: str = ""


NOBODY = Visitor("nobody", "")
ANYONE = Visitor("anonymous", "everyone")
"""Whoever asks where access is off."""
Note = Callable[[Visitor, str, str, str, bool], None]
"""Tells the audit log: who, action, target, outcome, and whether such things come often, so that they are added up."""


class Door:
    """Looks up tokens and sessions in the store, opens and closes sessions, and writes the audit log.

    ``clock`` is real time. Every method asks the store; whoever serves many requests remembers the answers.
    """

    def __init__(self, store: Store, clock: Clock = system_clock) -> None:
        self._store, self._clock = store, clock

    def away(self) -> AwayError | None:
        """Why the store is not asked now; None where it is."""
        return self._store.away

    def token(self, secret: str) -> Visitor | None:
        """Who a token belongs to; None for one that is unknown, over or revoked."""
        found = self._token(secret)
        return None if found is None else Visitor(found.name, found.role)

    def session(self, secret: str) -> Visitor | None:
        """Who a session belongs to; None for one that is unknown or over."""
        digest, now = digest_of(secret), utc(self._clock())
        with self._store.read() as db:
            found = access.find_session(db, digest, now)
        if found is None or not hmac.compare_digest(found.digest, digest):
            return None
        return Visitor(found.name, found.role, csrf_of(secret))

    def login(self, secret: str) -> str | None:
        """Open a session for whoever shows a valid token: the session's secret."""
        found = self._token(secret)
        if found is None:
            return None
        session, now = secrets.token_urlsafe(32), utc(self._clock())
        expires = now + timedelta(hours=SESSION_HOURS)
        with self._store.write() as db:
            access.open_session(db, found.id, digest_of(session), now, min(expires, found.expires or expires))
        return session

    def logout(self, session: str) -> None:
        """End a session."""
        with self._store.write() as db:
            access.close_session(db, digest_of(session))

    def entry(self, who: Visitor, action: str, target: str, outcome: str, **detail: object) -> AuditEntry:
        """A row of the audit log, of now."""
        return AuditEntry(utc(self._clock()), who.name, who.role, action, target, outcome, detail)

    def record(self, who: Visitor, action: str, target: str, outcome: str, **detail: object) -> None:
        """Add a row to the audit log."""
        self.write(self.entry(who, action, target, outcome, **detail))

    def write(self, *entries: AuditEntry) -> None:
        """Add rows to the audit log: all of them, or none and an error."""
        with self._store.write() as db:
            for entry in entries:
                audit.add(db, entry)

    def _token(self, secret: str) -> access.Found | None:
        digest, now = digest_of(secret), utc(self._clock())
        with self._store.read() as db:
            found = access.find(db, digest, now)
        if found is None or not hmac.compare_digest(found.digest, digest):
            return None
        if found.last_used is None or now - found.last_used >= _TOUCH:
            with self._store.write() as db:
                access.touch(db, found.id, now)
        return found


def csrf_of(session: str) -> str:
    """The word that a session's forms repeat: known to whoever sees the page, and no way back to the session."""
    return digest_of("form:" + session)
