"""A server for tests: ``python server.py CAPTURES MODEL [PERCENT]`` serves MODEL as ``churn``, prints its port."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn

from driftline.resources.endpoints import CaptureSettings
from driftline.serving.capture_log import CaptureLog
from driftline.serving.endpoints import EndpointConfig, Registry
from driftline.serving.invocations import Invocations
from driftline.serving.libraries import serve_only


async def fallback(scope: Any, receive: Any, send: Any) -> None:
    """Answers 404 to everything, and takes part in no lifespan."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"8")]})
    await send({"type": "http.response.body", "body": b"fallback"})


def main(captures: str, model: str, percent: str = "100") -> None:
    serve_only()
    config = EndpointConfig("churn", Path(model), capture=CaptureSettings(percent=float(percent)))
    registry = Registry(lambda: [config])
    registry.refresh()
    app = Invocations(registry, CaptureLog(Path(captures), time.time), fallback)
    gc.collect()
    gc.freeze()
    listener = socket.socket(proto=socket.IPPROTO_TCP)  # named, or answers wait for more to send
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    print(listener.getsockname()[1], flush=True)
    quiet = {"access_log": False, "log_level": "error", "lifespan": "off"}
    settings = uvicorn.Config(app, server_header=False, proxy_headers=False, **quiet)
    with asyncio.Runner(loop_factory=settings.get_loop_factory()) as runner:
        runner.run(uvicorn.Server(settings).serve([listener]))


if __name__ == "__main__":
    main(*sys.argv[1:])
