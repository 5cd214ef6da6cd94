"""A child process under watch: time, memory, output, and an end for it and everything it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self
from uuid import uuid4

import msgspec

from driftline.core.configuration import PROCESS
from driftline.processes.memory import peak, resident
from driftline.processes.output import Beginning

LOOK = 0.05
"""Seconds between two looks at a child."""
_LOOK_AROUND = 0.5
MARK = PROCESS.name
"""The variable that holds a process's mark. It begins with the mark of the process it was started from."""
_ROUNDS, _INSTANT = 50, 0.01
Beyond = Literal["time", "memory"]


class Limits(msgspec.Struct, frozen=True):
    """What a program may take: wall-clock ``seconds``; bytes of ``memory`` resident in it and what it started (0: not
    watched); bytes of its ``output`` that are kept."""

    seconds: float = 600.0
    memory: int = 1 << 30
    output: int = 1 << 16


class Child:
    """A program, started at once in a session of its own. A context manager: at its end nothing of it lives on.

    Everything it starts inherits a mark in the environment, by which it is found wherever it has gone. That holds
    mistakes, not malice: a process that wipes its environment and leaves its group is not found. Raises
    :class:`OSError` or :class:`ValueError` when the program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        limits: Limits,
        *,
        environment: Mapping[str, str],
        folder: Path,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        keep: Sequence[int] = (),
    ) -> None:
        """``keep`` are descriptors that it inherits beside the three standard ones."""
        self.limits = limits
        self._mark = os.environ.get(MARK, "") + uuid4().hex
        self.process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**environment, MARK: self._mark},
            start_new_session=True,
            pass_fds=keep,
        )
        assert self.process.stdout is not None  # noqa: S101 - it was asked for
        self.output = Beginning(self.process.stdout, limits.output)
        self.peak = 0
        self._ended = False
        self._began = time.monotonic()
        self._looked_around = self._began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    @property
    def seconds(self) -> float:
        """How long ago it was started."""
        return time.monotonic() - self._began

    def wait(self) -> Beyond | None:
        """Wait for its end; gives the limit it went beyond, if it did, and then it still runs."""
        while True:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(min(LOOK, max(0.0, self.limits.seconds - self.seconds)))
                return None
            if self.seconds >= self.limits.seconds:
                return "time"
            if self.needs_too_much():
                return "memory"

    def needs_too_much(self) -> bool:
        """Whether more memory is resident than the limit allows: in itself, and now and then in all that it started."""
        if not self.limits.memory:
            return False
        self.peak = max(self.peak, peak(self.process.pid))
        found, now = resident(self.process.pid), time.monotonic()
        if now - self._looked_around > _LOOK_AROUND:
            self._looked_around = now
            found = sum(resident(process) for process in {self.process.pid, *_marked(self._mark)})
            self.peak = max(self.peak, found)
        return found > self.limits.memory

    def end(self) -> int:
        """Kill it and everything it started, if it has not ended by itself; its exit code (negative: a signal)."""
        if self._ended:
            return int(self.process.returncode)
        self._ended = True
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        end_marked(self._mark)
        self.output.close()
        return code


def end_marked(mark: str) -> None:
    """Kill what carries a mark, or one that begins with it.

    It may be starting more at this moment, and one that is just becoming another program has no environment for an
    instant, so it is looked for until nothing was found twice.
    """
    nothing = 0
    for _ in range(_ROUNDS):
        left = _marked(mark)
        nothing = 0 if left else nothing + 1
        if nothing == 2:
            return
        for process in left:
            _kill(process)
        time.sleep(_INSTANT)


def _marked(mark: str) -> list[int]:
    """The living processes with a mark in their environment; none where the system has no ``/proc``."""
    wanted, found = f"{MARK}={mark}".encode(), []
    with suppress(OSError):
        for name in os.listdir("/proc"):  # noqa: PTH208 - paths of hundreds of processes would be made for nothing
            if name.isdigit() and wanted in _environment(name):
                found.append(int(name))
    return found


def _environment(process: str) -> bytes:
    try:
        return Path("/proc", process, "environ").read_bytes()
    except OSError:
        return b""


def _kill(process: int) -> None:
    with suppress(OSError):
        os.kill(process, signal.SIGKILL)
