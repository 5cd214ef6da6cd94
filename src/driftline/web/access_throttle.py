"""Failed logins and unknown tokens of one address are answered more and more rarely."""

from __future__ import annotations

from collections.abc import Callable

from driftline.core.errors import BusyError

MOST_FAILURES = 10
"""Failures of one address within :data:`SECONDS` after which it has to wait."""
SECONDS = 60.0
_MOST_ADDRESSES = 10_000


class Throttle:
    """Counts failures by address within a minute; in the memory of one process."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failures: dict[str, tuple[int, float]] = {}

    def check(self, address: str) -> None:
        """Raises :class:`BusyError` while an address has failed too often."""
        count, began = self._failures.get(address, (0, 0.0))
        left = began + SECONDS - self._now()
        if count >= MOST_FAILURES and left > 0:
            hint = f"wait {left:.0f} s, then use a token that is valid"
            raise BusyError("too many tokens from this address were not valid", hint=hint)

    def failed(self, address: str) -> None:
        """Count one more failure."""
        now = self._now()
        count, began = self._failures.get(address, (0, now))
        if now - began >= SECONDS:
            count, began = 0, now
        if len(self._failures) >= _MOST_ADDRESSES:
            self._failures.clear()
        self._failures[address] = (count + 1, began)
