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
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from driftline.core.errors import AwayError, DriftlineError, SetupError
from driftline.resources.access import AuditEntry
from driftline.service import Service
from driftline.service.prometheus import REQUESTS
from driftline.serving.asgi import App
from driftline.serving.capture_log import CaptureCount, CaptureLog
from driftline.serving.endpoints import EndpointConfig, Registry
from driftline.serving.invocations import Invocations
from driftline.serving.libraries import serve_only
from driftline.serving.request_counts import RequestCounts
from driftline.serving.runtime import load_model
from driftline.storage import revisions, untold
from driftline.storage.clock import SharedClock, system_clock
from driftline.storage.database import database_of_environment
from driftline.storage.revisions import Revisions
from driftline.storage.watch import Watch
from driftline.web.app import Application
from driftline.web.connections import Connection, end_slow

_log = logging.getLogger("driftline.web")
REFRESH_SECONDS = 0.25
COUNT_SECONDS = 1.0
AUDIT_SECONDS = 30.0
LOST_SECONDS = 60.0
_EXTRA = "install what it needs: pip install 'driftline[aws]'"


class Untold(msgspec.Struct, frozen=True):
    """What a process that ended could not tell the database."""

    counts: tuple[CaptureCount, ...] = ()
    entries: tuple[AuditEntry, ...] = ()


