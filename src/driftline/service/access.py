"""Tokens of a service, and its audit log. Both live by the real time, never by a demo's."""

from __future__ import annotations

import hashlib
import math
import secrets
from datetime import datetime, timedelta

from driftline.core.errors import InputError
from driftline.core.records import utc
from driftline.core.window import parse_time
from driftline.resources.access import ROLES, AuditEntry, IssuedToken, NewToken, Token
from driftline.service.wiring import Wiring
from driftline.storage import access, audit
from driftline.storage.clock import system_clock
from driftline.storage.layout import check_name

PREFIX = "dl_"
"""How every token begins, so that people and scanners know one when they see it."""
_LONGEST_DAYS = 36_500


class Access(Wiring):
    """What a service does with tokens."""

    def create_token(self, token: NewToken) -> IssuedToken:
        """Make a token: 32 random bytes, of which only a digest is kept. The answer is the one place it is shown."""
        check_name(token.name, "token")
        if token.role not in ROLES:
            raise InputError(f"{token.role!r} is no role", hint=f"use one of {', '.join(ROLES)}")
        secret = PREFIX + secrets.token_urlsafe(32)
        now = utc(system_clock())
        made = Token(token.name, token.role, now, _expiry(token.days, now), None, False)
        with self.store.write() as db:
            return IssuedToken(access.add(db, made, digest_of(secret)), secret)

    def list_tokens(self) -> list[Token]:
        """Every token, by name, without what is secret."""
        with self.store.read() as db:
            return access.listing(db)

    def revoke_token(self, name: str) -> Token:
        """Make a token and its sessions void; a serving process notices within seconds."""
        with self.store.write() as db:
            return access.revoke(db, name)

    def list_audit(
        self, *, target: str | None = None, actor: str | None = None, since: str | None = None, limit: int = 100
    ) -> list[AuditEntry]:
        """What was done, by whom, and what came of it, newest first."""
        start = parse_time(since) if since else None
        with self.store.read() as db:
            return audit.listing(db, target=target, actor=actor, since=start, limit=limit)


def digest_of(secret: str) -> str:
    """What is stored of a secret. One with 256 random bits needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _expiry(days: float | None, now: datetime) -> datetime | None:
    if days is None:
        return None
    if not math.isfinite(days) or not 0 < days <= _LONGEST_DAYS:
        raise InputError(f"a token cannot live for {days:g} days", hint=f"give more than 0 and at most {_LONGEST_DAYS}")
    return now + timedelta(days=days)
