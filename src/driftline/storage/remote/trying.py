"""How long a store is waited for, and how often it is asked again."""

from __future__ import annotations

import random
import time
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig


class Patience(NamedTuple):
    """Seconds. Whatever fails and may pass is tried again, after pauses that grow from ``first`` to ``most`` and are
    drawn at random below these, until ``total`` seconds have gone by in which nothing more of it got through.

    ``connect`` is for making a connection, ``silence`` for the answer to a request that is being sent (so a part of 8
    MiB must get through in that time) and for each further piece of an answer, ``request`` for one request as a whole.
    """

    connect: float = 5
    silence: float = 60
    request: float = 300
    total: float = 30
    first: float = 0.1
    most: float = 5

    def client(self, *, plain: bool) -> ClientConfig:
        """As options of the library; ``plain`` allows addresses without TLS."""
        return {
            "connect_timeout": timedelta(seconds=self.connect),
            "read_timeout": timedelta(seconds=self.silence),
            "timeout": timedelta(seconds=self.request),
            "allow_http": plain,
        }

    def retries(self) -> RetryConfig:
        """The library's own repetitions, of single requests such as a part of an upload: half of the time is theirs, so
        that the other half is left for what only a whole new try can mend."""
        pauses = {"init_backoff": timedelta(seconds=self.first), "max_backoff": timedelta(seconds=self.most), "base": 2}
        return {
            "max_retries": 10,
            "retry_timeout": timedelta(seconds=self.total / 2),
            "backoff": pauses,  # type: ignore[typeddict-item]
        }


USUAL = Patience()


class Tries:
    """The tries of one operation."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._moved = time.monotonic()
        self._furthest = 0
        self._failed = 0

    def reached(self, count: int) -> None:
        """So many bytes got through; more than ever before are a reason to go on trying."""
        if count > self._furthest:
            self._furthest, self._failed, self._moved = count, 0, time.monotonic()

    def again(self) -> bool:
        """Pause before another try; False, without a pause, where the time is over."""
        longest = min(self._patience.most, self._patience.first * 2**self._failed)
        pause = random.uniform(0, longest)  # noqa: S311
        self._failed += 1
        if time.monotonic() + pause > self._moved + self._patience.total:
            return False
        time.sleep(pause)
        return True
