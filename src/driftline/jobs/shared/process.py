"""The shipper as a process of its own."""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from driftline.core.configuration import STORE
from driftline.core.errors import DriftlineError
from driftline.jobs.process import follow_parent
from driftline.jobs.shared.ledger import Ledger
from driftline.jobs.shared.limits import limits_of
from driftline.jobs.shared.shipper import Shipper
from driftline.jobs.shared.store import LEDGER
from driftline.jobs.shared.targets import destination_targets, store_target
from driftline.jobs.shared.telling import Teller
from driftline.jobs.shared.tidying import Tidier
from driftline.resources.endpoints import Endpoint
from driftline.storage import spool
from driftline.storage.buckets import open_objects, s3_service
from driftline.storage.clock import SharedClock, system_clock
from driftline.storage.database import Store, database_of_environment, migrate, open_store
from driftline.storage.layout import Layout
from driftline.storage.node_file import node_of
from driftline.storage.remote.trying import Patience

logger = logging.getLogger("driftline.shipping")
PATIENCE = Patience(total=5.0)
"""What fails for longer is told, and tried again by the shipper itself."""
_LOCKED_POLL = 0.25
GRACE = 8.0
"""Seconds that a shipper that is told to end takes for what is still there."""


def needed(layout: Layout) -> bool:
    """Whether a data folder needs a shipper: its files are in a store of many nodes, or endpoints may send their
    captures to buckets elsewhere, or one was told to."""
    return bool(STORE.of(os.environ) or s3_service()) or spool.wanted(layout)


def main(arguments: Sequence[str] | None = None) -> int:
    """Ship until SIGTERM or SIGINT, or until the parent process ends; 0, or 2 when it cannot start."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if not options.detached:
        follow_parent(stop, options.parent)
    try:
        with _alone(Layout(options.data).create(), stop):
            if not stop.is_set():
                _ship(options, stop)
    except DriftlineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _ship(options: argparse.Namespace, stop: threading.Event) -> None:
    layout, limits = Layout(options.data).create(), limits_of()
    clock = system_clock if options.clock is None else SharedClock(options.clock)
    given = STORE.of(os.environ)
    ledger = Ledger(layout.data / LEDGER)
    store = store_target(given) if given else None
    shipper = Shipper(layout, open_objects(layout, PATIENCE), ledger, clock, store=store, limits=limits)

    def open_database() -> Store:
        found = open_store(options.database or database_of_environment() or layout.database)
        migrate(found)
        return found

    def follow(found: list[Endpoint]) -> None:
        nowhere = [f"captures/{one.name}" for one in found if not one.capture.destination]
        shipper.send_to(destination_targets(layout, found), nowhere)

    name = options.node or node_of(layout).name
    teller = Teller(open_database, ledger, name, lambda: shipper.progress, follow, stores=store is not None)
    tidier = Tidier(open_database, layout, clock) if store is not None else None
    logger.info("shipper ready on %s", layout.data)
    teller.start()
    if tidier is not None:
        tidier.start()
    try:
        shipper.run(stop, options.grace)
    finally:
        if tidier is not None:
            tidier.close()
        shipper.close()
        teller.close()
    logger.info("shipper stopped, %d files wait", shipper.progress.files)


@contextmanager
def _alone(layout: Layout, stop: threading.Event) -> Iterator[None]:
    """Wait until no other shipper works on the folder: several servers may share one."""
    with (layout.data / "shipper.lock").open("ab") as lock:
        while not stop.is_set():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                stop.wait(_LOCKED_POLL)
            except OSError:
                break  # a file system without locks
        yield


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m driftline.jobs.shared", description="Run driftline's shipper.")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--node", help="the name of this node; else that of the data folder")
    parser.add_argument(
        "--database", help="a database URL (default: DRIFTLINE_DATABASE, or driftline.db in the folder)"
    )
    parser.add_argument("--clock", type=Path, help="a shared clock file instead of real time")
    parser.add_argument("--grace", type=float, default=GRACE, help="seconds for what is left when it is told to end")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="the process whose end ends this one")
    parser.add_argument("--detached", action="store_true", help="go on when the parent process ends")
    return parser.parse_args(arguments)
