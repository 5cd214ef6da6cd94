"""What endpoints keep no longer is taken off every node's disk, by the process that every node has."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from driftline.core.errors import DriftlineError
from driftline.core.records import utc
from driftline.jobs.retention import sweep_here
from driftline.storage.clock import Clock
from driftline.storage.database import Store
from driftline.storage.layout import Layout

logger = logging.getLogger("driftline.shipping")
FIRST, EVERY = 60.0, 6 * 3600.0
"""Seconds until the first look, and between two."""


class Tidier:
    """Sweeps a data folder a few times a day, in a thread of its own."""

    def __init__(self, open_store: Callable[[], Store], layout: Layout, clock: Clock) -> None:
        self._open, self._layout, self._clock = open_store, layout, clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tidier", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; a sweep under way is left to the next start."""
        self._stop.set()

    def _run(self) -> None:
        pause = FIRST
        while not self._stop.wait(pause):
            pause = EVERY
            try:
                with self._open() as store:
                    swept = sweep_here(store, self._layout, utc(self._clock()))
                logger.info("clean-up of this node: %d files", swept.files)
            except DriftlineError as error:
                logger.warning("this node was not cleaned up: %s", error)
                pause = FIRST
