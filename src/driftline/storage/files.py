"""Files that are whole or absent."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from driftline.core.errors import SetupError


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash, sees all of it or none of it; its folder is made when absent.

    The bytes are on the disk before the name is. Raises :class:`SetupError` when the disk is full or not writable.
    """
    _write(path, data, Path.replace)


def write_new(path: Path, data: bytes) -> None:
    """The same, for a file that must not be there yet: :class:`FileExistsError` when it is, whoever made it."""
    _write(path, data, lambda temporary, path: path.hardlink_to(temporary))


def _write(path: Path, data: bytes, name: Callable[[Path, Path], object]) -> None:
    temporary = path.with_name(f".{uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_synced(temporary, data)
        name(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        # Not of a folder that is a file: that is no file which somebody else has made.
        if isinstance(error, FileExistsError) and path.exists():
            raise
        raise SetupError(
            f"cannot write {path}",
            evidence=f"{type(error).__name__}: {error.strerror or error}",
            hint="free some disk space, or correct the permissions of the data folder",
        ) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """A rename survives a power failure only when its folder was synced too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
