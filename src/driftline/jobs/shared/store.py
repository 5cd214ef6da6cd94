"""The files of a data folder in a bucket: the same paths, so that what one node writes another can have.

On every node the data folder is both a spool of what is not in the store yet and a cache of what is.
"""

from __future__ import annotations

import os
from pathlib import Path

from driftline.core.uris import ObjectUri, object_uri
from driftline.core.window import Window
from driftline.jobs.fetching import Ask, fetch_hours
from driftline.storage.layout import Layout
from driftline.storage.objects import Objects, open_objects

VARIABLE = "DRIFTLINE_STORE"
"""The variable that says where the files of the data folder are kept for all nodes, such as ``s3://BUCKET/PREFIX``."""
SHARED = ("models", "captures", "labels", "reports", "pieces")
"""The folders of the data folder that nodes have in common; the others are a node's own."""


class Shared:
    """The store of a data folder: an object ``PREFIX/PATH`` for every file ``DATA/PATH`` of the shared folders. May be
    used by several threads. Failures are those of :class:`driftline.storage.objects.Objects`."""

    def __init__(self, layout: Layout, objects: Objects, prefix: ObjectUri) -> None:
        self._layout, self._objects, self._prefix = layout, objects, prefix

    def uri(self, path: Path) -> ObjectUri:
        """The object of a file, or what the keys of a folder's files begin with."""
        return self._prefix / self._layout.relative(path)

    def send(self, path: Path) -> None:
        """Put a file into the store, now; when it returns, others can have it."""
        self._objects.put_file(self.uri(path), path)

    def have(self, path: Path) -> Path:
        """A file, fetched where it is not here; :class:`NotFoundError` where it is not in the store either."""
        if not path.exists():
            self._objects.fetch(self.uri(path), path)
        return path

    def have_folder(self, folder: Path) -> Path:
        """Everything below a folder, fetched where it is not here."""
        for one in self._objects.listing(self.uri(folder) / ""):
            self.have(self._layout.data / one.uri.key.removeprefix(f"{self._prefix.key}/"))
        return folder

    def have_hours(self, folder: Path, window: Window, ask: Ask = lambda: None) -> int:
        """The files of the hours ``yyyy/mm/dd/hh`` below a folder that a window touches, fetched where they are not
        here; how many were. A file of this node that is not in the store yet stays."""
        return fetch_hours(self._objects, self.uri(folder), window, folder, ask)


def shared_store_named() -> str:
    """What the variable ``DRIFTLINE_STORE`` names; empty where a data folder stands alone."""
    return os.environ.get(VARIABLE, "").strip()


def open_shared(layout: Layout) -> Shared | None:
    """The store that the variable ``DRIFTLINE_STORE`` names; None where a data folder stands alone."""
    given = shared_store_named()
    return Shared(layout, open_objects(layout), object_uri(given)) if given else None
