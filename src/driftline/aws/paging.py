"""Lists in pages: a token says where the next one begins."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import TypeVar

from driftline.aws.errors import AwsError

T = TypeVar("T")


def page(items: Sequence[T], token: str | None, size: int, wrong: AwsError) -> tuple[Sequence[T], str | None]:
    """The items of a page and the token of the next, None at the end. Raises ``wrong`` for a token that is none.

    >>> error = AwsError("InvalidNextToken", "no such page")
    >>> first, token = page("abcde", None, 3, error)
    >>> first, page("abcde", token, 3, error)
    ('abc', ('de', None))
    """
    start = place(token, wrong)
    end = start + size
    return items[start:end], token_of(end) if end < len(items) else None


def token_of(number: int) -> str:
    """A place in a list as a token."""
    return urlsafe_b64encode(f"at {number}".encode()).decode()


def place(token: str | None, wrong: AwsError) -> int:
    """The place that a token names; the beginning without one. Raises ``wrong`` for what is no token."""
    if token is None:
        return 0
    try:
        word, _, number = urlsafe_b64decode(token.encode()).decode().partition(" ")
    except ValueError:
        raise wrong from None
    if word != "at" or not (number.isascii() and number.isdecimal() and len(number) <= 18):
        raise wrong
    return int(number)
