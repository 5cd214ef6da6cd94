"""What every noun of the service stands on: the data folder, the store and the time."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from driftline.core.errors import AwayError
from driftline.core.records import utc
from driftline.core.window import HOUR, Window, parse_time
from driftline.jobs.shared import Shared, open_shared, shares
from driftline.storage.clock import Clock, system_clock
from driftline.storage.database import Store, migrate, open_store
from driftline.storage.layout import Layout
from driftline.storage.shared_keys import agree


class Wiring:
    """An open data folder; see :class:`driftline.service.Service`. A context manager."""

    def __init__(
        self, data: str | Path, *, clock: Clock = system_clock, database: str | None = None, patient: bool = False
    ) -> None:
        self.layout = Layout(data).create()
        self.clock = clock
        self.store: Store = open_store(database or self.layout.database, unseen=True)
        self.behind = True
        try:
            self.catch_up()
        except BaseException as error:
            if not (patient and isinstance(error, AwayError) and self.layout.known.exists()):
                self.store.close()
                raise
            since = utc(system_clock()).replace(microsecond=0)
            self.store.away = AwayError(error.what, evidence=error.evidence, hint=error.hint, since=since)

    def catch_up(self) -> None:
        """Bring the schema to this version and agree with the other nodes on keys, unless that was done."""
        if self.behind:
            migrate(self.store)
            if shares():
                agree(self.store, self.layout)
            self.behind = False

    def close(self) -> None:
        """Give the database connections back."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @cached_property
    def shared(self) -> Shared | None:
        """The store that many nodes have in common; None where a data folder stands alone. Opened when the first asks.

        Raises :class:`SetupError` where it cannot be used.
        """
        return open_shared(self.layout)

    def now(self) -> datetime:
        """The service's time."""
        return utc(self.clock())

    def last_day(self) -> Window:
        """The 24 hours up to now, and the hour that has begun."""
        end = self.now() + HOUR
        return Window(end - 25 * HOUR, end)

    def window_of(self, start: str | None, end: str | None) -> Window:
        """The window of two ISO 8601 instants; where one is left out, the last day's.

        Without a start it begins a day and an hour before its end. Raises :class:`InputError` for what is no time.
        """
        last = parse_time(end) if end else self.last_day().end
        return Window(parse_time(start) if start else last - 25 * HOUR, last)
