"""One upload at a time of one file, checked before it counts; and when the next may be tried after some that failed."""

from __future__ import annotations

import os
import random
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from driftline.core.errors import DriftlineError, NotFoundError, ServiceError, SetupError
from driftline.jobs.shared.ledger import Entry, Ledger, Origin, Owed
from driftline.jobs.shared.waiting import Waiting
from driftline.storage.objects import Objects, Stored

AT_ONCE = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
LISTED_FOR = 60.0
_HOUR = 3600.0
_BLOCK = 1 << 20
Failure = DriftlineError | OSError


class Upload(NamedTuple):
    """What became of an upload: the bytes that are in the bucket now, those that went there, and what went wrong."""

    waiting: Waiting
    moment: float
    size: int = 0
    bytes: int = 0
    error: Failure | None = None


class Uploader:
    """Uploads files and enters them in the ledger, several at once. Close it after use."""

    def __init__(self, objects: Objects, ledger: Ledger) -> None:
        self._objects, self._ledger = objects, ledger
        self._pool = ThreadPoolExecutor(AT_ONCE, "upload")
        self._guard = Lock()
        self._listed: dict[tuple[str, str, float], dict[str, int]] = {}

    def close(self) -> None:
        """Wait for the uploads under way; those that have not begun are left out."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def forget(self) -> None:
        """Ask buckets anew what is in them."""
        with self._guard:
            self._listed.clear()

    def begin(self, waiting: Waiting, moment: float, *, known: bool) -> Future[Upload]:
        """Upload a file. ``moment`` is the time of the schedules before which all writes are in it by now. Where the
        ledger does not yet know what is in the bucket (``known``), the bucket is asked first."""
        waiting.busy = True
        return self._pool.submit(self._upload, waiting, moment, waiting.open, known)

    def _upload(self, waiting: Waiting, moment: float, is_open: bool, known: bool) -> Upload:
        try:
            if not known and not is_open and self._adopted(waiting):
                return Upload(waiting, moment, waiting.size)
            size = self._beginning(waiting) if is_open else self._whole(waiting)
            return Upload(waiting, moment, size, size if size > waiting.sent else 0)
        except (DriftlineError, OSError) as error:
            return Upload(waiting, moment, error=error)
        except Exception as error:
            what = f"cannot ship {waiting.path}"
            return Upload(waiting, moment, error=ServiceError(what, evidence=f"{type(error).__name__}: {error}"[:300]))

    def _whole(self, waiting: Waiting) -> int:
        return self._entered(waiting, self._objects.put_file(waiting.target.uri(waiting.path), waiting.file))

    def _beginning(self, waiting: Waiting) -> int:
        """An open file up to its last line end, if there is more of it than before."""
        size = whole_lines(waiting.file, waiting.sent)
        if size <= waiting.sent:
            return waiting.sent
        return self._entered(waiting, self._objects.put_file(waiting.target.uri(waiting.path), waiting.file, size))

    def _adopted(self, waiting: Waiting) -> bool:
        """Enter a file that is in the bucket already. One that is longer there came from there before it was complete,
        and the ledger that knew was lost: sent again it would take away what others wrote."""
        uri = waiting.target.uri(waiting.path)
        folder, _, name = uri.key.rpartition("/")
        with self._guard:
            key = (uri.bucket, folder, time.monotonic() // LISTED_FOR)
            if key not in self._listed:
                found = self._objects.level(uri.at(folder))
                self._listed[key] = {one.uri.key.rpartition("/")[2]: one.size for one in found.objects}
            there = self._listed[key].get(name, -1)
        if there < waiting.size:
            return False
        self._entered(waiting, Stored(waiting.size), "adopted")
        return True

    def _entered(self, waiting: Waiting, done: Stored, origin: Origin = "sent") -> int:
        """The bytes that are there, when the ledger knows."""
        entry = Entry(waiting.path, done.size, done.etag or "", origin, time.time())
        owed = [_owed(waiting)] if waiting.target.store else []
        self._ledger.enter(waiting.target.name, [entry], owed)
        return done.size


class Pauses:
    """When uploads to a target may be tried: without limit while they work; after a failure one at a time, with growing
    pauses of random length in between, so that nodes do not come back all at once. Times are of the caller's clock."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._failed, self._until = 0, 0.0

    def room(self, now: float, busy: int) -> int:
        """How many more uploads may begin while so many are under way."""
        if self._failed == 0:
            return 2 * AT_ONCE - busy
        return 1 if busy == 0 and now >= self._until else 0

    def failed(self, now: float) -> float:
        """An upload failed; until when the next must wait. Uploads that were under way together count once."""
        if now >= self._until:
            self._failed += 1
            self._until = now + pause(self._failed, self._chance)
        return self._until

    def worked(self) -> None:
        """An upload worked."""
        self._failed, self._until = 0, 0.0


def pause(failures: int, chance: random.Random) -> float:
    """Seconds to wait after so many failures one after the other.

    >>> [round(pause(number, random.Random(3)), 1) for number in (1, 2, 9)]
    [0.4, 0.7, 44.3]
    """
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (failures - 1))
    return longest * (0.5 + chance.random())


def whole_lines(file: Path, least: int) -> int:
    """The bytes of a file up to its last line end; not less than ``least``, where one is known to be."""
    with file.open("rb") as content:
        end = content.seek(0, os.SEEK_END)
        while end > least:
            start = max(least, end - _BLOCK)
            content.seek(start)
            found = content.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return least


def gone(upload: Upload) -> bool:
    """Whether an upload failed because its file was taken away meanwhile."""
    absent = isinstance(upload.error, FileNotFoundError | NotFoundError | SetupError)
    return absent and not upload.waiting.file.exists()


def _owed(waiting: Waiting) -> Owed:
    place = waiting.place
    hour = place.hour if place.hour is not None else waiting.file.stat().st_mtime // _HOUR * _HOUR
    return Owed(place.endpoint, place.kind, hour)
