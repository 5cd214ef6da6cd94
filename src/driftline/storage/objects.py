"""Objects in buckets. On one machine a bucket is a folder, which an S3 server may show to others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol
from uuid import uuid4

from driftline.core.errors import NotFoundError, SetupError
from driftline.core.uris import ObjectUri
from driftline.storage.files import write_atomic


class ObjectInfo(NamedTuple):
    """An object in a listing: its size in bytes, and when it was written."""

    uri: ObjectUri
    size: int
    modified: datetime


class Stored(NamedTuple):
    """What is known of an object that was stored: its size in bytes, and the mark that its server gave this content."""

    size: int
    etag: str | None = None


class Level(NamedTuple):
    """What lies directly in a folder of a bucket: names of folders, and objects, each in order."""

    folders: tuple[str, ...]
    objects: tuple[ObjectInfo, ...]


class Objects(Protocol):
    """What reads and writes objects. Objects that are not there raise :class:`NotFoundError`, and buckets that cannot
    be reached :class:`ServiceError`. Storing the same bytes under the same key twice is the same as once."""

    def read(self, uri: ObjectUri) -> bytes:
        """The content of an object."""

    def write(self, uri: ObjectUri, content: bytes) -> None:
        """Store an object; a reader sees the old one or the whole new one."""

    def listing(self, prefix: ObjectUri) -> Iterator[ObjectInfo]:
        """The objects whose key begins with that of ``prefix``, in order of their keys."""

    def level(self, folder: ObjectUri) -> Level:
        """What lies directly in a folder; nothing where it is not there."""

    def fetch(self, uri: ObjectUri, file: Path) -> None:
        """Copy an object to a file, which is whole or as it was; its folder is made when absent."""

    def put_file(self, uri: ObjectUri, file: Path, size: int | None = None) -> Stored:
        """Store the content of a file as an object, or the first ``size`` bytes of it: a file that grows is stored as
        it was at one moment. When it returns, all of them are stored."""

    def remove(self, uri: ObjectUri) -> None:
        """Take an object away, if it is there."""

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
        for path in sorted(_files(start), key=Path.as_posix):
            key = path.relative_to(bucket).as_posix()
            if key.startswith(prefix.key):
                yield from _info(ObjectUri(prefix.bucket, key), path)

    def level(self, folder: ObjectUri) -> Level:
        """What lies directly in a folder; nothing where it is not there."""
        path = self._path(folder)
        entries = sorted(path.iterdir()) if path.is_dir() else []
        inside = [entry for entry in entries if not entry.name.startswith(".")]
        folders = tuple(entry.name for entry in inside if entry.is_dir())
        files = (entry for entry in inside if entry.name not in folders)
        return Level(folders, tuple(one for file in files for one in _info(folder / file.name, file)))

    def fetch(self, uri: ObjectUri, file: Path) -> None:
        """Copy an object to a file, which is whole or as it was; its folder is made when absent."""
        try:
            _copy(self._path(uri), file)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise absent(uri) from None

    def put_file(self, uri: ObjectUri, file: Path, size: int | None = None) -> Stored:
        """Store the content of a file, or its first ``size`` bytes; its bucket is made when it is not there."""
        try:
            return Stored(_copy(file, self._path(uri), size))
        except OSError as error:
            hint = "free some disk space, or correct the permissions of the data folder"
            raise SetupError(f"cannot write {uri}", evidence=error.strerror or str(error), hint=hint) from None

    def remove(self, uri: ObjectUri) -> None:
        """Take an object away, if it is there."""
        with suppress(FileNotFoundError, NotADirectoryError):
            self._path(uri).unlink()

    def folder(self, prefix: ObjectUri) -> Path:
        """The folder in which the objects below a prefix lie as files."""
        return self._path(prefix)

    def _path(self, uri: ObjectUri) -> Path:
        return self._root / uri.bucket / uri.key.strip("/")


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, also through links; unfinished ones, whose name begins with a dot, are left out."""
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.is_dir():
            yield from _files(entry)
        elif not entry.name.startswith("."):
            yield entry


def _info(uri: ObjectUri, path: Path) -> Iterator[ObjectInfo]:
    """What a listing tells of a file; nothing of one that has gone meanwhile."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return
    yield ObjectInfo(uri, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _copy(source: Path, target: Path, size: int | None = None) -> int:
    """Copy a file, or its first bytes; how many."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{uuid4().hex}.tmp")
    try:
        shutil.copyfile(source, unfinished)
        if size is not None:
            os.truncate(unfinished, min(size, unfinished.stat().st_size))
        copied = unfinished.stat().st_size
        unfinished.replace(target)
        return copied
    finally:
        unfinished.unlink(missing_ok=True)


def absent(uri: ObjectUri) -> NotFoundError:
    """What is raised for an object that is not there."""
    hint = "check the bucket and the key; upload the object first"
    return NotFoundError(f"there is no object {uri}", hint=hint)
