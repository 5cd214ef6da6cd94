"""How much room a node's files may take: of those that are in the store as well, and of those that wait."""

from __future__ import annotations

import fcntl
import logging
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from driftline.core.errors import DriftlineError
from driftline.jobs.shared.cache import Cache
from driftline.jobs.shared.ledger import Ledger
from driftline.jobs.shared.limits import Limits
from driftline.jobs.shared.targets import Target
from driftline.storage.objects import Objects

logger = logging.getLogger("driftline.shipping")
CACHE_EVERY, PRUNE_EVERY = 5.0, 3600.0
_SLACK = 0.8
"""What was full is no longer when this share of the limit is reached, so that it does not go to and fro."""


class Room:
    """Lets go of cached files in a thread of its own, because the store is asked first. ``again`` is told of a folder
    of which something has to be sent again. Close it after use."""

    def __init__(
        self,
        data: Path,
        objects: Objects,
        ledger: Ledger,
        store: Target | None,
        limits: Limits,
        again: Callable[[str], None],
    ) -> None:
        self._data, self._limits, self._store = data, limits, store
        self._cache = None
        if store is not None and locks_work(data):
            self._cache = Cache(data, objects, ledger, store, again)
        elif store is not None:
            logger.warning("%s has no file locks: files stay here after they were shipped", data)
        self._thread = ThreadPoolExecutor(1, "cache")
        self._work: Future[int] | None = None
        self._next, self._prune = 0.0, time.monotonic() + PRUNE_EVERY
        self.cached = 0

    def close(self) -> None:
        """Wait for what goes on."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def look(self, others: list[Target], *, paused: bool) -> None:
        """Begin to let go of files if they are too many, unless ``paused`` because the store is in trouble. ``others``
        are the destinations that must have a file too before it goes."""
        now = time.monotonic()
        if self._work is not None and self._work.done():
            self.cached, self._work = self._work.result(), None
        if self._cache is not None and self._work is None and now >= self._next:
            self._next = now + CACHE_EVERY
            self._work = self._thread.submit(self._sweep, self._cache, others, paused)

    def full(self, left: int, *, before: bool) -> bool:
        """Whether nothing more may be captured, while so many bytes wait; ``before`` is what it was."""
        slack = _SLACK if before else 1.0
        most, free = self._limits.spool, shutil.disk_usage(self._data).free
        too_much = most is not None and left >= most * slack
        return too_much or (self._store is not None and free * slack < self._limits.reserve)

    def _sweep(self, cache: Cache, others: list[Target], paused: bool) -> int:
        """The bytes that are cached."""
        try:
            cached = cache.size()
            wanted = max(cached - self._limits.cache, self._limits.reserve - shutil.disk_usage(self._data).free)
            if wanted > 0 and not paused:
                cached -= cache.free(wanted, others, time.time())
            if time.monotonic() >= self._prune:
                self._prune = time.monotonic() + PRUNE_EVERY
                cache.prune(time.time() - PRUNE_EVERY)
        except DriftlineError:
            # The store is away: its trouble is told by uploads.
            return self.cached
        return cached


def locks_work(folder: Path) -> bool:
    """Whether a file that is locked in a folder is seen to be: without that nobody knows which files are complete."""
    probe = folder / f".{uuid4().hex}.tmp"
    with suppress(OSError):
        try:
            with probe.open("xb") as writer, probe.open("rb") as reader:
                fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with suppress(BlockingIOError):
                    fcntl.flock(reader, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    return False
                return True
        finally:
            probe.unlink(missing_ok=True)
    return False
