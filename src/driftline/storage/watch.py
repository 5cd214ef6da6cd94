"""Whether the database answers, as one process sees it: said in its log, and to all that would wait for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection

from driftline.core.errors import AwayError, DriftlineError
from driftline.core.records import utc
from driftline.core.window import format_time
from driftline.storage.clock import system_clock
from driftline.storage.database import Store

LOST_SECONDS = 2.0
"""So long may one question stay unanswered until the database is held to be away."""
TOLD_SECONDS = 60.0
"""How often it is said that it still is."""
_HINT = "endpoints go on being served and captured as they were last seen; see the database's own log"
Monotonic = Callable[[], float]


class Outage:
    """Since when a database is away, and how often that is said: at once, once a minute, and when it is over.

    ``monotonic`` is seconds by which time is measured.
    """

    def __init__(self, log: logging.Logger, monotonic: Monotonic = time.monotonic) -> None:
        self._log, self._monotonic = log, monotonic
        self._telling = threading.Lock()
        self.since: datetime | None = None
        self._began = self._told = float("-inf")

    def lasts(self, error: DriftlineError) -> None:
        """The database is away, and this is how it showed."""
        with self._telling:
            self._lasts(error, self._monotonic())

    def _lasts(self, error: DriftlineError, now: float) -> None:
        if self.since is None:
            self.since, self._began = utc(system_clock()).replace(microsecond=0), now
            self._told = float("-inf")
        if now - self._told >= TOLD_SECONDS:
            self._told = now
            since, seen = format_time(self.since), error.evidence or error.what
            self._log.error("the database has been away since %s (%.0f s): %s", since, now - self._began, seen)

    def over(self) -> None:
        """The database answers."""
        with self._telling:
            if self.since is not None:
                self._log.warning("the database is back after %.0f s", self._monotonic() - self._began)
                self.since = None


class Watch:
    """Asks the database the same short question again and again, on a thread of its own, and tells ``store`` when it is
    away, so that nobody else waits for it.

    ``ask`` is given a connection; ``heard`` is called on the same thread after every answer. A question that stays
    unanswered is noticed by :meth:`look`, which somebody must call now and then, because it blocks that thread.
    """

    def __init__(
        self,
        store: Store,
        ask: Callable[[Connection], None],
        heard: Callable[[], None],
        *,
        every: float,
        log: logging.Logger,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._store, self._ask, self._heard = store, ask, heard
        self._every, self._monotonic = every, monotonic
        self._log, self._outage = log, Outage(log, monotonic)
        self._asked: float | None = None
        self._changing = threading.Lock()

    def run(self, stop: threading.Event) -> None:
        """Ask until told to stop."""
        while not stop.is_set():
            self.once()
            stop.wait(self._every)

    def once(self) -> None:
        """Ask once."""
        self._asked = self._monotonic()
        try:
            with self._store.probe() as connection:
                self._ask(connection)
        except AwayError as error:
            self._lost(error)
        except DriftlineError as error:
            self._log.error("the store cannot be used: %s", error)
        else:
            self._found()
        finally:
            self._asked = None

    def look(self) -> None:
        """Notice a question that stays unanswered, and say once a minute that the database is away."""
        asked, away = self._asked, self._store.away
        if self._store.remote and asked is not None and self._monotonic() - asked > LOST_SECONDS:
            self._lost(AwayError(f"it has not answered for {LOST_SECONDS:g} s"))
        elif away is not None:
            self._lost(away)

    def _lost(self, error: AwayError) -> None:
        with self._changing:
            self._outage.lasts(error)
            if self._store.away is None and (since := self._outage.since) is not None:
                what = f"the database has been away since {format_time(since)}"
                self._store.away = AwayError(what, evidence=error.evidence or error.what, hint=_HINT, since=since)

    def _found(self) -> None:
        with self._changing:
            self._store.away = None
            self._outage.over()
        with suppress(AwayError):
            self._heard()
