"""Ships what is captured on this node, and the labels that came to it, to where others can have them.

It looks for files again and again; whatever it knows beyond the ledger is found out again after a crash.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from datetime import datetime
from queue import SimpleQueue

import msgspec

from driftline.core.errors import DriftlineError
from driftline.jobs.shared.backlog import Backlog
from driftline.jobs.shared.ledger import Ledger
from driftline.jobs.shared.limits import Limits
from driftline.jobs.shared.room import Room
from driftline.jobs.shared.targets import Target
from driftline.jobs.shared.uploads import Failure, Pauses, Upload, Uploader, gone
from driftline.jobs.shared.waiting import Waiting
from driftline.storage import spool
from driftline.storage.clock import Clock
from driftline.storage.layout import Layout
from driftline.storage.objects import Objects

logger = logging.getLogger("driftline.shipping")
POLL = 0.25
"""Least seconds between two looks; more where a look takes long, because endpoints are many."""
LONGEST_REST = 2.0
_SAY_EVERY = 1.0
_UNREADABLE_PAUSE = 10.0


class Progress(msgspec.Struct, frozen=True):
    """Up to when (schedules' time) all that was captured here is in the store, None before that is known; and what
    waits, once it was ``looked``."""

    captured_until: datetime | None = None
    files: int = 0
    bytes: int = 0
    trouble: str = ""
    looked: bool = True


class Shipper:
    """The shipper of a data folder. ``store`` is where everything goes, and :meth:`send_to` says where captures of
    single endpoints go as well; any of them may be absent. ``clock`` is the schedules'. Close it after use."""

    def __init__(
        self,
        layout: Layout,
        objects: Objects,
        ledger: Ledger,
        clock: Clock,
        *,
        store: Target | None = None,
        limits: Limits | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._layout, self._store, self._limits = layout, store, limits or Limits()
        self._chance = chance or random.Random()  # noqa: S311 -- pauses need not be secret
        self.backlog = Backlog(layout, ledger, clock)
        self._uploader = Uploader(objects, ledger)
        self._room = Room(layout.data, objects, ledger, store, self._limits, self.backlog.finder.forget)
        self._destinations: dict[str, Target] = {}
        self._due: deque[Waiting] = deque()
        self._pauses: dict[str, Pauses] = {}
        self._busy: dict[str, int] = {}
        self._done: SimpleQueue[Upload] = SimpleQueue()
        self._troubles: dict[str, str] = {}
        self._wake = threading.Event()
        self._said_at = 0.0
        self.said = spool.figures(layout) or spool.Shipping(0.0)
        self.progress = Progress(looked=False)

    def run(self, stop: threading.Event, grace: float) -> None:
        """Ship until told to stop; then what is there, for so many seconds at most."""
        while not stop.is_set():
            self._rest(self._looked(), stop)
        deadline, never = time.monotonic() + grace, threading.Event()
        self._looked(age=0.0)
        while self.backlog.left()[0] and time.monotonic() < deadline:
            self._rest(0.0, never)
            self._looked(age=0.0)

    def _looked(self, age: float | None = None) -> float:
        """One look; what is wrong with this machine is told, and it is tried again."""
        try:
            took = self.look(age)
        except DriftlineError as error:
            self._trouble("ledger", f"{error.what}; {error.evidence}; {error.hint}")
            return 0.1
        self._trouble("ledger", "")
        return took

    def look(self, age: float | None = None) -> float:
        """Find what is new, and begin to upload what is due; how long that took in seconds."""
        began, now = time.monotonic(), time.time()
        self._collect()
        targets = self._targets()
        lost = self.backlog.lost
        self.backlog.look(targets, now)
        if self.backlog.lost != lost:
            self._uploader.forget()
        self._trouble("files", self.backlog.unreadable)
        late = self._limits.age if age is None else age
        due = (one for one in self.backlog.waiting() if one.due(late, now, began))
        self._due = deque(sorted(due, key=_urgency))
        self._begin()
        self._keep_room([one for one in targets if not one.store])
        self._say(now)
        return time.monotonic() - began

    def close(self) -> None:
        """Wait for uploads under way, and see what is left."""
        self._uploader.close()
        self._room.close()
        self._collect()
        self.backlog.look(self._targets(), time.time())
        self._say(time.time())

    def send_to(self, destinations: Iterable[Target], nowhere: Iterable[str] = ()) -> None:
        """Where endpoints have their captures sent from now on. ``nowhere`` are folders that are sent no longer; an
        endpoint that is in neither was deleted, and has its last captures sent."""
        wanted = self._destinations | {one.folder: one for one in destinations}
        for folder in nowhere:
            wanted.pop(folder, None)
        self._destinations = wanted

    def _targets(self) -> list[Target]:
        return [*([self._store] if self._store else []), *self._destinations.values()]

    def _begin(self) -> None:
        """Begin uploads as far as there is room for them."""
        now, left = time.monotonic(), deque[Waiting]()
        while self._due:
            one = self._due.popleft()
            name = one.target.name
            busy = self._busy.get(name, 0)
            if self._pauses.setdefault(name, Pauses(self._chance)).room(now, busy) <= 0:
                left.append(one)
                continue
            self._busy[name] = busy + 1
            self._count(retries=int(one.failed > 0))
            upload = self._uploader.begin(one, self.backlog.moment, known=self.backlog.known(one.target))
            upload.add_done_callback(self._ended)
        self._due = left

    def _ended(self, upload: Future[Upload]) -> None:
        """In the thread of an upload."""
        if not upload.cancelled():
            self._done.put(upload.result())
            self._wake.set()

    def _collect(self) -> None:
        """Take note of uploads that ended."""
        while not self._done.empty():
            upload = self._done.get()
            one = upload.waiting
            one.busy = False
            self._busy[one.target.name] -= 1
            if upload.error is None:
                one.took(upload.size, upload.moment, time.time())
                self.backlog.resolve(one)
                self._pauses[one.target.name].worked()
                self._trouble(one.target.name, "")
                self._count(uploads=int(upload.bytes > 0), shipped_bytes=upload.bytes)
            elif gone(upload):
                self.backlog.drop(one)
            else:
                self._failed(one, upload.error)

    def _failed(self, one: Waiting, error: Failure) -> None:
        one.failed += 1
        self._count(failures=1)
        if isinstance(error, OSError):
            one.again = time.monotonic() + _UNREADABLE_PAUSE
            self._trouble("files", f"{one.path} cannot be read: {error.strerror or error}")
        else:
            one.again = self._pauses[one.target.name].failed(time.monotonic())
            words = "; ".join(part for part in (error.what, error.evidence, error.hint) if part)
            self._trouble(one.target.name, words)

    def _trouble(self, of: str, words: str) -> None:
        """Keep what is wrong with a target, and say it when it begins and when it is over."""
        before = self._troubles.pop(of, "")
        if words:
            self._troubles[of] = words
            if not before:
                logger.error("files wait on this disk: %s", words)
        elif before:
            logger.info("shipping to %s goes on", of)

    def _keep_room(self, others: list[Target]) -> None:
        self._room.look(others, paused=bool(self._troubles))
        full = self._room.full(self.backlog.left()[1], before=self.said.full)
        if full != self.said.full:
            self._said_at = 0.0
        self.said = msgspec.structs.replace(self.said, cached=self._room.cached, full=full)

    def _say(self, now: float) -> None:
        """Tell the processes beside this one, and keep what the database is told."""
        files, size = self.backlog.left()
        trouble = " — ".join(self._troubles.values())
        if self.said.full:
            trouble = f"the spool is full, captures are dropped: {trouble or 'they come faster than they are shipped'}"
        oldest = min((one.since for one in self.backlog.waiting() if one.since is not None), default=None)
        self.said = msgspec.structs.replace(
            self.said, seen=now, files=files, bytes=size, oldest=oldest, trouble=trouble
        )
        if abs(now - self._said_at) >= _SAY_EVERY:
            spool.tell(self._layout, self.said)
            self._said_at = now
        self.progress = Progress(self.backlog.captured_until(), files, size, trouble)

    def _count(self, **more: int) -> None:
        changes = {name: getattr(self.said, name) + number for name, number in more.items()}
        self.said = msgspec.structs.replace(self.said, **changes)

    def _rest(self, took: float, stop: threading.Event) -> None:
        """Wait for the next look; uploads that end meanwhile are followed by others."""
        until = time.monotonic() + max(POLL, min(LONGEST_REST, 5 * took))
        while (left := until - time.monotonic()) > 0 and not stop.is_set():
            if self._wake.wait(min(left, POLL)):
                self._wake.clear()
                self._collect()
                self._begin()


def _urgency(one: Waiting) -> tuple[bool, float]:
    """What failed waits for what did not; the oldest first."""
    return one.failed > 0, one.covered if one.covered is not None else 0.0
