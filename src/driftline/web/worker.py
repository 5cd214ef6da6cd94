"""One web process: it serves the endpoints, captures, and answers the API on a socket that its parent opened."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

import uvicorn

from driftline.core.errors import DriftlineError, SetupError
from driftline.service import Service
from driftline.serving.asgi import App
from driftline.serving.capture_log import CaptureCount, CaptureLog
from driftline.serving.endpoints import Registry
from driftline.serving.invocations import Invocations
from driftline.storage.clock import SharedClock, system_clock
from driftline.web.app import application

_log = logging.getLogger("driftline.web")
REFRESH_SECONDS = 0.25
COUNT_SECONDS = 1.0


class Worker:
    """The parts of one web process and what keeps them up to date."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.registry = Registry(service.served)
        self.captures = CaptureLog(service.layout.data / "captures", service.clock)
        self.app = Invocations(
            self.registry, self.captures, cast(App, application(service)), refresh=self.registry.refresh
        )
        self._revision = 0
        self._counted: list[CaptureCount] = []

    def refresh(self) -> None:
        """Take over what changed since the last look, if anything did."""
        revision = self.service.newest_revision(self._revision)
        if revision != self._revision:
            self.registry.refresh()
            self._revision = revision

    def store_counts(self) -> None:
        """Add this process's capture counts to the store; what cannot be stored is kept for the next time."""
        self.captures.rotate()
        self._counted += self.captures.drain_counters()
        if self._counted:
            self.service.add_capture_counts(self._counted)
            self._counted = []

    async def keep_up(self, parent: int, server: uvicorn.Server) -> None:
        """Follow changes and store counts until the server stops; stop it when the parent process has gone."""
        last_count = 0.0
        while not server.should_exit:
            await self._guarded(self.refresh)
            now = asyncio.get_running_loop().time()
            if now - last_count >= COUNT_SECONDS:
                last_count = now
                await self._guarded(self.store_counts)
            if os.getppid() != parent:
                server.should_exit = True
            await asyncio.sleep(REFRESH_SECONDS)

    async def _guarded(self, work: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(work)
        except DriftlineError as error:
            # The endpoints go on serving what they know.
            _log.error("the store cannot be used: %s", error)


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; 0, or 2 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m driftline.web")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--socket", type=int, required=True, help="the listening socket's file descriptor")
    parser.add_argument("--clock", type=Path)
    parser.add_argument("--parent", type=int, default=os.getppid(), help="the process whose end ends this one")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        clock = system_clock if options.clock is None else SharedClock(options.clock)
        with Service(options.data, clock=clock) as service:
            listening = socket.socket(fileno=options.socket)
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(_serve(Worker(service), listening, options.parent))
    except DriftlineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster event loop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(worker: Worker, listening: socket.socket, parent: int) -> None:
    config = uvicorn.Config(
        worker.app,
        http="httptools",
        loop="none",
        log_level="warning",
        access_log=False,
        lifespan="on",
        date_header=False,
    )
    server = uvicorn.Server(config)
    keeper = asyncio.create_task(worker.keep_up(parent, server))
    try:
        await server.serve(sockets=[listening])
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        with suppress(SetupError):
            worker.store_counts()
        worker.captures.close()
