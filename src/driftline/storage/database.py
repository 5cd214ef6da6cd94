"""The database: one engine for SQLite or PostgreSQL, short transactions, migrations that may race."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
)

from driftline.core.configuration import DATABASE
from driftline.core.errors import InputError, SetupError
from driftline.storage.version import MIGRATIONS, at_head

_WRITE = "driftline_write"
_ADVISORY_LOCK = 0x64726966746C696E  # "driftlin" in ASCII: PostgreSQL's lock for our migrations
_BUSY_SECONDS = 30.0


class Store:
    """The relational state. Repository functions take the connection of a transaction opened here.

    ``read()`` sees one consistent snapshot; ``write()`` commits when its block ends and rolls back when it raises. A
    second ``write()`` opened inside the first would wait for itself. A database that is full, locked for 30 s or
    unreachable is a :class:`SetupError`.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self._writer = engine.execution_options(**{_WRITE: True})
        # SQLite's transactions are snapshots by nature; PostgreSQL's have to be asked for.
        self._reader = engine
        if engine.dialect.name == "postgresql":
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with _explained(self.name), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; on SQLite it holds the one write lock from its first moment."""
        with _explained(self.name), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def database_of_environment() -> str | None:
    """The database URL that the environment names, if it does."""
    return DATABASE.of(os.environ) or None


def open_store(url_or_path: str | Path) -> Store:
    """The store at a database URL, or in a SQLite file at a path (made with its folder when absent).

    Raises :class:`SetupError` when the place cannot be written, is not a database or cannot be reached.
    """
    text_form = str(url_or_path)
    if "://" in text_form and not text_form.startswith("sqlite:"):
        return _checked(_server(text_form))
    path = Path(text_form.removeprefix("sqlite:///"))
    _check_file(path)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return _checked(Store(engine, str(path)))


def migrate(store: Store) -> None:
    """Bring the schema to this version. Safe when several processes start at once: one works, the others wait.

    Raises :class:`SetupError` for a database that a newer version wrote.
    """
    try:
        with store.read() as connection:
            if at_head(connection):
                return
        _upgrade(store)
    except ProgrammingError as error:
        raise _unusable(store.name, error) from error


def _upgrade(store: Store) -> None:
    # Imported here: it takes a tenth of a second, and nearly every process finds nothing to do.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with store.write() as connection:
        # SQLite: the write transaction is the lock, and its DDL is transactional. PostgreSQL needs one by name.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise SetupError(
                f"the database {store.name} was written by a newer driftline",
                evidence=str(error),
                hint="upgrade driftline, or use another data folder",
            ) from None


def _server(url: str) -> Store:
    try:
        parsed = make_url(url)
        return Store(create_engine(parsed, pool_pre_ping=True), parsed.render_as_string(hide_password=True))
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        shown = url.partition("://")[0]
        raise SetupError(
            f"cannot use a database of kind {shown!r}",
            evidence=type(error).__name__ + (f": {error}" if isinstance(error, ImportError) else ""),
            hint="write postgresql+psycopg://user:password@host/name (pip install 'psycopg[binary]') or a file path",
        ) from None


def _checked(store: Store) -> Store:
    try:
        with store.read() as connection:
            connection.execute(text("SELECT 1"))
    except BaseException:
        store.close()
        raise
    return store


def _check_file(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"), path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise SetupError(
            f"cannot write the database file {path}",
            evidence=f"{type(error).__name__}: {error.strerror or error}",
            hint="choose a data folder this user may write, or correct its permissions",
        ) from None
    if head and head != b"SQLite format 3\x00":
        raise SetupError(
            f"{path} is not a driftline database",
            evidence=f"it begins with {head!r}, not with 'SQLite format 3'",
            hint="choose another data folder, or move that file away",
        )


def _prepare_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not guessed by the driver
    connection.execute("PRAGMA foreign_keys = ON")
    # FULL, not NORMAL: in WAL mode NORMAL may forget committed transactions when the power fails, and a forgotten
    # "finished" or "sent" would run a window or send a notification twice (laws 6 and 7). It costs one fsync a write.
    connection.execute("PRAGMA synchronous = FULL")
    _enter_wal(connection)


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; a rival doing the same answers "locked" at once, without SQLite's own waiting."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock first, so that a reader never has to become a writer on an old snapshot.
    writes = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        # PostgreSQL holds no NUL character in a text, SQLite does; no name of ours has one.
        what, hint = "a value cannot be stored", "use text without NUL characters"
        raise InputError(what, evidence=str(error.orig or error).strip()[:300], hint=hint) from error
    except DatabaseError as error:
        if type(error) not in (OperationalError, DatabaseError):
            raise  # a broken rule or a wrong statement is not the machine's fault
        raise _unusable(name, error) from error


def _unusable(name: str, error: DatabaseError) -> SetupError:
    return SetupError(
        f"the database {name} cannot be used",
        evidence=str(error.orig or error).strip()[:300],
        hint="check host, port, user and password in its address, and that the server runs and has free disk space"
        if "://" in name
        else "check that it is there, has free disk space and may be written by this user",
    )
