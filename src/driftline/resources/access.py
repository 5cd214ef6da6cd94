"""Tokens, the roles they give, and what was done with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

Role = Literal["reader", "writer", "operator", "admin"]
ROLES: tuple[Role, ...] = ("reader", "writer", "operator", "admin")
"""From the least to the most: each may do what those before it may."""


def may(role: str, needed: str) -> bool:
    """Whether a role is enough for what needs another.

    >>> may("admin", "writer"), may("reader", "writer")
    (True, False)
    """
    return _RANK.get(role, -1) >= _RANK[needed]


_RANK: dict[str, int] = {role: rank for rank, role in enumerate(ROLES)}


class NewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token to make; without ``days`` it does not expire."""

    name: str
    role: Role = "reader"
    days: float | None = None


class Token(msgspec.Struct, frozen=True):
    """A token as it is shown: never its secret, of which only a digest is kept. ``last_used`` is to the minute."""

    name: str
    role: Role
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: bool

    def valid(self, now: datetime) -> bool:
        """Whether it works at a time."""
        return not self.revoked and (self.expires is None or self.expires > now)


class IssuedToken(msgspec.Struct, frozen=True):
    """A token that was just made, with its secret, which is shown this once."""

    token: Token
    secret: str


class AuditEntry(msgspec.Struct, frozen=True):
    """Who did what to what, and what came of it."""

    time: datetime
    actor: str
    role: str
    action: str
    target: str
    outcome: str
    detail: dict[str, Any] = {}
