"""The scheduler's sign of life: a file that it touches, and that whoever asks looks at."""

from __future__ import annotations

import time
from contextlib import suppress

from driftline.storage.layout import Layout

_NAME = "scheduler.alive"
EVERY = 5.0
"""At least this often, in seconds, a scheduler that works touches it."""


def beat(layout: Layout) -> None:
    """Say that the scheduler is alive. A full disk is told elsewhere."""
    with suppress(OSError):
        (layout.logs / _NAME).touch()


def silence(layout: Layout) -> float | None:
    """Seconds since the last sign of life; None when there never was one."""
    try:
        return max(0.0, time.time() - (layout.logs / _NAME).stat().st_mtime)
    except OSError:
        return None
