"""Tells the database what a node's shipper did: which hours have more, and up to when its captures are in the store."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version

from sqlalchemy import Connection

from driftline.core.errors import DriftlineError
from driftline.core.records import utc
from driftline.jobs.shared.ledger import Kind, Ledger, Owed
from driftline.jobs.shared.shipper import Progress
from driftline.resources.endpoints import Endpoint
from driftline.storage import arrivals, endpoints, nodes
from driftline.storage.database import Store

logger = logging.getLogger("driftline.shipping")
EVERY, ENDPOINTS_EVERY = 1.0, 5.0
_LONGEST_PAUSE = 15.0
_NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)


class Teller:
    """Tells what :attr:`progress` gives, once a second, in a thread of its own: shipping goes on without the database,
    and what is owed to it waits in the ledger. ``endpoints`` is told of the endpoints that there are. With ``stores``
    False there is no store of many nodes, and nobody waits for this one."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        ledger: Ledger,
        node: str,
        progress: Callable[[], Progress],
        endpoints: Callable[[list[Endpoint]], None],
        *,
        stores: bool,
    ) -> None:
        self._open, self._ledger, self._node, self._stores = open_store, ledger, node, stores
        self._progress, self._endpoints = progress, endpoints
        self._store: Store | None = None
        self._started = utc(time.time())
        self._listed = float("-inf")
        self._failed = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="teller", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def close(self) -> None:
        """Tell what there is once more. A node with nothing left is taken off the list: nobody need wait for it."""
        self._stop.set()
        self._thread.join()
        self._tell(last=True)
        if self._store is not None:
            self._store.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._tell()
            self._stop.wait(min(_LONGEST_PAUSE, EVERY * 2.0 ** min(self._failed, 8)))

    def _tell(self, *, last: bool = False) -> None:
        try:
            if self._store is None:
                self._store = self._open()
            self._told(self._store, last=last)
            if self._failed:
                logger.info("the database was told of what was shipped")
            self._failed = 0
        except Exception as error:
            self._failed += 1
            if self._failed == 1:
                expected = isinstance(error, DriftlineError)
                words = str(error) if expected else type(error).__name__
                logger.warning("the database waits for what was shipped: %s", words, exc_info=not expected)

    def _told(self, store: Store, *, last: bool) -> None:
        # First how far shipping is, then what it owes: all that this counts on is among what is told with it.
        progress = self._progress()
        owed = self._ledger.owed()
        if self._stores:
            with store.write() as db:
                _arrived(db, owed)
                if last and progress.looked and progress.files == 0:
                    nodes.forget(db, self._node)
                else:
                    nodes.tell(db, self._row(progress))
            self._ledger.settle(owed)
        if not last and time.monotonic() - self._listed >= ENDPOINTS_EVERY:
            self._listed = time.monotonic()
            with store.read() as db:
                found = endpoints.listing(db)
            self._endpoints(found)

    def _row(self, progress: Progress) -> nodes.Node:
        return nodes.Node(
            self._node,
            version("driftline"),
            self._started,
            utc(time.time()),
            progress.captured_until or _NOTHING_YET,
            progress.files,
            progress.bytes,
            progress.trouble or None,
        )


def _arrived(connection: Connection, owed: list[Owed]) -> None:
    hours: dict[tuple[str, Kind], list[datetime]] = defaultdict(list)
    for one in owed:
        hours[one.endpoint, one.kind].append(utc(one.hour))
    for (endpoint, kind), found in hours.items():
        arrivals.add(connection, endpoint, kind, found)
