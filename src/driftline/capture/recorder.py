"""One data folder that this process captures into: the log, and what became of the requests."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from driftline.serving.capture_log import CaptureCount, CaptureLog
from driftline.serving.capture_records import Exchange
from driftline.serving.endpoints import EndpointConfig
from driftline.storage.layout import Layout

_log = logging.getLogger(__name__)
KEEP_SECONDS = 2.0


class Recorder:
    """Captures into a data folder. Nothing it does raises: what cannot be captured is counted.

    The counts of each hour go to the folder's store every few seconds, on a thread of their own, once there is one.
    """

    def __init__(self, data: str | Path, *, clock: Callable[[], float] = time.time) -> None:
        self.layout, self._clock = Layout(data), clock
        self._totals: dict[str, list[int]] = {}
        self._start()
        _alive.add(self)

    def _start(self) -> None:
        """What belongs to one process: its log, and the thread that keeps it."""
        self.log = CaptureLog(self.layout.data / "captures", self._clock, key_file=self.layout.capture_key)
        self._counted: list[CaptureCount] = []
        self._guard, self._keeping = threading.Lock(), threading.Lock()
        self._stop = threading.Event()
        self._keeper: threading.Thread | None = None

    def forked(self) -> None:
        """This process is a child: the files are its parent's, and so is what was counted."""
        self.log.forget()
        self._totals = {}
        self._start()

    def record(self, config: EndpointConfig, exchange: Exchange) -> str | None:
        """Captures one exchange; its event id, or None when it was left out by sampling or dropped."""
        try:
            self.log.append(config, [exchange])
        except Exception:
            self.lost(config.name)
            return None
        self._kept()
        return exchange.event_id

    def lost(self, endpoint: str) -> None:
        """Counts a request that could not be captured; called where an error is being handled, it logs that too."""
        _log.debug("endpoint %s: a request was not captured", endpoint, exc_info=True)
        self.log.count_dropped(endpoint)
        self._kept()

    def counts(self, endpoint: str) -> tuple[int, int, int]:
        """How many requests were captured, left out by sampling and dropped, in this process so far."""
        with self._guard:
            self._drain()
            captured, sampled_out, dropped = self._totals.get(endpoint, (0, 0, 0))
        return captured, sampled_out, dropped

    def keep(self) -> None:
        """Ends the files whose time is over, and adds what was counted to the store. Never raises."""
        with self._keeping:
            try:
                self.log.rotate()
                with self._guard:
                    self._drain()
                    waiting, self._counted = self._counted, []
                if waiting and not self._stored(waiting):
                    with self._guard:
                        self._counted = waiting + self._counted
            except Exception:
                _log.exception("%s: the counts of captured requests could not be kept", self.layout.data)

    def close(self) -> None:
        """Stores the counts and closes the files; the recorder may be used again."""
        with self._guard:
            keeper, self._keeper = self._keeper, None
            self._stop.set()
        if keeper is not None:
            keeper.join()
        self.keep()
        self.log.close()

    def _drain(self) -> None:
        for count in self.log.drain_counters():
            total = self._totals.setdefault(count.endpoint, [0, 0, 0])
            for place, number in enumerate((count.captured, count.sampled_out, count.dropped)):
                total[place] += number
            self._counted.append(count)

    def _stored(self, counts: list[CaptureCount]) -> bool:
        """Whether the counts are in the store; without a store there they wait for one."""
        # Only now, so that an application that captures does not start slower for it.
        from driftline.core.errors import DriftlineError
        from driftline.storage import capture_counts
        from driftline.storage.database import database_of_environment, open_store

        elsewhere = database_of_environment()
        if elsewhere is None and not self.layout.database.exists():
            return False
        try:
            with open_store(elsewhere or self.layout.database) as store, store.write() as db:
                for count in counts:
                    delta = capture_counts.CaptureCounts(
                        count.captured, count.sampled_out, count.dropped, count.withheld
                    )
                    capture_counts.add(db, count.endpoint, count.hour, delta)
        except DriftlineError as error:
            _log.warning("%s: the counts of captured requests wait: %s", self.layout.data, error)
            return False
        return True

    def _kept(self) -> None:
        if self._keeper is None:
            with self._guard:
                if self._keeper is None:
                    self._stop = threading.Event()
                    run = threading.Thread(target=self._run, args=(self._stop,), name="driftline-capture", daemon=True)
                    run.start()
                    self._keeper = run

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(KEEP_SECONDS):
            self.keep()


_alive: weakref.WeakSet[Recorder] = weakref.WeakSet()
_recorders: dict[Path, Recorder] = {}
_making = threading.Lock()


def recorder_of(data: str | Path) -> Recorder:
    """This process's recorder of a data folder."""
    path = Path(data).absolute()
    found = _recorders.get(path)
    if found is None:
        with _making:
            found = _recorders.setdefault(path, Recorder(path))
    return found


def _at_exit() -> None:
    for recorder in list(_alive):
        recorder.close()


def _after_fork() -> None:
    global _making
    _making = threading.Lock()
    for recorder in list(_alive):
        recorder.forked()


atexit.register(_at_exit)
os.register_at_fork(after_in_child=_after_fork)