class Worker:
    """The parts of one web process and what keeps them up to date.

    Two threads do so, since a question to the database may hang: one asks it, over and over, whether anything changed
    (:class:`driftline.storage.watch.Watch`); the other takes changes over and tells what was counted. Neither the event
    loop nor an invocation ever waits for them.

    ``front`` makes an application that stands before all others, out of the invocations (``inner``), the same behind
    the gate (``gated``), and whether access is on: it knows its own visitors,
    and tells the audit log about them (``note``).
    """

    def __init__(
        self,
        service: Service,
        *,
        access: bool = False,
        front: Callable[..., App] | None = None,
        scheduler_elsewhere: bool = False,
    ) -> None:
        self.service = service
        self.application = Application(service, self.captures_lost, scheduler_elsewhere=scheduler_elsewhere)
        self.registry = Registry(self._served, lambda path: load_model(service.have_model(path)))
        self.captures = CaptureLog(service.layout.data / "captures", service.clock, key_file=service.layout.capture_key)
        self.requests = RequestCounts(service.layout.data / REQUESTS)
        invocations = Invocations(
            self.registry,
            self.captures,
            self.application.asgi,
            refresh=self.registry.refresh,
            away=lambda: service.store.away,
            counts=self.requests,
        )
        # Without access there is no gate to pass, and nothing is added to the way of a prediction.
        self.app: App = self.application.guarded(invocations) if access else invocations
        if front is not None:
            note = self.application.auditor.note
            self.app = front(service, inner=invocations, gated=self.app, access=access, note=note)
        self._heard: Revisions | None = None
        self._taken: Revisions | None = None
        self._came = self._inherited = False
        self._wake, self._stop = threading.Event(), threading.Event()
        self.watch = Watch(service.store, self._ask, self._wake.set, every=REFRESH_SECONDS, log=_log)
        self._lost = float("-inf")
        self._counted: list[CaptureCount] = []

    def begin(self) -> None:
        """Start the threads. While the database is away the endpoints of its last time are there when this returns."""
        if self.service.behind:
            self.registry.refresh()
        for work, name in ((self.watch.run, "watch"), (self._follow, "follow")):
            threading.Thread(target=work, args=(self._stop,), name=name, daemon=True).start()

    def end(self) -> None:
        """Stop the threads, and tell what is left to tell; a database that is away or hangs is not waited for."""
        self._stop.set()
        self._wake.set()
        self.watch.look()
        with suppress(SetupError):
            self.store_counts()
            self.application.auditor.flush()
        left = Untold(tuple(self._counted), tuple(self.application.auditor.leave()))
        if left.counts or left.entries:
            untold.keep(self.service.layout, left)

    def _inherit(self) -> None:
        """Take over what an earlier process could not tell, once the database answers."""
        if self._heard is None or self._inherited:
            return
        self._inherited = True
        for left in untold.take(self.service.layout, Untold):
            self._counted += left.counts
            self.application.auditor.keep(left.entries)

    def refresh(self) -> None:
        """Take over what changed since the last look, if anything did."""
        heard, taken = self._heard, self._taken
        self._came = self.service.models_came() or self._came
        if heard is None or (heard == taken and not self._came):
            return
        if taken is None or heard.endpoints != taken.endpoints or self._came:
            self.registry.refresh()
            self._came = False
        self._taken = heard

    def _ask(self, connection: Any) -> None:
        if self.service.behind:
            return
        before, self._heard = self._heard, revisions.current(connection)
        if before is not None and before.access != self._heard.access:
            # At once, and not after a model that is being loaded: somebody may have lost the right to be here.
            self.application.doubt()

    def _served(self) -> list[EndpointConfig]:
        """What is to be served; while the database is away and nothing is known yet, what was served last."""
        try:
            return self.service.served()
        except AwayError:
            if self.registry.endpoints() or not self.service.behind:
                raise
            return self.service.last_served()

    def _follow(self, stop: threading.Event) -> None:
        """Take over changes as soon as they are heard of; every second tell what was counted."""
        last_count = last_audit = time.monotonic()
        while not stop.is_set():
            self._wake.wait(COUNT_SECONDS)
            self._wake.clear()
            self._guarded(self.refresh)
            now = time.monotonic()
            if now - last_count >= COUNT_SECONDS:
                last_count = now
                self._guarded(self.service.catch_up)
                self._guarded(self._inherit)
                self._guarded(self.store_counts)
                self._guarded(self.application.auditor.tell_kept)
            if now - last_audit >= AUDIT_SECONDS:
                last_audit = now
                self._guarded(self.application.auditor.flush)

    def store_counts(self) -> None:
        """Add this process's capture counts to the store; what cannot be stored is kept for the next time."""
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
        """Close what is over until the server stops; stop it when the parent process has gone."""
        last_rotation = time.monotonic()
        while not server.should_exit:
            self.watch.look()
            if time.monotonic() - last_rotation >= COUNT_SECONDS:
                last_rotation = time.monotonic()
                await asyncio.to_thread(self.captures.rotate)
            if late := end_slow(server.server_state.connections):
                _log.warning("%d connections were closed, whose request did not arrive in time", late)
            if os.getppid() != parent:
                server.should_exit = True
            await asyncio.sleep(REFRESH_SECONDS)

    def _guarded(self, work: Callable[[], None]) -> None:
        """The endpoints go on serving what they know, whatever goes wrong here; the watch says that it is away."""
        try:
            work()
        except AwayError:
            pass
        except DriftlineError as error:
            _log.error("the store cannot be used: %s", error)
        except Exception:
            _log.exception("the store cannot be used")


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
    parser.add_argument("--scheduler-elsewhere", action="store_true", help="this node has no scheduler of its own")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="the process whose end ends this one")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    for talkative in ("alembic", "httpx"):  # the latter has a line for every request that is forwarded
        logging.getLogger(talkative).setLevel(logging.WARNING)
    serve_only()
    try:
        clock = system_clock if options.clock is None else SharedClock(options.clock)
        with Service(options.data, clock=clock, database=database_of_environment(), patient=True) as service:
            listening = socket.socket(fileno=options.socket)
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                front = _front(options.front, options.front_options)
                worker = Worker(
                    service,
                    access=options.access == "on",
                    front=front,
                    scheduler_elsewhere=options.scheduler_elsewhere,
                )
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
    await asyncio.to_thread(worker.begin)
    keeper = asyncio.create_task(worker.keep_up(options.parent, server))
    try:
        await server.serve(sockets=[listening])
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        await asyncio.to_thread(worker.end)
        worker.captures.close()
        worker.requests.close()
