"""Capture of predictions that are made elsewhere: by a call, or by a middleware around another application.

Both write what a service of the same data folder reads, from as many processes as there are; the endpoint is made
known with ``driftline endpoint register NAME``.
"""

from __future__ import annotations

from driftline.capture.calls import counts, flush, log
from driftline.capture.middleware import CaptureMiddleware

__all__ = ["CaptureMiddleware", "counts", "flush", "log"]
