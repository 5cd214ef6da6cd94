"""Which files of a data folder are in buckets: a small SQLite file beside them, that any process may look into.

It may be lost at any time: what it knew is then found out again, under the same keys.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

from driftline.core.errors import SetupError

Kind = Literal["captures", "labels"]
Origin = Literal["sent", "fetched", "adopted"]
_BUSY_SECONDS = 30.0
_TABLES = (
    "CREATE TABLE IF NOT EXISTS files (target TEXT, path TEXT, size INTEGER NOT NULL, etag TEXT NOT NULL,"
    " origin TEXT NOT NULL, stored REAL NOT NULL, PRIMARY KEY (target, path)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS read (folder TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS owed (endpoint TEXT, kind TEXT, hour REAL, times INTEGER NOT NULL,"
    " PRIMARY KEY (endpoint, kind, hour)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS known (target TEXT PRIMARY KEY) WITHOUT ROWID",
)
_BESIDE = ("-wal", "-shm")
_OWE = "INSERT INTO owed VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1"
_SETTLE = "DELETE FROM owed WHERE endpoint = ? AND kind = ? AND hour = ? AND times = ?"
_ENTER = (
    "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
    " size = excluded.size, etag = excluded.etag, origin = excluded.origin, stored = excluded.stored"
)


class Entry(NamedTuple):
    """A file that is in a bucket: its path below the data folder, the bytes of it that are there, the object's tag,
    whether this machine sent or fetched it (or found both, and does not know), and when (real time, epoch seconds)."""

    path: str
    size: int
    etag: str
    origin: Origin
    stored: float


class Owed(NamedTuple):
    """An hour (epoch seconds) to which something was added in the store, so many times, of which the database was not
    told yet."""

    endpoint: str
    kind: Kind
    hour: float
    times: int = 1


class Ledger:
    """The ledger in a file, which is made when it is absent, and anew when it is damaged. A ``target`` is where files
    were sent to: the store, or an endpoint's destination. For any number of threads and processes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._own = threading.local()

    def entry(self, target: str, path: str) -> Entry | None:
        """What is known of a file; None for one that is not there."""
        with self._read() as db:
            row = db.execute(f"{_SELECT} AND path = ?", (target, path)).fetchone()
        return None if row is None else Entry(*row)

    def entries(self, target: str, folder: str = "") -> dict[str, Entry]:
        """The files below a folder (or all), by their path."""
        below = f"{folder}/" if folder else ""
        last = f"{folder}0" if folder else "\U0010ffff"  # "0" follows "/"
        with self._read() as db:
            found = db.execute(f"{_SELECT} AND path >= ? AND path < ?", (target, below, last))
            return {row[0]: Entry(*row) for row in found}

    def enter(self, target: str, entries: Iterable[Entry], owed: Iterable[Owed] = ()) -> None:
        """Say that files are in the bucket, and what has to be told of them, at once."""
        with self._write() as db:
            db.executemany(_ENTER, [(target, *entry) for entry in entries])
            db.executemany(_OWE, [one[:3] for one in owed])

    def strike(self, paths: Iterable[str]) -> None:
        """Forget files, wherever they were sent."""
        with self._write() as db:
            db.executemany("DELETE FROM files WHERE path = ?", [(path,) for path in paths])

    def reading(self, folders: Iterable[str], now: float) -> None:
        """Say that the files of some hours are about to be read."""
        with self._write() as db:
            db.executemany("INSERT OR REPLACE INTO read VALUES (?, ?)", [(folder, now) for folder in folders])

    def evict(self, data: Path, paths: Sequence[str], read_before: float) -> int:
        """Take files off the disk that are known to be in their buckets, and that nobody is reading; the bytes that
        came free. Nobody can say in between that they are being read."""
        freed = 0
        gone: list[tuple[str]] = []
        with self._write() as db:
            db.execute("DELETE FROM read WHERE at < ?", (read_before,))
            busy = {folder for (folder,) in db.execute("SELECT folder FROM read")}
            for path in paths:
                if path.rpartition("/")[0] not in busy:
                    with suppress(OSError):
                        size = (data / path).stat().st_size
                        (data / path).unlink()
                        freed += size
                        gone.append((path,))
            db.executemany("DELETE FROM files WHERE path = ?", gone)
        return freed

    def owed(self) -> list[Owed]:
        """What the database was not told yet."""
        with self._read() as db:
            return [Owed(*row) for row in db.execute("SELECT endpoint, kind, hour, times FROM owed ORDER BY hour")]

    def settle(self, told: Iterable[Owed]) -> None:
        """Say that the database knows; what was added meanwhile is owed again."""
        with self._write() as db:
            db.executemany(_SETTLE, list(told))

    def size(self, target: str, folders: Iterable[str]) -> int:
        """The bytes of the files below some folders."""
        with self._read() as db:
            query = "SELECT coalesce(sum(size), 0) FROM files WHERE target = ? AND path >= ? AND path < ?"
            return sum(db.execute(query, (target, f"{name}/", f"{name}0")).fetchone()[0] for name in folders)

    def knows(self, target: str) -> bool:
        """Whether all files were looked at once since the ledger was made: if not, one that is not entered may
        nevertheless be in the bucket, and may even have come from there."""
        with self._read() as db:
            return db.execute("SELECT 1 FROM known WHERE target = ?", (target,)).fetchone() is not None

    def learnt(self, target: str) -> None:
        """Say that all files were looked at."""
        with self._write() as db:
            db.execute("INSERT OR IGNORE INTO known VALUES (?)", (target,))

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            yield self._connection()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection: a new one in a forked process, and where the file is another or gone."""
        try:
            here: tuple[int, int] | None = (os.getpid(), self.file.stat().st_ino)
        except OSError:
            here = None
        if here is None or getattr(self._own, "here", None) != here:
            self._leave()
            self._own.db = self._opened()
            self._own.here = (os.getpid(), self.file.stat().st_ino)
        db: sqlite3.Connection = self._own.db
        return db

    def _leave(self) -> None:
        """Close a connection of this process. One of its parent's is never closed here: SQLite forbids that."""
        old = getattr(self._own, "db", None)
        if old is not None and self._own.here[0] == os.getpid():
            old.close()
        elif old is not None:
            _PARENTS.append(old)

    def _opened(self) -> sqlite3.Connection:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.with_suffix(".lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.file.exists():
                # What was left of one that is gone would be taken for a part of the new one.
                for suffix in _BESIDE:
                    Path(f"{self.file}{suffix}").unlink(missing_ok=True)
            try:
                return _prepared(self.file)
            except sqlite3.DatabaseError as error:
                if not _damaged(error):
                    raise
            self._put_away()
            return _prepared(self.file)

    def _put_away(self) -> None:
        """Make room for a new file; the damaged one is kept to be looked at."""
        for suffix in ("", *_BESIDE):
            with suppress(FileNotFoundError):
                Path(f"{self.file}{suffix}").replace(f"{self.file}.damaged{suffix}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if _damaged(error):
                self._put_away()
            hint = "check that the data folder may be written and has free disk space"
            raise SetupError(f"the ledger {self.file} cannot be used", evidence=str(error), hint=hint) from error
        except OSError as error:
            hint = "check that the data folder is there and may be written"
            raise SetupError(f"the ledger {self.file} cannot be used", evidence=str(error), hint=hint) from error


_PARENTS: list[sqlite3.Connection] = []
_SELECT = "SELECT path, size, etag, origin, stored FROM files WHERE target = ?"


def _damaged(error: sqlite3.Error) -> bool:
    """A damaged file, or one that is no database, is this very class and none below it."""
    return type(error) is sqlite3.DatabaseError


def _prepared(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        _enter_wal(db)
        # An entry that a power failure undoes while the file stays would have a fetched file taken for our own.
        db.execute("PRAGMA synchronous = FULL")
        for table in _TABLES:
            db.execute(table)
    except BaseException:
        db.close()
        raise
    return db


def _enter_wal(db: sqlite3.Connection) -> None:
    """A rival doing the same answers "locked" at once, without SQLite's own waiting."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL").fetchall()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
