"""Labels that come after their window was judged: when enough have come, the window is judged again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np

from driftline.core.errors import DriftlineError, UnreachableError
from driftline.core.window import HOUR, Window
from driftline.engine.files import list_files
from driftline.jobs.analyses import analysis_of
from driftline.jobs.asked import LABELLED, asked
from driftline.jobs.exchange import renew_pieces
from driftline.jobs.fetching import Buckets
from driftline.jobs.places import Places, places_of
from driftline.jobs.planning import again
from driftline.jobs.shared import Shared
from driftline.pipeline import BiasRun, ModelQualityRun
from driftline.pipeline.measuring import pieces_of
from driftline.pipeline.pieces import Hashes, Piece, Pieces, cut, fingerprints
from driftline.resources.executions import FINISHED, Execution
from driftline.resources.schedules import Schedule
from driftline.storage import arrivals, executions, schedules
from driftline.storage.database import Store
from driftline.storage.layout import Layout

logger = logging.getLogger("driftline.jobs")
HORIZON = timedelta(days=30)
"""Windows that ended earlier are not judged again by themselves."""
PACE = ((timedelta(days=1), 10.0), (timedelta(days=8), 300.0), (HORIZON, 3600.0))
"""How often, in seconds of real time, the windows of an age are looked at."""
FETCH_EVERY = 300.0
"""How often, in seconds of real time, labels are fetched from a bucket elsewhere."""

MOST_HASHES = 1 << 24
"""How many ids of labels are remembered; beyond it their files are read again."""


class Arrived(msgspec.Struct, frozen=True):
    """What labels that a window's judgement did not know would change: predictions in all, newly labelled, labelled
    again, and still without a label."""

    predictions: int
    newly: int
    again: int
    without: int

    def enough(self, step: float) -> bool:
        """Whether the share of labelled, or of relabelled, predictions grows by a step, or the last ones came."""
        if not self.predictions:
            return False
        complete = self.newly > 0 and self.without == 0
        return complete or max(self.newly, self.again) >= max(1.0, step * self.predictions)


class LateLabels:
    """Looks for labels that came late. One for each scheduler; several do not disturb one another.

    What other nodes were given is had from ``shared``: only hours to which labels were added since the last look, and
    what is kept of the windows that these may be for.
    """

    def __init__(
        self,
        store: Store,
        layout: Layout,
        monotonic: Callable[[], float] = time.monotonic,
        shared: Shared | None = None,
    ) -> None:
        self._store, self._layout, self._monotonic, self._shared = store, layout, monotonic, shared
        self._hashes: dict[tuple[Path, int], Hashes] = {}
        self._looked: dict[tuple[str, Window], tuple[float, int]] = {}
        self._had: dict[tuple[str, datetime], int] = {}
        self._renewed: dict[tuple[str, Window], str] = {}
        self._fetched: dict[str, float] = {}
        self._buckets = Buckets(layout)
        self._last = -np.inf

    def look(self, now: datetime) -> list[Execution]:
        """Judge again what has to be; the runs that were added. What cannot be looked at is logged and left."""
        if self._monotonic() - self._last < PACE[0][1]:
            return []
        self._last = self._monotonic()
        with self._store.read() as connection:
            every = schedules.listing(connection)
        found = [one for one in every if one.rejudge_step > 0 and one.state == "active" and _labelled(one)]
        added: list[Execution] = []
        for schedule in found:
            try:
                added += self._of(schedule, now)
            except UnreachableError as error:
                # It would be the same with the others, each after a while.
                logger.warning("late labels were not looked for: %s", error)
                break
            except DriftlineError as error:
                logger.warning("late labels of %s were not looked for: %s", schedule.name, error)
        return added

    def _of(self, schedule: Schedule, now: datetime) -> list[Execution]:
        places, every = places_of(self._layout, schedule), self._judged(schedule, now)
        if not every:
            return []
        first = min(one.window_start for one in every) - timedelta(days=1)
        span = Window(first, now + timedelta(microseconds=1))
        came = self._came(places, schedule.endpoint, span)
        newest = None if came is None else max(came.values(), default=0)
        judged = [one for one in every if self._due(one, now, newest)]
        if not judged:
            return []
        self._fetch(schedule.name, places, span)
        self._have(places, schedule.endpoint, came or {})
        added = self._late(schedule, judged, places, span, now) if places.labels.exists() else []
        looked = self._monotonic(), newest or 0
        self._looked |= {(one.schedule, one.window): looked for one in judged}
        return added

    def _late(
        self, schedule: Schedule, judged: list[Execution], places: Places, span: Window, now: datetime
    ) -> list[Execution]:
        """The runs that are added because of the labels that are here."""
        labels = fingerprints(list_files(places.labels, span), places.labels)
        kept = self._kept(schedule, judged[0].window, now)
        unseen = {one.id: self._unseen(kept, one, labels) for one in judged}
        self._read(places.labels, {mark: file for files in unseen.values() for mark, file in files.items()})
        added = []
        for execution in judged:
            if unseen[execution.id]:
                found = [self._arrived(piece, labels, places.labels) for piece in _pieces(kept, execution.window)]
                if _together(found).enough(schedule.rejudge_step):
                    added += again(self._store, self._layout, execution, now, "late_labels")
        return added

    def _came(self, places: Places, endpoint: str, span: Window) -> dict[datetime, int] | None:
        """The hours to which labels were added on any node, with the number of the newest addition to each; None where
        labels are looked for on this machine alone."""
        if self._shared is None or places.labels != self._layout.labels(endpoint):
            return None
        with self._store.read() as connection:
            return arrivals.hours(connection, endpoint, "labels", span.start - HOUR, span.end)

    def _have(self, places: Places, endpoint: str, came: dict[datetime, int]) -> None:
        """Have the labels of other nodes of the hours that changed."""
        for hour, number in came.items() if self._shared is not None else ():
            if number > self._had.get((endpoint, hour), 0) and self._shared is not None:
                places.labels.mkdir(parents=True, exist_ok=True)
                self._shared.have_hours(places.labels, Window(hour, hour + HOUR))
                self._had[endpoint, hour] = number

    def _unseen(self, kept: Pieces | None, execution: Execution, labels: dict[int, str]) -> dict[int, str]:
        """The label files that some hour of a run's window was not judged with. What is kept here may be older than the
        run, which another node may have made: that is had from the store before anything is made of it."""
        key, found = (execution.schedule, execution.window), _unseen(kept, execution.window, labels)
        if self._shared is None or kept is None or self._renewed.get(key) == execution.id:
            return found
        if found or next(_pieces(kept, execution.window), None) is None:
            renew_pieces(self._shared, kept, execution.window)
            self._renewed[key] = execution.id
            return _unseen(kept, execution.window, labels)
        return found

    def _fetch(self, name: str, places: Places, span: Window) -> None:
        """Labels of a bucket elsewhere are asked for less often than folders are looked into."""
        real = self._monotonic()
        if places.fetched_labels is not None and real - self._fetched.get(name, -np.inf) >= FETCH_EVERY:
            self._fetched[name] = real
            self._buckets.fetch_labels(places, span, lambda: None)

    def _judged(self, schedule: Schedule, now: datetime) -> list[Execution]:
        """The newest revision of every window, where it has ended."""
        with self._store.read() as connection:
            rows = executions.listing(connection, schedule=schedule.name, since=now - HORIZON, limit=10_000)
        newest: dict[Window, Execution] = {}
        for row in sorted(rows, key=lambda row: row.revision):
            newest[row.window] = row
        return [row for row in newest.values() if row.status in FINISHED and row.status != "Stopped"]

    def _due(self, execution: Execution, now: datetime, newest: int | None) -> bool:
        """Whether a window is to be looked at: not before its pause is over, nor as long as nothing came."""
        looked, number = self._looked.get((execution.schedule, execution.window), (-np.inf, 0))
        pause = next((seconds for age, seconds in PACE if now - execution.window_end <= age), None)
        if pause is None or self._monotonic() - looked < pause:
            return False
        return newest is None or newest > number

    def _kept(self, schedule: Schedule, window: Window, now: datetime) -> Pieces | None:
        """Where the hours of a schedule are kept, whatever window they are of."""
        with self._store.read() as connection:
            analysis = analysis_of(connection, schedule)
        run = asked(self._layout, schedule, window, now, analysis)
        return pieces_of(run) if isinstance(run, ModelQualityRun | BiasRun) else None

    def _read(self, folder: Path, files: dict[int, str]) -> None:
        """Look up the ids that label files name, of all files at once and of each only when it has grown."""
        from driftline.engine.local import LocalEngine

        if sum(map(len, self._hashes.values())) > MOST_HASHES:
            self._hashes.clear()
        wanted = {mark: file for mark, file in files.items() if (folder, mark) not in self._hashes}
        found: dict[str, Hashes] = {}
        if wanted:
            with LocalEngine(memory_limit="256MB") as engine:
                found = engine.label_ids(list(wanted.values()))
        self._hashes |= {(folder, mark): found[file] for mark, file in wanted.items()}

    def _arrived(self, piece: Piece, labels: dict[int, str], folder: Path) -> Arrived:
        ids, unlabelled = piece.hashes(), piece.unlabelled()
        new = [self._hashes[folder, mark] for mark in piece.unseen(labels)]
        touched = piece.touched(np.concatenate(new)) if new else np.zeros(len(ids), dtype=bool)
        newly = int((touched & unlabelled).sum())
        return Arrived(len(ids), newly, int((touched & ~unlabelled).sum()), int(unlabelled.sum()) - newly)


def _labelled(schedule: Schedule) -> bool:
    """Whether labels are looked at, by us: what a program made of them is not known."""
    return schedule.monitor in LABELLED and schedule.attributes.get("program") is None


def _unseen(kept: Pieces | None, window: Window, labels: dict[int, str]) -> dict[int, str]:
    """The label files that some hour of a window was not judged with."""
    return {mark: file for piece in _pieces(kept, window) for mark, file in piece.unseen(labels).items()}


def _pieces(kept: Pieces | None, window: Window) -> Iterator[Piece]:
    """What is kept of a window's hours, one after the other."""
    for part in cut(window) if kept is not None else ():
        piece = None if kept is None else kept.load(part)
        if piece is not None:
            yield piece


def _together(parts: Iterable[Arrived]) -> Arrived:
    found = list(parts)
    return Arrived(
        sum(part.predictions for part in found),
        sum(part.newly for part in found),
        sum(part.again for part in found),
        sum(part.without for part in found),
    )
