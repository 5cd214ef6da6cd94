"""Capture of predictions that are made elsewhere: by a call, or by a middleware around another application.

Both write what a service of the same data folder reads, from as many processes as there are; the endpoint is made
known with ``driftline endpoint register NAME``.
"""

from __future__ import annotations

from driftline.capture.calls import counts, flush, log
from driftline.capture.middleware import CaptureMiddleware
from driftline.resources.endpoints import CaptureSettings, SensitiveColumn, sensitive_column

__all__ = [
    "CaptureMiddleware",
    "CaptureSettings",
    "SensitiveColumn",
    "counts",
    "flush",
    "log",
    "sensitive_column",
]
