"""Hours of captures in a folder: those that are due to be compacted, the work on one, and the way back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from driftline.core.errors import SetupError
from driftline.core.records import utc
from driftline.core.window import HOUR, partition
from driftline.engine.compacted.hour import Folder, compact, look
from driftline.engine.compacted.lines import write_originals
from driftline.engine.sources import Sources
from driftline.pipeline.steps import Progress
from driftline.storage.clock import system_clock
from driftline.storage.hour_folders import bases
from driftline.storage.layout import Layout

LEAST_AGE = timedelta(minutes=10)
"""The last files of an hour may still be written a while after it."""
_NUMBERS = (re.compile(r"\d{4}", re.ASCII), *[re.compile(r"\d{2}", re.ASCII)] * 3)


class Hour(msgspec.Struct, frozen=True):
    """An endpoint's hour that is to be compacted, for the process that does it."""

    data: str
    endpoint: str
    hour: datetime


class Compacted(msgspec.Struct, frozen=True):
    """The compacted files that were written of an hour, how many files they are of, and the bytes of both."""

    hour: datetime
    paths: tuple[str, ...] = ()
    files: int = 0
    bytes_before: int = 0
    bytes_after: int = 0


def settled() -> datetime:
    """Up to when hours are over for sure, by real time: their last files may be written for a while."""
    return utc(system_clock()) - LEAST_AGE


def compact_due(data: Path, endpoint: str, before: datetime, *, dry_run: bool = False) -> Iterator[Compacted]:
    """Compact the hours of an endpoint that ended at a time or earlier and have enough files; or only say which."""
    found: dict[datetime, list[Folder]] = {}
    for hour, path in hours_of(Layout(data).captures(endpoint)):
        if hour + HOUR <= before and (folder := look(path)).due:
            found.setdefault(hour, []).append(folder)
    for hour, folders in found.items():
        if dry_run:
            yield Compacted(hour, (), sum(len(one.loose) for one in folders), sum(one.bytes for one in folders))
        else:
            yield compact_hour(Hour(str(data), endpoint, hour), lambda *_: None)


def compact_hour(asked: Hour, progress: Progress) -> Compacted:
    """Compact what is due in the folders of an hour."""
    del progress
    done = Compacted(asked.hour)
    for base in bases(Layout(asked.data).captures(asked.endpoint)):
        folder = look(base / partition(asked.hour))
        if folder.due:
            path = compact(folder)
            done = Compacted(
                asked.hour,
                (*done.paths, str(path)),
                done.files + len(folder.loose),
                done.bytes_before + folder.bytes,
                done.bytes_after + path.stat().st_size,
            )
    return done


def restore(captures: Path, before: datetime, target: Path) -> Iterator[Path]:
    """Write the originals of compacted hours that ended at a time or earlier again, where they are not: below
    ``target``, which may be the captures' folder itself; their paths. Compacted files stay."""
    for hour, path in hours_of(captures):
        compacted = look(path).compacted if hour + HOUR <= before else ()
        here = target / path.relative_to(captures)
        for file, names in Sources.of(compacted).in_order():
            yield from _written(file, [here / name for name in names if not (here / name).exists()], here)


def _written(file: str, wanted: list[Path], here: Path) -> Iterator[Path]:
    """Originals get their names when all of them are whole."""
    try:
        here.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".", dir=here) as unfinished:
            parts = {path.name: Path(unfinished) / f"{path.name}.part" for path in wanted}
            write_originals(file, parts)
            for path in wanted:
                parts[path.name].replace(path)
                yield path
    except OSError as error:
        hint = "free some disk space, or choose another folder"
        raise SetupError(f"captures cannot be restored in {here}", evidence=str(error), hint=hint) from None


def folders_of(root: Path) -> list[Path]:
    """The folders directly in a folder, by name; a link is none of them."""
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def hours_of(folder: Path) -> Iterator[tuple[datetime, Path]]:
    """The hour folders of an endpoint, of every variant, oldest first."""
    found: list[tuple[datetime, Path]] = []
    for base in bases(folder):
        found += [(hour, path) for path in _below(base, 0) if (hour := _hour(base, path)) is not None]
    yield from sorted(found)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    if depth == len(_NUMBERS):
        yield folder
        return
    for path in folders_of(folder):
        if _NUMBERS[depth].fullmatch(path.name):
            yield from _below(path, depth + 1)


def _hour(base: Path, path: Path) -> datetime | None:
    try:
        year, month, day, hour = map(int, path.relative_to(base).parts)
        return datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:
        return None
