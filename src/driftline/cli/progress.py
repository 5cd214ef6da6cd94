"""How far long work is: a bar on a terminal, one line every ten seconds elsewhere, and nothing in the first two."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

QUIET, EVERY, REDRAW = 2.0, 10.0, 0.2
_WIDTH = 24


class ProgressBar:
    """Told of progress by the pipeline. A context manager, so that a bar is wiped when the work ends."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._began = time.monotonic()
        self._step, self._step_began = "", self._began
        self._last = 0.0
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def __call__(self, step: str, done: float, total: float, unit: str) -> None:
        """One more report of a step."""
        now = time.monotonic()
        if step != self._step:
            self._step, self._step_began = step, now
        if now - self._began < QUIET or now - self._last < (REDRAW if self._terminal else EVERY):
            return
        self._last = now
        text = line(step, done, total, unit, now - self._step_began)
        sys.stderr.write(f"\r\x1b[2K{text}" if self._terminal else f"{text}\n")
        sys.stderr.flush()
        self._drawn = self._terminal


def line(step: str, done: float, total: float, unit: str, seconds: float) -> str:
    """A step's progress as text.

    >>> line("merge", 500_000, 1_000_000, "rows", 2.0)
    'merge            [############............]  50 %  250,000 rows/s  2 s left'
    >>> line("measure", 500_000, 0, "rows", 2.0)
    'measure          500,000 rows  250,000 rows/s'
    """
    rate = done / seconds if seconds > 0 else 0.0
    if not total:
        return f"{step:<16} {done:,.0f} {unit}" + (f"  {rate:,.0f} {unit}/s" if rate else "")
    share = min(1.0, done / total)
    bar = ("#" * round(share * _WIDTH)).ljust(_WIDTH, ".")
    parts = [f"{step:<16} [{bar}] {share:4.0%}".replace("%", " %")]
    if unit == "rows" and rate:
        parts.append(f"{rate:,.0f} rows/s")
    if rate and share < 1:
        parts.append(f"{(total - done) / rate:.0f} s left")
    return "  ".join(parts)
