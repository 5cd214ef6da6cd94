"""The clock: the machine's, or one that several processes share and a demo or test sets."""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Callable
from pathlib import Path

from driftline.core.errors import SetupError

Clock = Callable[[], float]
"""Now, in seconds since 1970-01-01 UTC."""

system_clock: Clock = time.time
_CELL = struct.Struct("<d")


class SharedClock:
    """The time that is written in a file: one little-endian double of epoch seconds, where 0 means real time.

    The file is mapped into memory, so reading it costs no system call and every process sees ``set`` at once.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            with self.path.open("a+b") as file:
                # Appending only what is missing never wipes a time that another process has set meanwhile.
                if file.seek(0, 2) < _CELL.size:
                    file.truncate(_CELL.size)
                self._memory = mmap.mmap(file.fileno(), _CELL.size)
        except OSError as error:
            raise SetupError(
                f"cannot use {self.path} as a clock", evidence=str(error), hint="name a file that may be written"
            ) from None

    def __call__(self) -> float:
        """Now, in epoch seconds."""
        return float(_CELL.unpack_from(self._memory)[0]) or time.time()

    def set(self, moment: float) -> None:
        """Make it this moment (epoch seconds) for every process; 0 returns to real time."""
        _CELL.pack_into(self._memory, 0, moment)

    def close(self) -> None:
        """Unmap the file; the clock cannot be read afterwards."""
        self._memory.close()
