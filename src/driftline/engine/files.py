"""Which files hold an hour: partitioned folders are walked by their names, so old hours are never listed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from driftline.core.errors import InputError
from driftline.core.window import Window, partition

Level = tuple[str, ...]
_NAMES = (re.compile(r"\d{4}"), re.compile(r"\d{2}"), re.compile(r"\d{2}"), re.compile(r"\d{2}"))


def list_files(root: str | Path, window: Window | None, suffix: str = ".jsonl") -> list[str]:
    """The files under ``root`` in the hours that a window touches, in path order; every file without a window.

    Folders named ``yyyy/mm/dd/hh`` below any other folders are hours; a file outside such folders is always listed.
    Raises :class:`InputError` when the folder does not exist or cannot be read.
    """
    folder = Path(root)
    if folder.is_file():
        return [str(folder)]
    if not folder.exists():
        raise InputError(
            f"no folder {folder}", hint="check the path; driftline writes captures under DATA/captures/NAME"
        )
    span = _span(window)
    return sorted(str(path) for path in _walk(folder, (), span) if path.name.endswith(suffix))


def _span(window: Window | None) -> tuple[Level, Level] | None:
    """The first and the last hour of a window as folder names."""
    if window is None:
        return None
    last = max(window.start, window.end - datetime.resolution)
    return tuple(partition(window.start).split("/")), tuple(partition(last).split("/"))


def _walk(folder: Path, level: Level, span: tuple[Level, Level] | None) -> Iterator[Path]:
    try:
        entries = list(folder.iterdir())
    except PermissionError:
        raise InputError(
            f"folder {folder} cannot be read", hint="give the user that runs driftline read access"
        ) from None
    for entry in entries:
        if not entry.is_dir():
            yield entry
            continue
        deeper = (*level, entry.name) if len(level) < 4 and _NAMES[len(level)].fullmatch(entry.name) else ()
        if span is None or not deeper or span[0][: len(deeper)] <= deeper <= span[1][: len(deeper)]:
            yield from _walk(entry, deeper, span)


def exact(file: str) -> str:
    """A file name with the characters escaped that the reader takes for a pattern."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in file)
