"""Taking old hours, and models that nobody uses, out of the store of many nodes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from driftline.core.errors import ServiceError
from driftline.core.window import partition
from driftline.engine.compacted.form import is_compacted, originals_of
from driftline.engine.files import Level, deeper
from driftline.jobs.shared import Shared
from driftline.storage.objects import ObjectInfo
from driftline.storage.retention import Swept

MOST = 100_000
"""How many objects of one folder go in one clean-up; the rest goes with the next ones."""
_AT_ONCE = 8
Found = tuple[Path, ObjectInfo]


def sweep_store(shared: Shared, root: Path, before: datetime, *, above: int, dry_run: bool = False) -> Swept:
    """Delete the hours ``yyyy/mm/dd/hh`` below a folder that end at a time or earlier: their objects, and the files
    here. ``above`` is how many folders stand between ``root`` and the years. Only folders that may hold such hours are
    listed. What cannot be done now is noted, and done by the next clean-up."""
    end = tuple(partition(before).split("/"))

    def old() -> Iterator[Found]:
        for hour in _hours(shared, root, end, above, ()):
            yield from shared.listed(hour)

    return _swept(old, shared, str(root), dry_run)


def sweep_originals(
    shared: Shared, root: Path, before: datetime, settled: datetime, *, above: int, dry_run: bool = False
) -> Swept:
    """Delete the objects of such hours that a compacted one holds which was stored before a (real) time; runs that
    began before there was one may still read them. A compacted object is fetched to see what it holds, once: afterwards
    nothing stands beside it."""
    end = tuple(partition(before).split("/"))

    def held() -> Iterator[Found]:
        for hour in _hours(shared, root, end, above, ()):
            listed = shared.listed(hour)
            compacted = [path for path, one in listed if is_compacted(path.name) and one.modified < settled]
            beside = [(path, one) for path, one in listed if not is_compacted(path.name)]
            if compacted and beside:
                holds = {(one.name, one.size) for path in compacted for one in originals_of(shared.have(path))}
                yield from ((path, one) for path, one in beside if (path.name, one.size) in holds)

    return _swept(held, shared, str(root), dry_run)


def sweep_models(shared: Shared, folder: Path, used: Collection[Path], before: datetime, *, dry_run: bool) -> Swept:
    """Delete the objects of models that are not used and were stored before a (real) time; a younger one may belong to
    a deployment under way."""

    def unused() -> Iterator[Found]:
        listed = shared.listed(folder)
        return ((path, one) for path, one in listed if path not in used and one.modified < before)

    return _swept(unused, shared, str(folder), dry_run)


def _swept(found: Callable[[], Iterator[Found]], shared: Shared, what: str, dry_run: bool) -> Swept:
    swept = Swept()
    try:
        going: list[Found] = []
        for one in found():
            if len(going) >= MOST:
                swept.skip(what, f"more than {MOST:,} objects of the store; the rest goes with the next clean-up")
                break
            going.append(one)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for size in pool.map(lambda pair: _forget(shared, pair, dry_run), going):
                swept.files, swept.bytes = swept.files + 1, swept.bytes + size
    except ServiceError as error:
        swept.skip(what, f"{error.what} ({error.evidence})")
    return swept


def _forget(shared: Shared, found: Found, dry_run: bool) -> int:
    """Take one object away; its size."""
    path, one = found
    if not dry_run:
        shared.forget(path)
    return one.size


def _hours(shared: Shared, folder: Path, end: Level, above: int, level: Level) -> Iterator[Path]:
    """The folders of hours before the hour ``end``; only folders that may hold such are listed."""
    for name in shared.level(folder).folders:
        inner = () if above else deeper(level, name)
        if not above and (not inner or inner > end[: len(inner)]):
            continue
        if len(inner) < len(end):
            yield from _hours(shared, folder / name, end, max(0, above - 1), inner)
        elif inner < end:
            yield folder / name
