"""The server that the demo talks to: real processes, whose time is set from here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from driftline.client import Client
from driftline.jobs.supervisor import Supervisor, listen
from driftline.storage.clock import SharedClock


@contextmanager
def server(folder: Path, *web_options: str) -> Iterator[tuple[Client, SharedClock]]:
    """A real server of a folder on a free port: a client and the clock that sets its time. ``web_options`` are those of
    ``python -m driftline.web``, such as ``--access``."""
    clock = SharedClock(folder / "clock")
    listening = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    stop = threading.Event()
    supervisor = Supervisor(
        folder, listening, url=url, clock=folder / "clock", log=folder / "server.log", web_options=web_options
    )
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        with Client(url) as client:
            yield client, clock
    finally:
        stop.set()
        thread.join()
        clock.close()
