"""Real servers on one store, a clock that runs fast, a web hook that remembers, and someone who kills processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import xgboost

from driftline.client import Client
from driftline.storage.clock import SharedClock

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PROGRAM = (sys.executable, "-P", "-m", "driftline.cli.__main__")


def until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """The condition's value once it is true; fails when it has not become so in time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        threading.Event().wait(0.02)
    return found


class Process:
    """What ``/proc`` tells of one process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def alive(self) -> bool:
        """Whether it runs; one that has ended and was not waited for does not."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    def children(self) -> list[Process]:
        """The processes it started, whichever thread did."""
        found = []
        with suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{self.pid}/task").iterdir():
                found += [Process(int(pid)) for pid in (task / "children").read_text().split()]
        return [child for child in found if child.alive()]

    def words(self) -> list[str]:
        """Its command."""
        with suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{self.pid}/cmdline").read_text().split("\0")
        return []

    def kill(self) -> bool:
        """SIGKILL; False when it was gone already."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
            return True
        return False


class Server:
    """``driftline serve`` on a free port."""

    def __init__(self, data: Path, clock: Path, database: str, workers: int = 1, log: Path | None = None) -> None:
        options = ("--data", str(data), "--port", "0", "--workers", str(workers), "--clock", str(clock))
        environment = {**os.environ, "DRIFTLINE_DATABASE": database, "DRIFTLINE_LEASE": "3", "NO_PROXY": "127.0.0.1"}
        self.log = log or data.with_name(f"server-{os.urandom(4).hex()}.log")
        with self.log.open("wb") as file:
            self.process = subprocess.Popen((*PROGRAM, "serve", *options), stderr=file, env=environment)
        self.url: str = until(self._address, "the address is told")

    def _address(self) -> str | None:
        assert self.process.poll() is None, self.text()
        found = re.search(r"serves .* on (http://127\.0\.0\.1:\d+)", self.text())
        return found[1] if found else None

    def text(self) -> str:
        """All that its processes have said so far."""
        return self.log.read_text(errors="replace")

    def processes(self, kind: str) -> list[Process]:
        """Its living processes of a kind: ``web``, ``jobs``, or ``run`` for the executions under way."""
        children = Process(self.process.pid).children()
        if kind != "run":
            return [child for child in children if f"driftline.{kind}" in child.words()]
        schedulers = [child for child in children if "driftline.jobs" in child.words()]
        helpers = [helper for scheduler in schedulers for helper in scheduler.children()]
        return [run for helper in helpers for run in helper.children()]

    def stop(self) -> None:
        """End the tree."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Hook:
    """A web hook: the idempotency keys and bodies that were posted to it, in order."""

    def __init__(self) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.ringing = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.received.append((self.headers["Idempotency-Key"], body))
                hook.ringing.set()
                # Long enough for a sender to be killed between the request and the answer.
                threading.Event().wait(0.05)
                with suppress(OSError):
                    self.send_response(204)
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/told"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class World:
    """A data folder, a database, a clock that runs ``pace`` times as fast as real time, and servers."""

    def __init__(self, folder: Path, database: str, model: Path) -> None:
        self.folder, self.database, self.model = folder, database, model
        self.data = folder / "data"
        self.clock = SharedClock(folder / "clock")
        self.at(START)
        self.servers: list[Server] = []
        self.random = Random(20261122)

    def at(self, moment: datetime) -> None:
        """Make it this time for every process."""
        self.clock.set(moment.timestamp())

    def now(self) -> datetime:
        """The world's time."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def serve(self, workers: int = 1) -> Server:
        """One more server on the same data and store, once it answers and its scheduler works."""
        server = Server(self.data, self.folder / "clock", self.database, workers)
        self.servers.append(server)
        with Client(server.url) as client:
            until(client.healthy, "the server answers")
        until(lambda: "scheduler ready" in server.text(), "the scheduler is ready")
        return server

    def processes(self, kind: str) -> list[Process]:
        """The living processes of a kind, of every server."""
        return [process for server in self.servers for process in server.processes(kind)]

    def run_fast(self, stop: threading.Event, pace: float, busy: Callable[[], bool]) -> None:
        """Let time pass, until told to stop; it stands still while there is enough to do."""
        before = time.monotonic()
        looked, still = 0.0, False
        while not stop.wait(0.02):
            now = time.monotonic()
            if now - looked > 0.5:
                looked, still = now, busy()
            if not still:
                self.at(self.now() + timedelta(seconds=(now - before) * pace))
            before = now

    def close(self) -> None:
        for server in self.servers:
            server.stop()
        self.clock.close()


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three features."""
    path = tmp_path_factory.mktemp("model") / "model.json"
    rows = np.random.default_rng(7).normal(size=(200, 3)).astype(np.float32)
    data = xgboost.DMatrix(rows, (rows[:, 0] > 0).astype(int))
    xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 2}, data, 5).save_model(path)
    return path


@pytest.fixture
def world(tmp_path: Path, database: str, small_model: Path) -> Iterator[World]:
    """A world without servers yet."""
    made = World(tmp_path, database, small_model)
    yield made
    made.close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A web hook that listens."""
    made = Hook()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def wait() -> Callable[..., Any]:
    """:func:`until`."""
    return until
