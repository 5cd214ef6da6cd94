"""The key of the data folder with which sensitive values are hashed: made once, for its owner's eyes only."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from driftline.core.errors import SetupError

KEY_BYTES = 32


def read_or_make(path: Path) -> bytes:
    """The key in a file, which is made when absent; processes that come at once agree on one.

    Raises :class:`SetupError` when it cannot be read or made, or is too short to be a key. The key is in no message.
    """
    if not path.exists():
        keep(path, secrets.token_bytes(KEY_BYTES))
    return read(path)


def read(path: Path) -> bytes:
    """The key in a file; raises :class:`SetupError` as :func:`read_or_make` does."""
    try:
        key = path.read_bytes()
    except OSError as error:
        raise _unusable(path, error) from None
    if len(key) < KEY_BYTES:
        raise SetupError(
            f"{path} is no key", evidence=f"it has {len(key)} bytes, not {KEY_BYTES}", hint="restore it from a backup"
        )
    return key


def keep(path: Path, key: bytes) -> None:
    """Put a key into a file, for its owner only, unless there is one already: whoever comes first has settled it.

    Raises :class:`SetupError` when it cannot be written.
    """
    try:
        _make(path, key)
    except OSError as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: OSError) -> SetupError:
    return SetupError(
        f"the key {path} cannot be used",
        evidence=f"{type(error).__name__}: {error.strerror or error}",
        hint="all that capture into the folder must be run by the same user; check the disk and the permissions",
    )


def _make(path: Path, key: bytes) -> None:
    """A link is made only where there is no such name yet, and to a file that is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
