"""What a process says: its beginning is kept, the rest is passed over."""

from __future__ import annotations

import os
import threading
from typing import IO

_JOIN = 2.0


class Beginning:
    """Reads a stream to its end in a thread, and keeps the first ``most`` bytes, so that a talkative process neither
    waits nor fills the memory."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._most = stream, most
        self._kept = bytearray()
        self._all = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def text(self) -> str:
        """What was kept."""
        return self._kept.decode("utf-8", "replace")

    def log(self) -> str:
        """What was kept, with a last line that says so when there was more."""
        left = self._all - len(self._kept)
        return f"{self.text()}\n[cut here: {left} more bytes were written]\n" if left else self.text()

    def close(self) -> None:
        """Wait for the end of the stream, which comes when every process that could write to it has ended."""
        self._reader.join(_JOIN)
        # A stream that somebody still holds open is left to its thread: closing it now could block.
        if not self._reader.is_alive():
            self._stream.close()

    def _read(self) -> None:
        while chunk := os.read(self._stream.fileno(), 65_536):
            self._kept += chunk[: max(0, self._most - len(self._kept))]
            self._all += len(chunk)
