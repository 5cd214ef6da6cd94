"""The process tree of a server: one listening socket, its web processes, one scheduler; whoever dies is replaced."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from driftline.core.errors import SetupError
from driftline.storage.database import VARIABLE

_log = logging.getLogger("driftline.serve")
_POLL = 0.1
_GRACE = 10.0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; :class:`SetupError` when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or Python's own event loop would let small answers wait for more to send.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise _cannot_listen(host, port, error) from None
    return listening


def _cannot_listen(host: str, port: int, error: OSError) -> SetupError:
    if error.errno == errno.EADDRINUSE:
        hint = "stop the program that listens there (another driftline?), or choose another with --port"
        return SetupError(f"port {port} on {host} is in use", evidence=str(error.strerror), hint=hint)
    return SetupError(
        f"cannot listen on {host}:{port}",
        evidence=str(error.strerror or error),
        hint="choose an address of this machine with --host, and a port above 1023 with --port",
    )


class Companion(NamedTuple):
    """A module that runs as a process beside those of a server, with options of its own.

    It is told ``--data``, ``--parent`` and, where it has a listening ``socket``, ``--socket`` with its descriptor. The
    socket is kept here: who connects while the process is started again waits, and nobody else can take its port. One
    that is ``last`` is told to end when all others have ended. It is started as soon as ``when`` says so.
    """

    name: str
    module: str
    socket: socket.socket | None = None
    options: Sequence[str] = ()
    last: bool = False
    when: Callable[[], bool] = lambda: True


class Supervisor:
    """Starts the processes of a server and keeps them running until told to stop.

    ``workers`` web processes share the listening socket; where there is none there are none, and without ``scheduler``
    there is no scheduler. A process that ends is started again, after a pause that grows while it keeps ending at once.
    ``url`` is where links in notifications lead. ``log`` is a file for what the processes say,
    in the place of standard error.
    ``database`` is a URL, by default the file in the data folder; whatever the environment names is not asked.
    ``web_options`` are handed on to every web process, ``job_options`` to the scheduler; ``companions`` run beside
    them.
    """

    def __init__(
        self,
        data: Path,
        listening: socket.socket | None,
        *,
        workers: int = 1,
        url: str = "",
        clock: Path | None = None,
        log: Path | None = None,
        database: str | None = None,
        web_options: Sequence[str] = (),
        job_options: Sequence[str] = (),
        companions: Sequence[Companion] = (),
        scheduler: bool = True,
    ) -> None:
        # The parent is told, not looked up: a child that is still starting when its parent dies must notice too.
        shared = ["--data", str(data), "--parent", str(os.getpid()), *(["--clock", str(clock)] if clock else [])]
        sockets = [one.socket for one in companions if one.socket is not None]
        self._listening = [*([] if listening is None else [listening]), *sockets]
        # Not an argument: commands can be read by every user of the machine, and a URL may hold a password.
        where = {**os.environ, VARIABLE: database or ""}
        self._children = []
        if listening is not None:
            web = [sys.executable, "-P", "-m", "driftline.web", *shared, "--socket", str(listening.fileno())]
            web += web_options
            names = [f"web {number + 1}" for number in range(workers)]
            self._children += [_Child(name, web, (listening.fileno(),), log, where) for name in names]
        if scheduler:
            jobs = [sys.executable, "-P", "-m", "driftline.jobs", *shared, *job_options]
            jobs += ["--link", f"{url}/runs/{{run}}"] if url else []
            self._children.append(_Child("scheduler", jobs, (), log, where))
        basic = ["--data", str(data), "--parent", str(os.getpid())]
        for name, module, listener, options, last, when in companions:
            passed = () if listener is None else (listener.fileno(),)
            told = [word for number in passed for word in ("--socket", str(number))]
            command = [sys.executable, "-P", "-m", module, *basic, *told, *options]
            self._children.append(_Child(name, command, passed, log, where, last=last, when=when))

    def run(self, stop: threading.Event, started: Callable[[], None] = lambda: None) -> None:
        """Start everything, replace what dies, and end it all when ``stop`` is set."""
        try:
            for child in self._children:
                child.start()
            started()
            while not stop.wait(_POLL):
                for child in self._children:
                    child.keep()
        finally:
            self._end()

    def pids(self) -> dict[str, int]:
        """The process id of every child, by name."""
        return {child.name: child.process.pid for child in self._children if child.process is not None}

    def _end(self) -> None:
        for last in (False, True):
            ending = [child for child in self._children if child.last is last]
            for child in ending:
                child.signal(signal.SIGTERM)
            deadline = time.monotonic() + _GRACE
            for child in ending:
                child.wait(max(0.1, deadline - time.monotonic()))
        for listening in self._listening:
            listening.close()


class _Child:
    """One process that is meant to run."""

    def __init__(
        self,
        name: str,
        command: list[str],
        descriptors: tuple[int, ...],
        log: Path | None,
        where: dict[str, str],
        *,
        last: bool = False,
        when: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name, self.last, self._when = name, last, when
        self._environment = where
        self._log = log
        self.process: subprocess.Popen[bytes] | None = None
        self._command = command
        self._descriptors = descriptors
        self._began = 0.0
        self._pause = 0.0
        self._again = 0.0

    def start(self) -> None:
        if not self._when():
            return
        self._began = time.monotonic()
        with ExitStack() as stack:
            log = stack.enter_context(self._log.open("ab")) if self._log is not None else None
            self.process = subprocess.Popen(
                self._command,
                pass_fds=self._descriptors,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )

    def keep(self) -> None:
        """Start it again when it has ended; at once, unless it ended soon after its start."""
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return
            lived = time.monotonic() - self._began
            self._pause = min(10.0, max(0.5, self._pause * 2)) if lived < 5 else 0.0
            self._again = time.monotonic() + self._pause
            _log.error("%s ended with code %s; starting it again", self.name, code)
            self.process = None
        if time.monotonic() >= self._again:
            self.start()

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, seconds: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
