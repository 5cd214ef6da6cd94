"""What runs have from the store of many nodes, and what they leave there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from driftline.core.errors import NotFoundError
from driftline.core.window import Window, partition
from driftline.engine.files import list_files
from driftline.jobs.asked import LABELLED
from driftline.jobs.fetching import Ask
from driftline.jobs.places import Places
from driftline.jobs.shared import Shared, open_shared
from driftline.pipeline import AttributionRun, DataQualityRun, Run
from driftline.pipeline.kept import kept_of
from driftline.pipeline.pieces import Pieces, fingerprint
from driftline.resources.schedules import Schedule
from driftline.storage.layout import Layout

_FEW = timedelta(hours=3)
_OTHER_RUN = re.compile(r"\d|revision-")
"""How the folders of other runs begin that lie in an hour's report folder."""
Seen = dict[str, tuple[int, int]]


class Exchange:
    """The files of one run at a time, between this machine and the store.

    Failures are those of :class:`driftline.storage.objects.Objects`.
    """

    def __init__(self, layout: Layout, shared: Shared) -> None:
        self._layout, self._shared = layout, shared
        self._kept: Pieces | None = None
        self._window: Window | None = None
        self._before: Seen = {}

    def fetch(self, schedule: Schedule, places: Places, run: Run, labels: Window, ask: Ask) -> str | None:
        """Have what a run reads: captures of its window, labels of ``labels``, what is kept of its hours, its model and
        its scripts. The fingerprint of the captures, where they are the endpoint's own."""
        mark = self._captures(schedule, places, run, ask)
        own = self._layout.labels(schedule.endpoint)
        if schedule.monitor in LABELLED and places.labels == own:
            own.mkdir(parents=True, exist_ok=True)
            self._shared.have_hours(own, labels, ask)
        if isinstance(run, AttributionRun) and run.model is not None:
            self._shared.have(Path(run.model))
        if isinstance(run, DataQualityRun) and (run.preprocessor or run.postprocessor or run.analyzers):
            self._shared.have_folder(self._layout.data / "scripts")
        self._pieces(run, ask)
        return mark

    def send(self, report: Path) -> None:
        """Put the report of the run into the store, and what was kept of its hours anew."""
        now = self._seen()
        fresh = [Path(path) for path, state in now.items() if self._before.get(path) != state]
        # What is kept goes first: whoever sees the report of a window may look for it.
        self._shared.send(*fresh)
        self._shared.send(*own_files(report))
        self._before = now

    def _captures(self, schedule: Schedule, places: Places, run: Run, ask: Ask) -> str | None:
        own = self._layout.captures(schedule.endpoint)
        if run.transform is not None or places.captures != own or run.window is None:
            return None
        # A node that captured nothing has no folder, which is no failure.
        own.mkdir(parents=True, exist_ok=True)
        self._shared.have_hours(own, run.window, ask)
        return fingerprint(list_files(own, run.window), own)

    def _pieces(self, run: Run, ask: Ask) -> None:
        kept = kept_of(run)
        ours = kept is not None and kept.folder.is_relative_to(self._layout.data / "pieces")
        self._kept, self._window = (kept, run.window) if ours else (None, None)
        if self._kept is not None and self._window is not None:
            have_pieces(self._shared, self._kept, self._window, ask)
        self._before = self._seen()

    def _seen(self) -> Seen:
        """The kept pieces of the window as they are now."""
        if self._kept is None or not self._kept.folder.exists():
            return {}
        found: Seen = {}
        for path in list_files(self._kept.folder, self._window, ".piece"):
            with suppress(FileNotFoundError):
                status = Path(path).stat()
                found[path] = status.st_mtime_ns, status.st_size
        return found


def have_pieces(shared: Shared, kept: Pieces, window: Window, ask: Ask = lambda: None) -> None:
    """Have what is kept of a window's hours. Of a long window whole days are asked for, each at once."""
    depth = 4 if window.end - window.start <= _FEW else 3
    hours = (partition(hour).split("/") for hour in window.hours())
    for folder in sorted({"/".join(hour[:depth]) for hour in hours}):
        ask()
        shared.have_folder(kept.folder / folder)


def renew_pieces(shared: Shared, kept: Pieces, window: Window) -> None:
    """Have what another node kept of a window's hours in the place of what was kept here."""
    if kept.folder.exists():
        for path in map(Path, list_files(kept.folder, window, ".piece")):
            if shared.stored(path):
                path.unlink(missing_ok=True)
    with suppress(NotFoundError):
        have_pieces(shared, kept, window)


def have_all(layout: Layout, folders: Iterable[Path], window: Window | None) -> None:
    """Have captures or labels of all nodes, of the hours of a window or all there are; nothing on one machine."""
    shared = open_shared(layout)
    for folder in folders if shared is not None else ():
        if shared is not None and window is None:
            shared.have_folder(folder)
        elif shared is not None and window is not None:
            shared.have_hours(folder, window)


def own_files(report: Path) -> list[Path]:
    """The files of a run's report folder, without those of other runs whose folders lie in it."""
    return sorted(_own(report)) if report.is_dir() else []


def discard(report: Path) -> None:
    """Take away what an attempt left in a run's report folder that came to nothing: another node may make it anew."""
    for path in own_files(report):
        path.unlink(missing_ok=True)
    for folder in report.iterdir() if report.is_dir() else ():
        if folder.is_dir() and not folder.is_symlink() and not _OTHER_RUN.match(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def _own(report: Path) -> Iterator[Path]:
    for path in report.iterdir():
        inside = path.rglob("*") if path.is_dir() and not _OTHER_RUN.match(path.name) else (path,)
        yield from (file for file in inside if _plain(file))


def _plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink() and not file.name.startswith(".")
