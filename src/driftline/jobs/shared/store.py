"""The files of a data folder in a bucket: the same paths, so that what one node writes another can have.

On every node the data folder is both a spool of what is not in the store yet and a cache of what is. The ledger says
which is which.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

from driftline.core.configuration import STORE
from driftline.core.uris import ObjectUri, object_uri
from driftline.core.window import Window
from driftline.jobs.fetching import Ask, Copies, fetch, fetch_hours
from driftline.jobs.shared.ledger import Entry, Ledger
from driftline.serving.segment import is_open
from driftline.storage.buckets import open_objects
from driftline.storage.layout import Layout
from driftline.storage.objects import Level, ObjectInfo, Objects

SHARED = ("models", "captures", "labels", "reports", "pieces")
"""The folders of the data folder that nodes have in common; the others are a node's own."""
LEDGER = "shipping.db"
"""The file of the data folder that knows what is in buckets."""
_AT_ONCE = 8


class Shared:
    """The store of a data folder: an object ``PREFIX/PATH`` for every file ``DATA/PATH`` of the shared folders. May be
    used by several threads and processes. Failures are those of :class:`driftline.storage.objects.Objects`."""

    def __init__(self, layout: Layout, objects: Objects, prefix: ObjectUri) -> None:
        self._layout, self._objects, self._prefix = layout, objects, prefix
        self.target = str(prefix)
        self.ledger = Ledger(layout.data / LEDGER)
        self._copies = _Known(layout, self.ledger, self.target)

    def uri(self, path: Path) -> ObjectUri:
        """The object of a file, or what the keys of a folder's files begin with."""
        return self._prefix / self._layout.relative(path)

    def send(self, *paths: Path) -> None:
        """Put files into the store, now; when it returns, others can have them. Captures and labels are sent by the
        node's shipper, which also tells the others of them."""
        if len(paths) == 1:
            self._send(paths[0])
            return
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(self._send, paths):
                pass

    def stored(self, path: Path) -> bool:
        """Whether the store has a file as it is here; of one that is not here, whether the store is known to have it.
        It asks the ledger, not the store."""
        entry = self.ledger.entry(self.target, self._layout.relative(path))
        if entry is None:
            return False
        try:
            return path.stat().st_size == entry.size
        except FileNotFoundError:
            return True

    def forget(self, path: Path) -> None:
        """Take a file away: its object, the file here, and its entry. Whoever is stopped in between does it again."""
        self._objects.remove(self.uri(path))
        path.unlink(missing_ok=True)
        self.ledger.strike([self._layout.relative(path)])

    def have(self, path: Path) -> Path:
        """A file, fetched where it is not here; :class:`NotFoundError` where it is not in the store either."""
        if not path.exists():
            unfinished = path.with_name(f".{uuid4().hex}.tmp")
            try:
                self._objects.fetch(self.uri(path), unfinished)
                self._copies.fetched(unfinished, path)
            finally:
                unfinished.unlink(missing_ok=True)
        return path

    def have_folder(self, folder: Path) -> Path:
        """Everything below a folder, fetched where it is not here, or where another node has written it anew since it
        was fetched."""
        wanted = [(path, one) for path, one in self.listed(folder) if self._copies.wanted(path, one)]

        def copy(pair: tuple[Path, ObjectInfo]) -> None:
            fetch(self._objects, pair[0], pair[1], self._copies)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(copy, wanted):
                pass
        return folder

    def listed(self, folder: Path) -> list[tuple[Path, ObjectInfo]]:
        """The objects below a folder, with the paths of their files, which need not be here."""
        listed = self._objects.listing(self.uri(folder) / "")
        return [(self._layout.data / one.uri.key.removeprefix(f"{self._prefix.key}/"), one) for one in listed]

    def level(self, folder: Path) -> Level:
        """What the store has directly in a folder."""
        return self._objects.level(self.uri(folder))

    def have_hours(self, folder: Path, window: Window, ask: Ask = lambda: None) -> int:
        """The files of the hours ``yyyy/mm/dd/hh`` below a folder that a window touches, fetched where they are not
        here; how many were. They stay here for some hours, to be read. A file of this node that is not in the store
        yet stays as it is; one that was, and has gone from there, goes."""
        return fetch_hours(self._objects, self.uri(folder), window, folder, ask, self._copies)

    def _send(self, path: Path) -> None:
        done = self._objects.put_file(self.uri(path), path)
        entry = Entry(self._layout.relative(path), done.size, done.etag or "", "sent", time.time())
        self.ledger.enter(self.target, [entry])


class _Known(Copies):
    """Copies beside files of our own: what this node wrote is never replaced, and goes only when the store had it."""

    def __init__(self, layout: Layout, ledger: Ledger, target: str) -> None:
        self._layout, self._ledger, self._target = layout, ledger, target

    def reading(self, files: Iterable[Path]) -> None:
        folders = {self._layout.relative(file.parent) for file in files}
        self._ledger.reading(folders, time.time())

    def wanted(self, file: Path, one: ObjectInfo) -> bool:
        if not file.exists():
            return True
        entry = self._ledger.entry(self._target, self._layout.relative(file))
        return entry is not None and entry.origin != "sent" and super().wanted(file, one)

    def name(self, unfinished: Path, file: Path, one: ObjectInfo) -> None:
        self.fetched(unfinished, file)

    def fetched(self, unfinished: Path, file: Path) -> None:
        """Enter a copy, and then give it its name: the shipper never sees it without knowing it."""
        size, path = unfinished.stat().st_size, self._layout.relative(file)
        self._ledger.enter(self._target, [Entry(path, size, "", "fetched", time.time())])
        unfinished.replace(file)

    def remove(self, file: Path, listed: float) -> None:
        path = self._layout.relative(file)
        entry = self._ledger.entry(self._target, path)
        if entry is None or entry.stored >= listed or file.stat().st_size != entry.size or is_open(file):
            return
        super().remove(file, listed)
        self._ledger.strike([path])


def shares() -> bool:
    """Whether data folders are in a store that the variable ``DRIFTLINE_STORE`` names."""
    return bool(STORE.of(os.environ))


def open_shared(layout: Layout) -> Shared | None:
    """The store that the variable ``DRIFTLINE_STORE`` names; None where a data folder stands alone."""
    given = STORE.of(os.environ)
    return Shared(layout, open_objects(layout), object_uri(given)) if given else None
