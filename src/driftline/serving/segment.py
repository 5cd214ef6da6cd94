"""One append-only file of whole lines, owned by one process."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from datetime import datetime
from pathlib import Path
from uuid import UUID

from driftline.core.window import partition


class Segment:
    """A file that holds whole lines only, whatever a write does.

    It is locked for as long as it may be written, so that others can see whether it is complete: :func:`is_open`.
    ``size`` is in bytes, ``opened`` in seconds since the epoch. ``usable`` turns False when the file must not be
    written again; its owner then closes it and opens another.
    """

    def __init__(self, folder: Path, moment: datetime, unique: UUID) -> None:
        """Creates the file in its hour's folder under ``folder``. Raises OSError when that is not possible."""
        hour = folder / partition(moment)
        hour.mkdir(parents=True, exist_ok=True)
        self.path = hour / f"{moment:%M-%S}-{moment.microsecond // 1000:03d}-{unique}.jsonl"
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        # Nobody else locks a file while it is empty, so this never waits. Where a file system has no locks, capture
        # goes on without.
        with contextlib.suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.opened = moment.timestamp()
        self.size = 0
        self.usable = True

    def append(self, lines: bytes) -> int:
        """Writes whole lines with one call and returns how many bytes of them are kept, always up to a newline.

        After a short write the rest is tried once more, which completes it or tells why it cannot be. What a full
        disk or a limit cut off is taken back, so that no reader meets half a line. Never raises.
        """
        written, reason = self._written(lines)
        if written == len(lines):
            self.size += written
            return written
        kept = lines.rfind(b"\n", 0, written) + 1
        self._take_back(self.size + kept, repair=written > kept)
        # Only a lack of space is worth waiting for in the same file; any other failure may be the file's own.
        if reason not in (errno.ENOSPC, errno.EDQUOT):
            self.usable = False
        return kept

    def _written(self, lines: bytes) -> tuple[int, int]:
        """How many bytes went into the file, and the error number if they are not all."""
        written = 0
        while written < len(lines):
            try:
                count = os.write(self._file, lines[written:] if written else lines)
            except OSError as error:
                return written, error.errno or errno.EIO
            if count == 0:
                return written, errno.EIO
            written += count
        return written, 0

    def _take_back(self, size: int, *, repair: bool) -> None:
        self.size = size
        if repair:
            try:
                os.ftruncate(self._file, size)
            except OSError:
                # Half a line stands at the end: readers stop before it, and nothing may follow it.
                self.usable = False

    @property
    def linked(self) -> bool:
        """Whether the file can still be found: what is written to a deleted one is lost without an error."""
        try:
            return os.fstat(self._file).st_nlink > 0
        except OSError:
            return False

    def close(self) -> None:
        """Closes the file, and takes it away when nothing was kept in it. Never raises."""
        # A child that was forked meanwhile may hold the descriptor too, and with it the lock.
        with contextlib.suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_UN)
        with contextlib.suppress(OSError):
            os.close(self._file)
        if self.size == 0:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def forget(self) -> None:
        """Closes this process's handle on a file that belongs to its parent, which goes on holding the lock."""
        with contextlib.suppress(OSError):
            os.close(self._file)


def is_open(path: Path) -> bool:
    """Whether a process still may write to a capture file. When it dies the kernel lets go of the lock.

    An empty file counts as open: its writer may be about to lock it. Raises OSError for a file that cannot be opened.
    """
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if os.fstat(file).st_size == 0:
            return True
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
