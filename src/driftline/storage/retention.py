"""Taking old hours off the disk: whole hour folders, files before folders, and never through a symbolic link."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import msgspec

from driftline.core.window import partition

Level = tuple[str, ...]
_NAMES = (re.compile(r"\d{4}", re.ASCII), *[re.compile(r"\d{2}", re.ASCII)] * 3)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_SKIPPED = 20


class Swept(msgspec.Struct):
    """What a sweep took away, or would have: files, their bytes, and the paths it left alone with the reason."""

    files: int = 0
    bytes: int = 0
    skipped: list[str] = []

    def skip(self, path: str, reason: str) -> None:
        """Note what was left alone; the first twenty are enough to look at."""
        if len(self.skipped) < _MOST_SKIPPED:
            self.skipped.append(f"{path}: {reason}")


def sweep_hours(
    root: Path,
    before: datetime,
    *,
    above: int,
    dry_run: bool = False,
    only: Callable[[Path], Collection[str]] | None = None,
) -> Swept:
    """Delete the hour folders ``yyyy/mm/dd/hh`` that end at ``before`` or earlier; or ``only`` the files in them that
    it names of each.

    ``above`` is how many folders stand between ``root`` and the years. It may be stopped at any point and run again.
    Folders are opened one inside the other and never by path, so that a link put in between leads nowhere; a link
    that stands where a folder should is left alone. What has another name than an hour is not touched.
    """
    swept = Swept()
    with _opened(root, None, str(root), swept) as folder:
        if folder is not None:
            _Sweep(tuple(partition(before).split("/")), swept, dry_run, only).descend(folder, str(root), above, ())
    return swept


def sweep_file(path: Path, *, dry_run: bool = False) -> Swept:
    """Delete one file, and the folder it stands in when that is empty then."""
    swept = Swept()
    with _opened(path.parent, None, str(path.parent), swept) as folder:
        if folder is not None:
            _unlink(folder, path.name, str(path.parent), swept, dry_run)
    if not dry_run:
        with suppress(OSError):
            path.parent.rmdir()
    return swept


class _Sweep:
    def __init__(self, end: Level, swept: Swept, dry_run: bool, only: Callable[[Path], Collection[str]] | None) -> None:
        self._end, self._swept, self._dry_run, self._only = end, swept, dry_run, only

    def descend(self, folder: int, path: str, above: int, level: Level) -> None:
        for name in _entries(folder, path, self._swept):
            deeper = () if above else (*level, name)
            if deeper and (not _NAMES[len(level)].fullmatch(name) or deeper > self._end[: len(deeper)]):
                continue
            if len(deeper) == 4:
                if deeper < self._end:
                    self._hour(folder, name, path)
                continue
            with _opened(name, folder, f"{path}/{name}", self._swept) as inner:
                if inner is not None:
                    self.descend(inner, f"{path}/{name}", max(0, above - 1), deeper)
            # A day that is not over may get another hour at any moment, so its folder stays.
            if deeper and deeper < self._end[: len(deeper)] and not self._dry_run and self._only is None:
                with suppress(OSError):
                    os.rmdir(name, dir_fd=folder)

    def _hour(self, folder: int, name: str, path: str) -> None:
        if self._only is None:
            _remove(folder, name, path, self._swept, self._dry_run)
            return
        with _opened(name, folder, f"{path}/{name}", self._swept) as hour:
            if hour is None:
                return
            for one in sorted(self._only(Path(path, name))):
                _unlink(hour, one, f"{path}/{name}", self._swept, self._dry_run)


def _remove(parent: int, name: str, path: str, swept: Swept, dry_run: bool) -> None:
    """A folder with all that is in it: first the files, then the folders."""
    with _opened(name, parent, f"{path}/{name}", swept) as folder:
        if folder is None:
            return
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for inner, is_folder in sorted(found, key=lambda pair: (pair[1], pair[0])):
            (_remove if is_folder else _unlink)(folder, inner, f"{path}/{name}", swept, dry_run)
    if not dry_run:
        with suppress(OSError):
            os.rmdir(name, dir_fd=parent)


def _unlink(folder: int, name: str, path: str, swept: Swept, dry_run: bool) -> None:
    """A file, or a link itself and not what it leads to."""
    try:
        size = os.stat(name, dir_fd=folder, follow_symlinks=False).st_size
        if not dry_run:
            os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
    except OSError as error:
        swept.skip(f"{path}/{name}", error.strerror or str(error))
        return
    swept.files += 1
    swept.bytes += size


def _entries(folder: int, path: str, swept: Swept) -> list[str]:
    """The folders in a folder, by name."""
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                swept.skip(f"{path}/{entry.name}", "a symbolic link is not followed")
            elif entry.is_dir(follow_symlinks=False):
                names.append(entry.name)
    return sorted(names)


@contextmanager
def _opened(name: str | Path, parent: int | None, path: str, swept: Swept) -> Iterator[int | None]:
    """A folder's descriptor; None, with the reason noted, for what is none or cannot be opened."""
    try:
        folder = os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        link = os.path.islink(path)  # noqa: PTH114 -- only for the message
        swept.skip(path, "a symbolic link is not followed" if link else error.strerror or str(error))
        yield None
        return
    try:
        yield folder
    finally:
        os.close(folder)
