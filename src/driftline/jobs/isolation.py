"""Runs in child processes: a time limit, a memory limit, a log of their own, and an end when nobody waits for them.

Children are forked from one server process that has the libraries loaded, so that a run costs milliseconds to start.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import uuid4

import msgspec

from driftline.core.errors import DriftlineError, ServiceError
from driftline.pipeline import Run, RunResult, run_monitor
from driftline.pipeline.steps import Progress
from driftline.processes.child import MARK, end_marked
from driftline.processes.ending import end_with_parent
from driftline.processes.memory import resident, size

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
MOST_ATTEMPTS = 3
logger = logging.getLogger("driftline.jobs")
_LOOK = 0.05
_GRACE = 2.0
_PRELOADED = [
    "driftline.pipeline.captured",
    "driftline.pipeline.dispatch",
    "driftline.pipeline.data_tables",
    "driftline.pipeline.tables",
    "driftline.jobs.batch_kinds",
    "driftline.engine.local",
    "driftline.reporting.model_quality",
    "numpy.random",
    # Arrow looks for it when the first Python value becomes a column, which would cost every run a quarter of a
    # second; where it is not installed the server process leaves it out.
    "pandas",
]


class Limits(msgspec.Struct, frozen=True):
    """What a run may take: wall-clock ``seconds``, and ``memory`` in bytes resident in its process."""

    seconds: float = 1800.0
    memory: int = 2 << 30


class RunFailed(ServiceError):
    """A run that ended without a result. ``trace`` is the traceback of its process, where it could give one."""

    def __init__(self, what: str, *, evidence: str = "", hint: str = "", code: str = "run", trace: str = "") -> None:
        super().__init__(what, evidence=evidence, hint=hint)
        self.code = code
        self.trace = trace


def dated(run: Run, progress: Progress) -> RunResult:
    """The pipeline, dated by the clock that the schedules follow."""
    return run_monitor(run, now=run.as_of, progress=progress)


def lost_each_time(again: str) -> ServiceError:
    """What is raised for work that was claimed too often; ``again`` says how it is tried once more."""
    what = f"the run was lost {MOST_ATTEMPTS} times: its process died or hung each time"
    return ServiceError(what, hint=f"look for a lack of memory in the logs of the machine, then {again}")


def persistent(once: Callable[[], Answer]) -> Answer:
    """What a run in isolation gives. It is tried again when its process was killed: that says nothing about its data,
    so that only one that dies each time has failed."""
    for left in reversed(range(MOST_ATTEMPTS)):
        try:
            return once()
        except RunFailed as error:
            if error.code != "died" or not left:
                raise
            logger.warning("%s; trying again", error.what)
    raise AssertionError("unreachable")


class Isolation(Generic[Asked, Answer]):
    """Runs ``runner``, a function of a module, in a child process for each call. Any number of threads may call."""

    def __init__(self, runner: Callable[[Asked, Progress], Answer]) -> None:
        self._runner = runner
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)

    def warm_up(self) -> None:
        """Have the libraries loaded before the first run waits for them."""
        forkserver.ensure_running()

    def __call__(
        self, asked: Asked, limits: Limits, *, log: Path | None = None, stop: threading.Event | None = None
    ) -> Answer:
        """What the runner answers. What the child prints goes to ``log``; it is killed when ``stop`` is set.

        Raises :class:`RunFailed` when it raised, went beyond a limit, or was killed; whatever code of others it had
        started is killed then too.
        """
        ours, theirs = self._context.Pipe(duplex=False)
        mark = uuid4().hex
        child = self._context.Process(target=_work, args=(self._runner, asked, theirs, log, mark), daemon=True)
        child.start()
        theirs.close()
        try:
            answer: Answer = _Watch(child, ours, limits, stop or threading.Event()).answer()
        except BaseException:
            child.kill()
            child.join()
            end_marked(mark)
            raise
        finally:
            child.kill()
            child.join()
            child.close()
            ours.close()
        return answer


class _Answered(NamedTuple):
    answer: Any


class _Failed(NamedTuple):
    fields: dict[str, str]


class _Watch:
    """Waits for a child's result, and looks meanwhile at the clock and at its memory."""

    def __init__(self, child: ForkServerProcess, channel: Connection, limits: Limits, stop: threading.Event) -> None:
        self._child, self._channel, self._limits, self._stop = child, channel, limits, stop
        self._deadline = time.monotonic() + limits.seconds
        self._step = "starting"

    def answer(self) -> Any:
        while True:
            if self._channel.poll(_LOOK):
                message = self._next()
                if isinstance(message, _Answered):
                    return message.answer
                self._step = message
            self._check()

    def _next(self) -> Any:
        try:
            message = self._channel.recv()
        except EOFError:
            raise self._died() from None
        if isinstance(message, _Failed):
            raise RunFailed(**message.fields)
        return message

    def _check(self) -> None:
        if self._stop.is_set():
            raise RunFailed(f"stopped on request while it did: {self._step}", code="stopped")
        if time.monotonic() > self._deadline:
            raise RunFailed(
                f"stopped after {self._limits.seconds:g} s while it did: {self._step}",
                hint="give it a higher time limit, or less data",
                code="time_limit",
            )
        if resident(self._child.pid) > self._limits.memory:
            raise RunFailed(
                f"needed more than {size(self._limits.memory)} while it did: {self._step}",
                hint="give it a higher memory limit, or less data",
                code="memory_limit",
            )

    def _died(self) -> RunFailed:
        self._child.join(_GRACE)
        code = self._child.exitcode
        ending = f"exit code {code}" if code is None or code >= 0 else signal.Signals(-code).name
        hint = "look at the log of the run and of the machine: SIGKILL is often a lack of memory"
        return RunFailed(f"its process ended while it did: {self._step}", evidence=ending, hint=hint, code="died")


def _work(runner: Callable[[Any, Progress], Any], asked: Any, channel: Connection, log: Path | None, mark: str) -> None:
    """What the child does. The programs it starts carry its mark, by which they are found when it has been killed."""
    end_with_parent()
    os.environ[MARK] = mark
    _redirect(log)
    told = ""

    def tell(step: str, done: float, total: float, unit: str) -> None:
        nonlocal told
        if step != told:
            told = step
            channel.send(step)

    try:
        message: Any = _Answered(runner(asked, tell))
    except BaseException as error:
        traceback.print_exc()
        message = _Failed(_failure(error))
    channel.send(message)


def _failure(error: BaseException) -> dict[str, str]:
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, DriftlineError):
        found = {"what": error.what, "evidence": error.evidence, "hint": error.hint, "code": error.code}
        # A user's script has a traceback of its own, which says more than that of whoever ran it.
        return found | {"trace": getattr(error, "trace", "") or trace}
    return {"what": f"{type(error).__name__}: {error}", "code": "defect", "trace": trace}


def _redirect(log: Path | None) -> None:
    """Standard output and error to the log; what stood there from an earlier attempt stays above it."""
    if log is None:
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(descriptor, number)
    os.close(descriptor)
    # Line by line: the process is killed when it has answered, or before, and what it still held would be lost.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
