"""Objects of ``s3://`` in the data folder, and those of other clouds where they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from driftline.core.uris import S3, ObjectUri
from driftline.storage.objects import FolderObjects, Level, ObjectInfo, Objects, Stored
from driftline.storage.remote.trying import Patience


class BothObjects:
    """Every address is read and written where it is; what other clouds need is looked for when the first is asked."""

    def __init__(self, here: FolderObjects, patience: Patience) -> None:
        self._here, self._patience = here, patience

    def read(self, uri: ObjectUri) -> bytes:
        """The content of an object."""
        return self._of(uri).read(uri)

    def write(self, uri: ObjectUri, content: bytes) -> None:
        """Store an object; a reader sees the old one or the whole new one."""
        self._of(uri).write(uri, content)

    def listing(self, prefix: ObjectUri) -> Iterator[ObjectInfo]:
        """The objects whose key begins with that of ``prefix``, in order of their keys."""
        return self._of(prefix).listing(prefix)

    def level(self, folder: ObjectUri) -> Level:
        """What lies directly in a folder; nothing where it is not there."""
        return self._of(folder).level(folder)

    def fetch(self, uri: ObjectUri, file: Path) -> None:
        """Copy an object to a file, which is whole or as it was; its folder is made when absent."""
        self._of(uri).fetch(uri, file)

    def put_file(self, uri: ObjectUri, file: Path, size: int | None = None) -> Stored:
        """Store the content of a file as an object, or its first ``size`` bytes."""
        return self._of(uri).put_file(uri, file, size)

    def remove(self, uri: ObjectUri) -> None:
        """Take an object away, if it is there."""
        self._of(uri).remove(uri)

    def folder(self, prefix: ObjectUri) -> Path | None:
        """The folder in which the objects below a prefix lie as files; None where they do not."""
        return self._of(prefix).folder(prefix)

    def _of(self, uri: ObjectUri) -> Objects:
        return self._here if uri.scheme == S3 else self._elsewhere

    @cached_property
    def _elsewhere(self) -> Objects:
        from driftline.storage.remote_objects import RemoteObjects

        return RemoteObjects(None, self._patience)
