"""The capture files of hours as pages tell of them: each record once, wherever its line stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

import msgspec

from driftline.engine.compacted.form import is_compacted, originals_of
from driftline.engine.compacted.lines import lines_of
from driftline.engine.compacted.standing import read_once, size_of
from driftline.storage import hour_folders
from driftline.storage.hour_folders import HourFolder


def look(folders: Sequence[Path], hours: Sequence[datetime]) -> list[HourFolder]:
    """What lies in the hours under some folders; files that a compacted one holds do not count."""
    found = hour_folders.look(folders, hours, lambda name: hour_folders.is_lines(name) or is_compacted(name))
    return [_once(hour) if any(map(_is_compacted, hour.paths)) else hour for hour in found]


def count_lines(paths: Sequence[str]) -> tuple[int, bool]:
    """The lines of files, and whether they are all of them."""
    compacted = [path for path in paths if _is_compacted(path)]
    held = sum(one.records for path in compacted for one in originals_of(path))
    lines, counted = hour_folders.count_lines([path for path in paths if not _is_compacted(path)])
    return held + lines, counted


def first_lines(path: str, number: int) -> tuple[str, list[str]]:
    """The name of the file that the first lines of a file are of, and these lines."""
    if not _is_compacted(path):
        return Path(path).name, hour_folders.first_lines(path, number)
    name = next((one.name for one in originals_of(path) if one.records), "")
    lines = (line for _, some in lines_of(path, [name]) for line in some if line.strip())
    return name, [line.decode("utf-8", "replace").removesuffix("\n") for line in islice(lines, number)]


def _once(hour: HourFolder) -> HourFolder:
    paths = tuple(read_once(hour.paths))
    return msgspec.structs.replace(
        hour, files=len(paths), bytes=sum(size_of(Path(path)) or 0 for path in paths), paths=paths
    )


def _is_compacted(path: str) -> bool:
    return is_compacted(Path(path).name)
