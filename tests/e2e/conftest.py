"""Real servers as process trees, the time they share, and a web hook that remembers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import xgboost

from driftline.client import Client
from driftline.storage.clock import SharedClock

START = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
PROGRAM = (sys.executable, "-P", "-m", "driftline.cli.__main__")
ENVIRONMENT = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
Finished = subprocess.CompletedProcess[str]


def until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """The condition's value once it is true; fails when it has not become so in time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)
    return found


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> dict[int, str]:
    """The child processes of a process with what they run: ``web`` or ``jobs``."""
    found = {}
    try:
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            kind = next((word.removeprefix("driftline.") for word in words if word.startswith("driftline.")), "")
            if kind and alive(int(child)):
                found[int(child)] = kind
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


class Server:
    """``driftline serve`` on a free port, with a clock of its own that starts at ``START``."""

    def __init__(self, data: Path, workers: int) -> None:
        self.data = data
        clock = data.with_name(f"{data.name}.clock")
        self.clock = SharedClock(clock)
        self.at(START)
        options = ("--data", str(data), "--port", "0", "--workers", str(workers), "--clock", str(clock))
        self.process = subprocess.Popen(
            (*PROGRAM, "serve", *options), stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.url: str = until(lambda: self._address() or self.process.poll() is not None, "the address is told")
        assert isinstance(self.url, str), self.text()
        self.known: set[int] = set()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
        self.process.stderr.close()

    def _address(self) -> str | None:
        found = re.search(r"serves .* on (http://127\.0\.0\.1:\d+)", self.text())
        return found[1] if found else None

    def text(self) -> str:
        """All that the processes have said so far."""
        return "".join(self.log)

    def at(self, moment: datetime) -> None:
        """Make it this time for every process of the server."""
        self.clock.set(moment.timestamp())

    def ready(self) -> Server:
        """The server, once it answers and its scheduler works."""
        with self.client() as client:
            until(client.healthy, "the server answers")
        until(lambda: "scheduler ready" in self.text(), "the scheduler is ready")
        self.known |= set(self.children())
        return self

    def children(self) -> dict[int, str]:
        """The server's processes, by id."""
        found = children(self.process.pid)
        self.known |= set(found)
        return found

    def client(self) -> Client:
        """A client of this server."""
        return Client(self.url)

    def cli(self, *arguments: object, text: str | None = None) -> Finished:
        """A command against this server."""
        environment = {**ENVIRONMENT, "DRIFTLINE_URL": self.url}
        command = (*PROGRAM, *map(str, arguments))
        return subprocess.run(command, env=environment, input=text, capture_output=True, text=True, timeout=120)

    def stop(self) -> None:
        """End the tree, whatever is left of it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in self.known:
            if alive(pid) and any(word in Path(f"/proc/{pid}/cmdline").read_text() for word in ("driftline.",)):
                os.kill(pid, signal.SIGKILL)
        self._reader.join(30)
        self.clock.close()


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts servers and stops them all at the end: ``serve(workers=2)``."""
    servers: list[Server] = []

    def start(workers: int = 2) -> Server:
        servers.append(Server(tmp_path_factory.mktemp("world") / "data", workers))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


class Hook:
    """A web hook: what was posted to it, as (headers, body)."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], dict[str, Any]]] = []
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append(({key.lower(): value for key, value in self.headers.items()}, json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.stop()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two small models of three features that answer differently."""
    folder = tmp_path_factory.mktemp("models")
    rows = np.random.default_rng(7).normal(size=(200, 3)).astype(np.float32)
    paths = folder / "first.json", folder / "second.json"
    for path, labels in zip(paths, (rows[:, 0] > 0, rows[:, 0] < 0), strict=True):
        data = xgboost.DMatrix(rows, labels.astype(int))
        xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 2}, data, 5).save_model(path)
    return paths


@pytest.fixture(scope="session")
def command() -> Callable[..., Finished]:
    """A command without a server: ``command("check", …)``."""

    def run(*arguments: object) -> Finished:
        words = (*PROGRAM, *map(str, arguments))
        return subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)

    return run


@pytest.fixture(scope="session")
def wait() -> Callable[..., Any]:
    """:func:`until`."""
    return until


@pytest.fixture(scope="session")
def running() -> Callable[[int], bool]:
    """:func:`alive`."""
    return alive


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30, trust_env=False) as client:
        yield client
