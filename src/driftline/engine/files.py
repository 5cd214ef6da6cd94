"""Which files hold an hour: partitioned folders are walked by their names, so old hours are never listed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from driftline.core.errors import InputError
from driftline.core.window import Window, partition
from driftline.engine.compacted.form import is_compacted
from driftline.engine.compacted.standing import read_once

Level = tuple[str, ...]
_NAMES = (re.compile(r"\d{4}"), re.compile(r"\d{2}"), re.compile(r"\d{2}"), re.compile(r"\d{2}"))


def list_files(root: str | Path, window: Window | None, suffix: str = ".jsonl") -> list[str]:
    """The files under ``root`` in the hours that a window touches, in path order; every file without a window.

    Folders named ``yyyy/mm/dd/hh`` below any other folders are hours; a file outside such folders is always listed.
    Of JSON lines that were compacted the compacted file is listed, and beside it the files that it does not hold.
    Raises :class:`InputError` when the folder does not exist or cannot be read.
    """
    folder = Path(root)
    if folder.is_file():
        return [str(folder)]
    if not folder.exists():
        raise InputError(
            f"no folder {folder}", hint="check the path; driftline writes captures under DATA/captures/NAME"
        )
    span = span_of(window)
    found = list(_walk(folder, (), span))
    chosen = [str(path) for path in found if path.name.endswith(suffix)]
    compacted = [str(path) for path in found if suffix == ".jsonl" and is_compacted(path.name)]
    return read_once([*chosen, *compacted]) if compacted else sorted(chosen)


def deeper(level: Level, name: str) -> Level:
    """How deep in an hour's folders ``yyyy/mm/dd/hh`` a folder is, given where the one around it is; not at all when
    it is none of them.

    >>> deeper(("2026",), "11"), deeper(("2026",), "AllTraffic")
    (('2026', '11'), ())
    """
    return (*level, name) if len(level) < 4 and _NAMES[len(level)].fullmatch(name) else ()


def inside(level: Level, span: tuple[Level, Level] | None) -> bool:
    """Whether a folder may hold hours of a span."""
    return span is None or not level or span[0][: len(level)] <= level <= span[1][: len(level)]


def span_of(window: Window | None) -> tuple[Level, Level] | None:
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
        below = deeper(level, entry.name)
        if inside(below, span):
            yield from _walk(entry, below, span)


def exact(file: str) -> str:
    """A file name with the characters escaped that the reader takes for a pattern."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in file)
