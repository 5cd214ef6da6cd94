"""What a process holds in memory, as the kernel counts it. On other systems than Linux nothing is known: 0."""

from __future__ import annotations

import os
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def resident(process: int | None) -> int:
    """Bytes resident in a process; 0 when it has ended."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def forget_peak() -> None:
    """Let the peak of this process begin anew."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak(process: int | str = "self") -> int:
    """The most bytes that were resident in a process, in this one since :func:`forget_peak`; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration, IndexError, ValueError):
        return 0


def size(amount: int) -> str:
    """Bytes for people.

    >>> size(2 << 30), size(1536 << 20), size(300 << 20)
    ('2 GiB', '1.5 GiB', '300 MiB')
    """
    return f"{amount / (1 << 30):g} GiB" if amount >= 1 << 30 else f"{amount / (1 << 20):g} MiB"
