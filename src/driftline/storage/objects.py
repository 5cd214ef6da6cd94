"""Objects in buckets. On one machine a bucket is a folder, which an S3 server may show to others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from driftline.core.errors import NotFoundError
from driftline.core.uris import ObjectUri
from driftline.storage.files import write_atomic
from driftline.storage.layout import Layout


class ObjectInfo(NamedTuple):
    """An object in a listing: its size in bytes, and when it was written."""

    uri: ObjectUri
    size: int
    modified: datetime


class Objects(Protocol):
    """What reads and writes objects. Objects that are not there raise :class:`NotFoundError`."""

    def read(self, uri: ObjectUri) -> bytes:
        """The content of an object."""

    def write(self, uri: ObjectUri, content: bytes) -> None:
        """Store an object; a reader sees the old one or the whole new one."""

    def listing(self, prefix: ObjectUri) -> Iterator[ObjectInfo]:
        """The objects whose key begins with that of ``prefix``, in order of their keys."""

    def folder(self, prefix: ObjectUri) -> Path | None:
        """The folder in which the objects below a prefix lie as files; None where they do not."""


class FolderObjects:
    """Buckets that are folders of the data folder's ``s3/``."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, uri: ObjectUri) -> bytes:
        """The content of an object."""
        try:
            return self._path(uri).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise absent(uri) from None

    def write(self, uri: ObjectUri, content: bytes) -> None:
        """Store an object; its bucket is made when it is not there."""
        write_atomic(self._path(uri), content)

    def listing(self, prefix: ObjectUri) -> Iterator[ObjectInfo]:
        """The objects whose key begins with that of ``prefix``, in order of their keys."""
        bucket = self._root / prefix.bucket
        start = bucket / prefix.key.rpartition("/")[0]
        for path in sorted(_files(start)):
            key = path.relative_to(bucket).as_posix()
            if key.startswith(prefix.key):
                status = path.stat()
                modified = datetime.fromtimestamp(status.st_mtime, UTC)
                yield ObjectInfo(ObjectUri(prefix.bucket, key), status.st_size, modified)

    def folder(self, prefix: ObjectUri) -> Path | None:
        """The folder in which the objects below a prefix lie as files."""
        return self._path(prefix)

    def _path(self, uri: ObjectUri) -> Path:
        return self._root / uri.bucket / uri.key


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, also through links; unfinished ones, whose name begins with a dot, are left out."""
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.is_dir():
            yield from _files(entry)
        elif not entry.name.startswith("."):
            yield entry


def absent(uri: ObjectUri) -> NotFoundError:
    """What is raised for an object that is not there."""
    hint = "check the bucket and the key; upload the object first"
    return NotFoundError(f"there is no object {uri}", hint=hint)


def open_objects(layout: Layout) -> Objects:
    """The objects that belong to a data folder."""
    return FolderObjects(layout.data / "s3")
