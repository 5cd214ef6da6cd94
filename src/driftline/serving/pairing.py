"""Requests and responses that arrive apart, in any order and at different processes: they wait for each other on disk.

The place is a small SQLite file in the data folder. An event is in it before its sender is told so, and a pair is
recorded before it leaves it, all in one transaction: a process that is killed in between loses nothing, and at worst
a pair is recorded twice under the same event id, which readers count once.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid5

from driftline.core.errors import SetupError
from driftline.resources.captures import EventReceipt
from driftline.serving.capture_records import Exchange
from driftline.serving.cloud_events import InferenceEvent

WAIT_SECONDS = 600.0
_NAMES = UUID("7d0f0d8c-3a53-4c1e-9a55-5f2b1f6f0f61")
_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS events (
  endpoint TEXT NOT NULL, id TEXT NOT NULL, side TEXT NOT NULL,
  body BLOB, content_type TEXT NOT NULL, received REAL NOT NULL, PRIMARY KEY (endpoint, id, side));
CREATE INDEX IF NOT EXISTS events_received ON events (received);
"""
Record = Callable[[Sequence[Exchange]], None]


class Pairing:
    """The waiting place at ``path``, which is made when the first event comes. For any number of threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def add(self, endpoint: str, events: Sequence[InferenceEvent], now: float, record: Record) -> EventReceipt:
        """Takes events; ``record`` is given the exchanges that they complete, once, before they count as taken.

        An event that came before (senders repeat what they got no answer to) changes nothing.
        """
        pairs: list[Exchange] = []
        repeated = 0
        with self._transaction() as db:
            for event in events:
                pair = _taken(db, endpoint, event, now)
                repeated += pair is False
                if isinstance(pair, Exchange):
                    pairs.append(pair)
            if pairs:
                record(pairs)
        return EventReceipt(len(events) - repeated, len(pairs), repeated)

    def expire(self, before: float, record: Callable[[str, Exchange | None], None]) -> None:
        """Lets go of events received before a moment.

        ``record`` is given the endpoint and, for a response whose request never came, an exchange without input; for
        a request that got no response there is none.
        """
        if self._db is None and not self._path.exists():
            return
        with self._transaction() as db:
            columns = "endpoint, id, side, body, content_type"
            query = f"SELECT {columns} FROM events WHERE received < ? AND body IS NOT NULL"  # noqa: S608 -- own text
            for name, key, side, body, kind in db.execute(query, (before,)).fetchall():
                lone = Exchange(b"", "", body, kind, key, None, _event_id(name, key)) if side == "response" else None
                record(name, lone)
            db.execute("DELETE FROM events WHERE received < ?", (before,))

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                db = self._opened()
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    db.rollback()
                    raise
            except sqlite3.Error as error:
                what = f"the events that wait in {self._path} cannot be reached"
                raise SetupError(what, evidence=str(error), hint="check the disk's space and the permissions") from None

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            db = sqlite3.connect(self._path, timeout=30.0, isolation_level=None, check_same_thread=False)
            try:
                db.executescript(_SCHEMA)
            except sqlite3.Error:
                db.close()
                raise
            self._db = db
        return self._db


def _taken(db: sqlite3.Connection, endpoint: str, event: InferenceEvent, now: float) -> Exchange | bool:
    """The exchange that an event completes; True when it waits now, False when it came before."""
    values = (endpoint, event.id, event.side, event.body, event.content_type, now)
    if db.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?)", values).rowcount == 0:
        return False
    where = "WHERE endpoint = ? AND id = ?"
    query = f"SELECT side, body, content_type FROM events {where} AND body IS NOT NULL"  # noqa: S608 -- own text
    sides = {side: (body, kind) for side, body, kind in db.execute(query, (endpoint, event.id))}
    if len(sides) < 2:
        return True
    # The bodies go, their names stay for a while: that is how a repetition is known.
    db.execute(f"UPDATE events SET body = NULL, received = ? {where}", (now, endpoint, event.id))  # noqa: S608
    return Exchange(*sides["request"], *sides["response"], event.id, None, _event_id(endpoint, event.id))


def _event_id(endpoint: str, name: str) -> str:
    """The same for the same pair, so that a pair that was recorded twice is counted once."""
    return str(uuid5(_NAMES, f"{endpoint}\n{name}"))
