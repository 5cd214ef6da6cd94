"""The steps of a run: what each took and gave, and who is told while it works."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec
import pyarrow as pa

from driftline.processes.memory import forget_peak, peak

T = TypeVar("T")
Progress = Callable[[str, float, float, str], None]
"""Called with a step's name, how much it has done, how much there is to do, and of what: ``rows`` or ``%``."""
_LOOK = 0.25


class Step(msgspec.Struct, frozen=True):
    """One step of a run: rows in and out, its duration in seconds, and the most memory its process held meanwhile in
    bytes (0 where the system does not tell)."""

    name: str
    rows_in: int
    rows_out: int
    seconds: float
    detail: str = ""
    peak_memory: int = 0


class Recorder:
    """Keeps the steps of a run and tells of them as they begin."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.steps: list[Step] = []
        self._progress = progress

    def step(
        self,
        name: str,
        rows_in: int,
        work: Callable[[], T],
        rows_out: Callable[[T], int],
        share: Callable[[], float] | None = None,
    ) -> T:
        """Do one step. ``rows_out`` tells from what it gave how many rows came out, ``share`` how far it is."""
        start = time.perf_counter()
        forget_peak()
        if self._progress is not None:
            self._progress(name, 0, 100, "%")
        with self._watching(name, share):
            done = work()
        self.steps.append(Step(name, rows_in, rows_out(done), time.perf_counter() - start, "", peak()))
        return done

    def told(self, name: str, batches: Iterable[pa.RecordBatch], total: int) -> Iterator[pa.RecordBatch]:
        """The batches, each told of once it was taken."""
        done = 0
        for batch in batches:
            yield batch
            done += batch.num_rows
            if self._progress is not None:
                self._progress(name, done, total, "rows")

    @contextmanager
    def _watching(self, name: str, share: Callable[[], float] | None) -> Iterator[None]:
        """Look from a thread how far the step is, where anyone wants to know."""
        tell = self._progress
        if tell is None or share is None:
            yield
            return
        finished = threading.Event()

        def watch() -> None:
            while not finished.wait(_LOOK):
                tell(name, 100 * share(), 100, "%")

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            finished.set()
            watcher.join()
