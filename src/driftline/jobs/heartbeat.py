"""Keeping a claim alive while its run goes on."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from types import TracebackType
from typing import Self

from driftline.core.errors import SetupError
from driftline.core.records import utc
from driftline.resources.executions import Execution
from driftline.storage import executions
from driftline.storage.clock import Clock
from driftline.storage.database import Store

logger = logging.getLogger("driftline.jobs")


class Heartbeat:
    """While its block runs, a thread extends the lease of an execution three times a lease."""

    def __init__(self, store: Store, execution: Execution, real: Clock, lease: timedelta) -> None:
        self._store = store
        self._execution = execution
        self._real = real
        self._lease = lease
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{execution.id[:8]}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(self._lease.total_seconds() / 3):
            try:
                if not self._extend():
                    return
            except SetupError as error:
                logger.warning("the lease of run %s was not extended: %s", self._execution.id, error)

    def _extend(self) -> bool:
        with self._store.write() as connection:
            return executions.extend(connection, self._execution, utc(self._real()) + self._lease)
