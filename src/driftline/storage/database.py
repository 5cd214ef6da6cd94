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
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from driftline.core.errors import AwayError, InputError, SetupError
from driftline.storage.version import MIGRATIONS, Standing, standing

_WRITE = "driftline_write"
_ADVISORY_LOCK = 0x64726966746C696E  # "driftlin" in ASCII: PostgreSQL's lock for our migrations
_BUSY_SECONDS = 30.0
_POOL_SECONDS = 5.0
# A host that vanished without a word is noticed within so many seconds, in milliseconds for what was sent to it.
_SERVER = {"connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 2}
_UNANSWERED = {"tcp_user_timeout": 15_000}
VARIABLE = "DRIFTLINE_DATABASE"
"""The environment variable that names the database: other users of a machine see commands, but not environments."""


class Store:
    """The relational state. Repository functions take the connection of a transaction opened here.

    ``read()`` sees one consistent snapshot; ``write()`` commits when its block ends and rolls back when it raises. A
    second ``write()`` opened inside the first would wait for itself. A database that is full or locked for 30 s is a
    :class:`SetupError`, a server that is unreachable an :class:`AwayError`.

    ``away`` is set by whoever watches the database (:class:`driftline.storage.watch.Watch`): as long as it is, ``read``
    and ``write`` raise it at once, so that nothing waits for what is not there; only ``probe`` still asks.
    """

    away: AwayError | None = None

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
        self._here()
        with self.probe() as connection:
            yield connection

    @contextmanager
    def probe(self) -> Iterator[Connection]:
        """The same, also while the database is held to be away."""
        with _explained(self.name), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; on SQLite it holds the one write lock from its first moment."""
        self._here()
        with _explained(self.name), self._writer.begin() as connection:
            yield connection

    @property
    def remote(self) -> bool:
        """Whether it is a server's, which can be away and which other machines may work on too."""
        return self.engine.dialect.name != "sqlite"

    def _here(self) -> None:
        if (away := self.away) is not None:
            raise AwayError(away.what, evidence=away.evidence, hint=away.hint, since=away.since)

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
    return os.environ.get(VARIABLE) or None


def open_store(url_or_path: str | Path, *, unseen: bool = False) -> Store:
    """The store at a database URL, or in a SQLite file at a path (made with its folder when absent).

    Raises :class:`SetupError` when the place cannot be written, is not a database or cannot be reached. With
    ``unseen`` a server is not asked yet.
    """
    text_form = str(url_or_path)
    if "://" in text_form and not text_form.startswith("sqlite:"):
        return _server(text_form) if unseen else _checked(_server(text_form))
    path = Path(text_form.removeprefix("sqlite:///"))
    _check_file(path)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return _checked(Store(engine, str(path)))


def migrate(store: Store, migrations: Path = MIGRATIONS) -> None:
    """Bring the schema to this version, or find that a newer one has brought it further and says that this version can
    work on it. Safe when several processes start at once, also of different versions: one works, the others wait.

    ``migrations`` is the folder of what this version knows. Raises :class:`SetupError` for a database that a newer
    version made unusable for this one.
    """
    try:
        with store.read() as connection:
            found = standing(connection, migrations)
        if found.behind:
            found = _upgrade(store, migrations)
    except ProgrammingError as error:
        raise _unusable(store.name, error) from error
    if not found.usable:
        raise SetupError(
            f"the database {store.name} was written by a newer driftline that this one cannot work with",
            evidence=str(found),
            hint="upgrade driftline, or use another data folder",
        )


def _upgrade(store: Store, migrations: Path) -> Standing:
    # Imported here: it takes a tenth of a second, and nearly every process finds nothing to do.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    with store.write() as connection:
        # SQLite: the write transaction is the lock, and its DDL is transactional. PostgreSQL needs one by name.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        config.attributes["connection"] = connection
        # Whoever held the lock may have been of another version, and have brought the schema further than we would.
        if (found := standing(connection, migrations)).behind:
            command.upgrade(config, "head")
            found = standing(connection, migrations)
        return found


def _server(url: str) -> Store:
    try:
        parsed = make_url(url)
        given = _SERVER | _UNANSWERED if parsed.get_dialect().name == "postgresql" else {}
        options = {name: value for name, value in given.items() if name not in parsed.query}
        engine = create_engine(parsed, pool_pre_ping=True, pool_timeout=_POOL_SECONDS, connect_args=options)
        return Store(engine, parsed.render_as_string(hide_password=True))
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
    except PoolTimeoutError as error:
        what, hint = f"the database {name} is too slow", "look at its load; every connection of this process waits"
        raise AwayError(what, evidence=f"no connection was free within {_POOL_SECONDS:g} s", hint=hint) from error
    except DatabaseError as error:
        if type(error) not in (OperationalError, DatabaseError):
            raise  # a broken rule or a wrong statement is not the machine's fault
        raise _unusable(name, error) from error


def _gone(error: DatabaseError) -> bool:
    """Whether an error says that the server cannot be reached, ends or begins, and not that a statement failed."""
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state.startswith(("08", "57P0")) or state == "53300"


def _unusable(name: str, error: DatabaseError) -> SetupError:
    kind = AwayError if "://" in name and _gone(error) else SetupError
    return kind(
        f"the database {name} cannot be used",
        evidence=str(error.orig or error).strip()[:300],
        hint="check host, port, user and password in its address, and that the server runs and has free disk space"
        if "://" in name
        else "check that it is there, has free disk space and may be written by this user",
    )
