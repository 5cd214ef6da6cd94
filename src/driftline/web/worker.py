"""One web process: it serves the endpoints, captures, and answers the API on a socket that its parent opened."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from driftline.core.errors import DriftlineError, SetupError
from driftline.service import Service
from driftline.service.prometheus import REQUESTS
from driftline.serving.asgi import App
from driftline.serving.capture_log import CaptureCount, CaptureLog
from driftline.serving.endpoints import Registry
from driftline.serving.invocations import Invocations
from driftline.serving.libraries import serve_only
from driftline.serving.request_counts import RequestCounts
from driftline.serving.runtime import load_model
from driftline.storage.clock import SharedClock, system_clock
from driftline.storage.database import database_of_environment
from driftline.web.app import Application
from driftline.web.connections import Connection, end_slow

_log = logging.getLogger("driftline.web")
REFRESH_SECONDS = 0.25
COUNT_SECONDS = 1.0
AUDIT_SECONDS = 30.0
LOST_SECONDS = 60.0
_EXTRA = "install what it needs: pip install 'driftline[aws]'"


class Worker:
    """The parts of one web process and what keeps them up to date.

    ``front`` makes an application that stands before all others, out of the invocations (``inner``), the same behind
    the gate (``gated``), and whether access is on: it knows its own visitors,
    and tells the audit log about them (``note``).
    """

    def __init__(self, service: Service, *, access: bool = False, front: Callable[..., App] | None = None) -> None:
        self.service = service
        self.application = Application(service, self.captures_lost)
        self.registry = Registry(service.served, lambda path: load_model(service.have_model(path)))
        self.captures = CaptureLog(service.layout.data / "captures", service.clock, key_file=service.layout.capture_key)
        self.requests = RequestCounts(service.layout.data / REQUESTS)
        invocations = Invocations(
            self.registry,
            self.captures,
            self.application.asgi,
            refresh=self.registry.refresh,
            counts=self.requests,
        )
        # Without access there is no gate to pass, and nothing is added to the way of a prediction.
        self.app: App = self.application.guarded(invocations) if access else invocations
        if front is not None:
            note = self.application.auditor.note
            self.app = front(service, inner=invocations, gated=self.app, access=access, note=note)
        self._revision = 0
        self._lost = float("-inf")
        self._counted: list[CaptureCount] = []

    def refresh(self) -> None:
        """Take over what changed since the last look, if anything did."""
        revision = self.service.newest_revision(self._revision)
        if revision != self._revision or self.service.models_came():
            self.registry.refresh()
            self._revision = revision

    def store_counts(self) -> None:
        """Add this process's capture counts to the store; what cannot be stored is kept for the next time."""
        self.captures.rotate()
        counts = self.captures.drain_counters()
        if any(count.dropped for count in counts):
            self._lost = time.monotonic()
        self._counted += counts
        self._counted += self.service.keep_events()
        if self._counted:
            self.service.add_capture_counts(self._counted)
            self._counted = []

    def captures_lost(self) -> bool:
        """Whether a capture was lost within the last minute."""
        return time.monotonic() - self._lost < LOST_SECONDS

    async def keep_up(self, parent: int, server: uvicorn.Server) -> None:
        """Follow changes and store counts until the server stops; stop it when the parent process has gone."""
        last_count = last_audit = asyncio.get_running_loop().time()
        while not server.should_exit:
            await self._guarded(self.refresh)
            now = asyncio.get_running_loop().time()
            if now - last_count >= COUNT_SECONDS:
                last_count = now
                await self._guarded(self.store_counts)
            if now - last_audit >= AUDIT_SECONDS:
                last_audit = now
                await self._guarded(self.application.auditor.flush)
            if late := end_slow(server.server_state.connections):
                _log.warning("%d connections were closed, whose request did not arrive in time", late)
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
    parser.add_argument("--access", choices=("on", "off"), default="off", help="whether a token is needed")
    parser.add_argument("--tls-cert", type=Path, help="the certificate, with its chain")
    parser.add_argument("--tls-key", type=Path, help="the certificate's key")
    parser.add_argument("--front", help="MODULE:NAME of a function that makes an application before all others")
    parser.add_argument("--front-options", type=json.loads, default={}, help="its further arguments, a JSON object")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="the process whose end ends this one")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    for talkative in ("alembic", "httpx"):  # the latter has a line for every request that is forwarded
        logging.getLogger(talkative).setLevel(logging.WARNING)
    serve_only()
    try:
        clock = system_clock if options.clock is None else SharedClock(options.clock)
        with Service(options.data, clock=clock, database=database_of_environment()) as service:
            listening = socket.socket(fileno=options.socket)
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                front = _front(options.front, options.front_options)
                worker = Worker(service, access=options.access == "on", front=front)
                runner.run(_serve(worker, listening, options))
    except DriftlineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _front(name: str | None, further: dict[str, Any]) -> Callable[..., App] | None:
    """A front by its name. It is not imported by ours: no face knows another."""
    if name is None:
        return None
    module, _, function = name.partition(":")
    try:
        made: Callable[..., App] = getattr(importlib.import_module(module), function)
    except ImportError as error:
        raise SetupError(f"{name} needs a library that is not installed", evidence=str(error), hint=_EXTRA) from None
    return partial(made, **further)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster event loop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(worker: Worker, listening: socket.socket, options: argparse.Namespace) -> None:
    config = uvicorn.Config(
        worker.app,
        http=Connection,
        ws="none",
        loop="none",
        ssl_certfile=options.tls_cert,
        ssl_keyfile=options.tls_key,
        log_level="warning",
        access_log=False,
        lifespan="on",
        date_header=False,
    )
    server = uvicorn.Server(config)
    keeper = asyncio.create_task(worker.keep_up(options.parent, server))
    try:
        await server.serve(sockets=[listening])
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        with suppress(SetupError):
            worker.store_counts()
            worker.application.auditor.flush()
        worker.captures.close()
        worker.requests.close()
