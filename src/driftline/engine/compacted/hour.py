"""An hour's folder: which of its files are to be compacted, and which may go because they were."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from driftline.engine.compacted.form import is_compacted, originals_of
from driftline.engine.compacted.standing import held_by, size_of, superseded
from driftline.engine.compacted.writing import UNFINISHED, write_compacted

LEAST = 8
"""So many files that no compacted file holds make a compacted file of their hour."""
MOST_BYTES = 128 << 20
"""A file of more bytes is not small: it is read as fast as it stands, and is left out."""
_SUFFIX = ".jsonl"
_ABANDONED = 86_400


class Folder(msgspec.Struct, frozen=True):
    """An hour's folder: the ``loose`` files that no compacted file holds and that are closed, with their sizes; the
    ``compacted`` files; and the files ``superseded`` by a newer compacted one."""

    path: Path
    loose: dict[str, int]
    compacted: tuple[str, ...]
    superseded: tuple[str, ...] = ()

    @property
    def due(self) -> bool:
        """Whether there are enough files to compact."""
        return len(self.loose) >= LEAST

    @property
    def bytes(self) -> int:
        """The bytes of the loose files."""
        return sum(self.loose.values())


def look(path: Path) -> Folder:
    """What stands in the folder of an hour; nothing where there is none. A file is closed when nobody holds the lock
    that its writer takes."""
    names = sorted(entry.name for entry in _entries(path))
    compacted = [str(path / name) for name in names if is_compacted(name)]
    held = {name for pairs in held_by(compacted).values() for name, _ in pairs}
    loose = {}
    for name in names:
        if name.endswith(_SUFFIX) and name not in held and _is_text(name):
            size = size_of(path / name)
            if size is not None and size <= MOST_BYTES and is_closed(path / name):
                loose[name] = size
    return Folder(path, loose, tuple(compacted), tuple(superseded(held_by(compacted))))


def compact(folder: Folder) -> Path:
    """Write the compacted file of the loose files and of what older compacted files hold; its path. See
    :func:`driftline.engine.compacted.writing.write_compacted`. What it holds stays beside it."""
    _clear(folder.path)
    files = {name: folder.path / name for name in folder.loose}
    held = {}
    for path in folder.compacted:
        for one in originals_of(path):
            here = folder.path / one.name
            if size_of(here) == one.size:
                files[one.name] = here
            else:
                held[one.name] = path
    return write_compacted(folder.path, files, held)


def originals_in(path: Path, before: float) -> set[str]:
    """The files of a folder that may go: a compacted file written before a time (seconds since the epoch) holds every
    byte of them; and compacted files that such a one supersedes."""
    compacted = [str(path / entry.name) for entry in _entries(path) if is_compacted(entry.name)]
    held = held_by(compacted)
    settled = {one: pairs for one, pairs in held.items() if Path(one).stat().st_mtime < before}
    pairs = {pair for some in settled.values() for pair in some}
    gone = {Path(one).name for one, mine in held.items() if any(mine < other for other in settled.values())}
    return gone | {name for name, size in pairs if size_of(path / name) == size}


def is_closed(path: Path) -> bool:
    """Whether nobody writes a file: its writer holds an exclusive lock on it."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
        finally:
            os.close(descriptor)
    return False


def _clear(path: Path) -> None:
    """Take away what somebody who died left unfinished."""
    for entry in _entries(path):
        if entry.name.endswith(UNFINISHED) and entry.stat().st_mtime < time.time() - _ABANDONED:
            with suppress(OSError):
                (path / entry.name).unlink()


def _entries(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return [entry for entry in entries if entry.is_file(follow_symlinks=False)]
    except OSError:
        return []


def _is_text(name: str) -> bool:
    """Whether a name can be written into a column of text."""
    return name.isprintable() and name.encode("utf-8", "surrogateescape") == name.encode("utf-8", "replace")
