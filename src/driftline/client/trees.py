"""Folders of capture and label files, as other systems leave them: walked here, sent to a service piece by piece."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from driftline.core.errors import InputError

PIECE = 32 << 20
_HOUR = re.compile(r"(?:^|/)(?:([^/]+)/)?(\d{4})/(\d{2})/(\d{2})/(\d{2})/[^/]+$")
_VARIANT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_COMPACTED = re.compile(r"compacted-[0-9a-f]{32}\.parquet")
_SUFFIXES = (".jsonl", ".json", ".jsonlines")


class Found(NamedTuple):
    """One file: where it is, the variant and the hour that its folders name; else None and the file's own time."""

    path: Path
    variant: str | None
    moment: datetime


class Tree(NamedTuple):
    """The files under a folder in path order, and the links that were passed over because they lead out of it."""

    files: list[Found]
    outside: list[Path]


def tree_of(folder: Path) -> Tree:
    """The files of a folder or a single file; raises :class:`InputError` where there is nothing to read."""
    if folder.is_file():
        return Tree([_found(folder, folder.absolute().as_posix())], [])
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}", hint="name the folder that holds the files, or one of them")
    root, files, outside = folder.resolve(), [], []
    for path in sorted(_walk(folder)):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            outside.append(path)
        elif path.is_file() and (path.name.endswith(_SUFFIXES) or _COMPACTED.fullmatch(path.name)):
            # With the folder's own path, so that a part of a tree, down to one hour, still tells what it is.
            files.append(_found(path, path.absolute().as_posix()))
    files = _once(files)
    if not files and not outside:
        hint = f"files must end in {', '.join(_SUFFIXES)}"
        raise InputError(f"{folder} holds no file to import", hint=hint)
    return Tree(files, outside)


def pieces(path: Path, most: int = PIECE) -> Iterator[bytes]:
    """A file in pieces of whole lines, each of about ``most`` bytes; the same file always gives the same ones. Of a
    compacted file they are the lines of its originals."""
    if _COMPACTED.fullmatch(path.name):
        yield from _compacted_pieces(path, most)
        return
    try:
        with path.open("rb") as file:
            while piece := file.read(most):
                yield piece + (b"" if piece.endswith(b"\n") else file.readline())
    except OSError as error:
        raise InputError(f"{path} cannot be read", evidence=str(error.strerror), hint="check its permissions") from None


def _compacted_pieces(path: Path, most: int) -> Iterator[bytes]:
    from driftline.engine.sources import Sources, each_line

    piece = bytearray()
    for line in each_line(Sources.of([str(path)])):
        piece += line if line.endswith(b"\n") else line + b"\n"
        if len(piece) >= most:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _once(files: list[Found]) -> list[Found]:
    """Files without those whose lines a compacted one among them has."""
    if not any(_COMPACTED.fullmatch(one.path.name) for one in files):
        return files
    from driftline.engine.compacted.standing import read_once

    chosen = set(read_once(str(one.path) for one in files))
    return [one for one in files if str(one.path) in chosen]


def _walk(folder: Path) -> Iterator[Path]:
    """Everything but folders, and links to folders, which are not entered."""
    for where, folders, names in os.walk(folder):
        yield from (Path(where, name) for name in names)
        yield from (path for name in folders if (path := Path(where, name)).is_symlink())


def _found(path: Path, name: str) -> Found:
    parts = _HOUR.search(name)
    if parts is None:
        return Found(path, None, _modified(path))
    variant = parts[1] if parts[1] and _VARIANT.fullmatch(parts[1]) else None
    try:
        return Found(path, variant, datetime(*map(int, parts.groups()[1:]), tzinfo=UTC))  # type: ignore[misc, arg-type]
    except ValueError:
        return Found(path, None, _modified(path))


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
