"""The scheduler as a process of its own."""

from __future__ import annotations

import argparse
import logging
import math
import os
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from driftline.core.errors import DriftlineError
from driftline.jobs.executions import Runner
from driftline.jobs.isolation import Isolation
from driftline.jobs.scheduler import Scheduler
from driftline.pipeline import Run, RunResult
from driftline.storage.clock import SharedClock, system_clock
from driftline.storage.database import database_of_environment, migrate, open_store
from driftline.storage.layout import Layout

logger = logging.getLogger("driftline.jobs")
_PARENT_POLL = 0.5


def main(
    runner: Runner, arguments: Sequence[str] | None = None, *, isolation: Isolation[Run, RunResult] | None = None
) -> int:
    """Run the scheduler until SIGTERM or SIGINT, or until the parent process ends; 0, or 2 when it cannot start.

    With ``isolation`` every run has a process of its own; else ``runner`` runs it in this one.
    """
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if not options.detached:
        follow_parent(stop, options.parent)
    try:
        _serve(runner, isolation, options, stop)
    except DriftlineError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is the process's own voice
        return 2
    return 0


def follow_parent(stop: threading.Event, parent: int) -> None:
    """Set ``stop`` when the process that started this one has ended, so that none is left behind."""

    def watch() -> None:
        while not stop.wait(_PARENT_POLL):
            if os.getppid() != parent:
                logger.info("the parent process has ended; so does this one")
                stop.set()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _serve(
    runner: Runner, isolation: Isolation[Run, RunResult] | None, options: argparse.Namespace, stop: threading.Event
) -> None:
    layout = Layout(options.data).create()
    clock = system_clock if options.clock is None else SharedClock(options.clock)
    with open_store(options.database or database_of_environment() or layout.database) as store:
        migrate(store)
        lease = timedelta(seconds=options.lease)
        scheduler = Scheduler(
            store,
            layout,
            clock,
            runner,
            link=options.link,
            lease=lease,
            isolation=isolation,
            fire_every=options.fire_every,
        )
        if options.fire_every is not None:
            logger.warning(
                "FOR DEMONSTRATIONS AND TESTS ONLY: every schedule runs every %g s, over windows that have not ended",
                options.fire_every,
            )
        try:
            if isolation is not None:
                isolation.warm_up()
            logger.info("scheduler ready on %s", layout.data)
            scheduler.run(stop)
        finally:
            scheduler.close()
    logger.info("scheduler stopped")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m driftline.jobs", description="Run driftline's scheduler.")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument(
        "--database", help="a database URL (default: DRIFTLINE_DATABASE, or driftline.db in the folder)"
    )
    lease = float(os.environ.get("DRIFTLINE_LEASE") or 60)
    parser.add_argument("--lease", type=float, default=lease, help="seconds until a dead scheduler's run is another's")
    parser.add_argument("--clock", type=Path, help="a shared clock file instead of real time")
    parser.add_argument("--link", help="address of a run's page for notifications, with {run} where its id goes")
    parser.add_argument(
        "--fire-every", type=_seconds, help="for demos and tests: run each schedule every so many seconds as well"
    )
    parser.add_argument("--parent", type=int, default=os.getppid(), help="the process whose end ends this one")
    parser.add_argument("--detached", action="store_true", help="go on when the parent process ends")
    return parser.parse_args(arguments)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError("give a number of seconds above 0")
    return seconds
