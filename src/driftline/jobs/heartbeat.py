"""Keeping a claim alive while its run goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from driftline.core.errors import SetupError
from driftline.core.records import utc
from driftline.storage.clock import Clock
from driftline.storage.database import Store

logger = logging.getLogger("driftline.jobs")
MOST_PAUSE = 1.0
Extend = Callable[[Connection, datetime], bool]


class Heartbeat:
    """While its block runs, a thread extends a lease three times a lease; ``extend`` does so until a time of ``real``,
    and says whether the lease of ``name`` still was ours.

    ``lost`` is set when the lease is no longer ours: the run was stopped, deleted, or taken for dead. It is asked for
    once a second at least, so that a run that was stopped ends soon.
    """

    def __init__(self, store: Store, name: str, extend: Extend, real: Clock, lease: timedelta) -> None:
        self._store = store
        self._name = name
        self._extending = extend
        self._real = real
        self._lease = lease
        self._over = threading.Event()
        self.lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{name[:8]}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        pause = min(self._lease.total_seconds() / 3, MOST_PAUSE)
        while not self._over.wait(pause):
            try:
                if not self._extend():
                    self.lost.set()
                    return
            except SetupError as error:
                logger.warning("the lease of %s was not extended: %s", self._name, error)

    def _extend(self) -> bool:
        with self._store.write() as connection:
            return self._extending(connection, utc(self._real()) + self._lease)
