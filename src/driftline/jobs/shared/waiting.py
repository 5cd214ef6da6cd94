"""A file that waits for its upload, or that may still grow."""

from __future__ import annotations

from pathlib import Path

from driftline.jobs.shared.targets import Place, Target
from driftline.serving.segment import is_open

LEFT_EMPTY = 3600.0
"""Seconds after which an empty file is one that a dead process left behind."""


class Waiting:
    """A file on its way to a target.

    ``sent`` bytes of it are there, ``size`` are here. All that it holds of the time before ``covered`` (schedules'
    clock, epoch seconds) is there; None for a file that says nothing of its time. ``since`` (real time) it holds more
    than was sent; after a failure it waits until ``again`` (monotonic time).
    """

    __slots__ = (
        "again",
        "busy",
        "covered",
        "failed",
        "file",
        "open",
        "path",
        "place",
        "sent",
        "since",
        "size",
        "target",
    )

    def __init__(self, target: Target, data: Path, path: str, place: Place, sent: int) -> None:
        self.target, self.path, self.place = target, path, place
        self.file = data / path
        self.sent, self.covered = sent, place.since
        self.size = sent
        self.open = True
        self.since: float | None = None
        self.busy = False
        self.failed, self.again = 0, 0.0

    def look(self, moment: float, now: float) -> bool:
        """See how large it is; whether it is still to be watched. ``moment`` is a time of the schedules, all writes
        before which are in the file; ``now`` is real. Raises OSError for a file that is gone or cannot be read."""
        if not self.busy:
            # First the lock: a file that nobody may write any longer has its last size.
            self.open = is_open(self.file)
        status = self.file.stat()
        self.size = status.st_size
        if self.busy or self.size > self.sent:
            if self.since is None:
                self.since = min(now, status.st_mtime)
            return True
        self.since = None
        if self.covered is not None:
            self.covered = max(self.covered, moment)
        return self.open and (self.size > 0 or now - status.st_mtime < LEFT_EMPTY)

    def took(self, size: int, moment: float, now: float) -> None:
        """So many bytes of it are at the target, with all that was written before ``moment``."""
        # An open file that had not a whole line more is looked at again when it is older.
        self.since = None if size > self.sent else now
        self.sent, self.failed, self.again = max(self.sent, size), 0, 0.0
        if self.covered is not None:
            self.covered = max(self.covered, moment)

    def due(self, age: float, now: float, monotonic: float) -> bool:
        """Whether it has to be uploaded now: what is complete at once, what is open after an age in seconds."""
        if self.busy or self.size <= self.sent or monotonic < self.again:
            return False
        return not self.open or (self.since is not None and now - self.since >= age)

    @property
    def left(self) -> int:
        """The bytes of it that are here only."""
        return max(0, self.size - self.sent)
