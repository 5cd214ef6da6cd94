"""Which files of an hour are read when some of them were compacted: each line once, and what came later beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from driftline.engine.compacted.form import Original, is_compacted, originals_of

Held = dict[str, frozenset[tuple[str, int]]]


def read_once(paths: Iterable[str]) -> list[str]:
    """Files without those of which a compacted file in the same folder holds every line; in path order."""
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        folders[path.rpartition("/")[0]].append(path)
    return sorted(path for some in folders.values() for path in _once(some))


def marks(files: Sequence[str]) -> list[tuple[str, int]]:
    """The names and sizes of files; a compacted one has those of its originals, so that nobody who knows files by
    them sees that they were compacted. A file that has gone meanwhile is left out."""
    found = {path: size_of(Path(path)) if one is None else one.size for path, (_, one) in chosen(files).items()}
    return [(path, size) for path, size in found.items() if size is not None]


def superseded(held: Held) -> list[str]:
    """Of compacted files of one folder those that hold nothing that another does not hold too."""
    return [path for path, mine in held.items() if any(mine < other for other in held.values())]


def held_by(paths: Iterable[str]) -> Held:
    """The names and sizes of the originals of compacted files."""
    return {path: frozenset((one.name, one.size) for one in originals_of(path)) for path in paths}


def size_of(path: Path) -> int | None:
    """The bytes of a file; None where it is gone."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def chosen(files: Sequence[str]) -> dict[str, tuple[str, Original | None]]:
    """Every original of some files by its path: the file that holds it, and what is known of it, None where it stands
    by itself. A file that stands by itself counts for more than its copy in a compacted one: it has grown since."""
    found: dict[str, tuple[str, Original | None]] = {}
    for file in files:
        path = Path(file)
        if not is_compacted(path.name):
            found[file] = (file, None)
            continue
        for one in originals_of(path):
            found.setdefault(f"{path.parent}/{one.name}", (file, one))
    return dict(sorted(found.items()))


def _once(paths: list[str]) -> list[str]:
    compacted = [path for path in paths if is_compacted(Path(path).name)]
    if not compacted:
        return paths
    held = held_by(compacted)
    left = set(superseded(held))
    sizes = dict(pair for path, pairs in held.items() if path not in left for pair in pairs)
    return [path for path in paths if path not in left and not _contained(Path(path), sizes)]


def _contained(path: Path, sizes: dict[str, int]) -> bool:
    return path.name in sizes and size_of(path) == sizes[path.name]
