"""What becomes of one sensitive value: nothing is left, a keyed hash is, or three stars are."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from driftline.resources.endpoints import Hiding

Hide = Callable[[str], str | None]
MASK = "***"
HASH_DIGITS = 16


class UnhiddenError(Exception):
    """A body in which the sensitive columns cannot be found for certain, so that nothing of it may be recorded."""


def hidden(action: Hiding, key: Callable[[], bytes]) -> Hide:
    """What is recorded in place of a value's text; None for nothing. ``key`` gives the key of hashes."""
    if action == "drop":
        return lambda _: None
    if action == "mask":
        return lambda _: MASK
    return lambda value: keyed_hash(key(), value)


def keyed_hash(key: bytes, value: str) -> str:
    """The first 64 bits of HMAC-SHA256 (RFC 2104, FIPS 180-4) as hexadecimal digits.

    Equal values have equal hashes. Whoever does not have the key cannot try values out.

    >>> keyed_hash(b"k" * 32, "75"), keyed_hash(b"k" * 32, "75") == keyed_hash(b"j" * 32, "75")
    ('5f91451f5f7495f8', False)
    """
    return hmac.digest(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()[:HASH_DIGITS]
