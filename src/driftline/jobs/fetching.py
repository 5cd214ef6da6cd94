"""Objects of buckets elsewhere as files: the hours that a run reads are copied into the data folder first."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from driftline.core.errors import InputError
from driftline.core.uris import ObjectUri
from driftline.core.window import Window
from driftline.engine.compacted.form import is_compacted
from driftline.engine.compacted.standing import held_by
from driftline.engine.files import Level, deeper, inside, list_files, span_of
from driftline.jobs.places import Places
from driftline.storage.buckets import open_objects
from driftline.storage.layout import Layout
from driftline.storage.objects import ObjectInfo, Objects
from driftline.storage.retention import sweep_hours

MOST_OBJECTS = 200_000
MOST_BYTES = 64 << 30
"""How much one run may have fetched."""
KEPT = timedelta(days=32)
"""Fetched hours this much older than a window are removed again: no run of today reads them."""
_AT_ONCE = 8
Ask = Callable[[], None]


class Buckets:
    """The objects of a data folder, opened when the first is asked for. For one scheduler."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lock = threading.Lock()
        self._objects: Objects | None = None

    @property
    def objects(self) -> Objects:
        """What reads and writes objects; raises what :func:`open_objects` raises."""
        with self._lock:
            if self._objects is None:
                self._objects = open_objects(self._layout)
            return self._objects

    def fetch(self, places: Places, window: Window, until: Window, ask: Ask) -> None:
        """Have the captures of a window, and the labels of ``until``, where they are read; ``ask`` is called in
        between and may raise."""
        self._filled(places.fetched_captures, places.captures, window, 1, ask)
        self.fetch_labels(places, until, ask)

    def fetch_labels(self, places: Places, window: Window, ask: Ask) -> None:
        """Have the labels of a window where they are read."""
        self._filled(places.fetched_labels, places.labels, window, 0, ask)

    def _filled(self, uri: ObjectUri | None, folder: Path, window: Window, above: int, ask: Ask) -> None:
        if uri is not None:
            fetch_hours(self.objects, uri, window, folder, ask)
            sweep_hours(folder, window.start - KEPT, above=above)


def asking(lost: threading.Event, seconds: float) -> Ask:
    """What ends a copy that nobody waits for any longer, or that takes too long."""
    deadline = time.monotonic() + seconds

    def ask() -> None:
        if lost.is_set():
            raise InputError("stopped on request while objects were fetched")
        if time.monotonic() > deadline:
            raise InputError(
                f"stopped after {seconds:g} s while objects were fetched",
                hint="give the schedule a higher time limit, or a shorter window",
            )

    return ask


class Copies:
    """What is done with copies of objects. These here are as their objects are, and go with them."""

    def reading(self, files: Iterable[Path]) -> None:
        """Told of the files that are about to be read, before it is looked which are there."""

    def wanted(self, file: Path, one: ObjectInfo) -> bool:
        """Whether an object has to be copied to a file."""
        return not _is_there(file, one)

    def name(self, unfinished: Path, file: Path, one: ObjectInfo) -> None:
        """Give a copy that is complete its name."""
        unfinished.replace(file)

    def remove(self, file: Path, listed: float) -> None:
        """Take a file away whose object was not there at a (real) time."""
        file.unlink(missing_ok=True)


_COPIES = Copies()


def fetch_hours(
    objects: Objects, prefix: ObjectUri, window: Window, folder: Path, ask: Ask, copies: Copies = _COPIES
) -> int:
    """Copy the objects of the hours that a window touches, as :func:`driftline.engine.files.list_files` finds them;
    what is there with the same size and time is not copied again, and what is gone is removed. How many were copied.

    Raises :class:`InputError` for more than a run may fetch.
    """
    listed = time.time()
    found = {_target(prefix, one, folder): one for one in _bounded(_listed(objects, prefix, window, ask), prefix)}
    here = [Path(path) for path in list_files(folder, window)] if folder.exists() else []
    copies.reading([*found, *here])

    def copy(pair: tuple[Path, ObjectInfo]) -> None:
        ask()
        fetch(objects, pair[0], pair[1], copies)

    def copy_all(some: dict[Path, ObjectInfo]) -> int:
        wanted = [(file, one) for file, one in some.items() if copies.wanted(file, one)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(copy, wanted):
                pass
        return len(wanted)

    # Compacted hours first: what they hold is not fetched.
    copied = copy_all({file: one for file, one in found.items() if is_compacted(file.name)})
    copied += copy_all(_not_held(found))
    for path in here:
        if path not in found:
            copies.remove(path, listed)
    return copied


def fetch(objects: Objects, file: Path, one: ObjectInfo, copies: Copies) -> None:
    """Copy an object; the file has its name when it has its content and its time."""
    unfinished = file.with_name(f".{uuid4().hex}.tmp")
    try:
        objects.fetch(one.uri, unfinished)
        os.utime(unfinished, (one.modified.timestamp(), one.modified.timestamp()))
        copies.name(unfinished, file, one)
    finally:
        unfinished.unlink(missing_ok=True)


def _listed(objects: Objects, prefix: ObjectUri, window: Window, ask: Ask) -> Iterator[ObjectInfo]:
    span = span_of(window)

    def below(folder: ObjectUri, level: Level) -> Iterator[ObjectInfo]:
        ask()
        here = objects.level(folder)
        yield from (one for one in here.objects if _is_read(one.uri.key.rpartition("/")[2]))
        for name in here.folders:
            found = deeper(level, name)
            if inside(found, span):
                yield from below(folder / name, found)

    return below(prefix, ())


def _is_read(name: str) -> bool:
    return name.endswith(".jsonl") or is_compacted(name)


def _not_held(found: dict[Path, ObjectInfo]) -> dict[Path, ObjectInfo]:
    """The objects of which no compacted file among them holds every byte."""
    held = held_by(str(file) for file in found if is_compacted(file.name))
    known = {(Path(path).parent / name, size) for path, pairs in held.items() for name, size in pairs}
    return {file: one for file, one in found.items() if (file, one.size) not in known}


def _bounded(found: Iterator[ObjectInfo], prefix: ObjectUri) -> Iterator[ObjectInfo]:
    count = size = 0
    for one in found:
        count, size = count + 1, size + one.size
        if count > MOST_OBJECTS or size > MOST_BYTES:
            evidence = f"more than {MOST_OBJECTS} objects, or than {MOST_BYTES >> 30} GiB"
            hint = "let the schedule read shorter windows, or more specific folders"
            raise InputError(f"there is too much below {prefix} for one run", evidence=evidence, hint=hint)
        yield one


def _target(prefix: ObjectUri, one: ObjectInfo, folder: Path) -> Path:
    """The file of an object; a key that would lie outside the folder is refused."""
    parts = one.uri.key.removeprefix(prefix.key).strip("/").split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise InputError(f"{one.uri} cannot be kept as a file", hint="use keys without empty parts, . and ..")
    return folder.joinpath(*parts)


def _is_there(file: Path, one: ObjectInfo) -> bool:
    try:
        status = file.stat()
    except OSError:
        return False
    return status.st_size == one.size and abs(status.st_mtime - one.modified.timestamp()) < 0.001
