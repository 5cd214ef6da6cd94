"""Files of other nodes that a service shows or serves: had from the store when they are asked for."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from driftline.core.errors import DriftlineError, UnreachableError
from driftline.jobs.exchange import own_files
from driftline.jobs.shared import Shared

logger = logging.getLogger("driftline.service")
AGAIN = 10.0
"""Seconds after which what could not be had is asked for again."""
_WAIT = 2.0
"""Seconds that a model is waited for: most are there by then."""
_MOST_REMEMBERED = 10_000


class ModelFiles:
    """Model files, each fetched in a thread of its own, so that a slow store holds up nothing but the model."""

    def __init__(self, shared: Shared, monotonic: Callable[[], float] = time.monotonic, wait: float = _WAIT) -> None:
        self._shared, self._monotonic, self._wait = shared, monotonic, wait
        self._lock = threading.Lock()
        self._under_way: dict[Path, threading.Thread] = {}
        self._failed: dict[Path, tuple[float, DriftlineError]] = {}
        self._ended = False

    def have(self, path: Path) -> Path:
        """A model's file; raises :class:`UnreachableError` while it is on its way, and what kept it from coming."""
        if path.exists():
            return path
        with self._lock:
            failed = self._failed.get(path)
            if failed is not None and self._monotonic() - failed[0] < AGAIN:
                raise _unreached(failed[1])
            thread = self._under_way.get(path)
            if thread is None:
                thread = self._under_way[path] = threading.Thread(target=self._fetch, args=(path,), daemon=True)
                thread.start()
        thread.join(self._wait)
        if path.exists():
            return path
        with self._lock:
            if path in self._failed:
                raise _unreached(self._failed[path][1])
        raise UnreachableError("the model is being fetched from the store", hint="try again in a moment")

    def news(self) -> bool:
        """Whether, since this was asked last, a fetch ended, or one that failed may be tried again."""
        with self._lock:
            due = any(self._monotonic() - moment >= AGAIN for moment, _ in self._failed.values())
            ended, self._ended = self._ended, False
        return ended or due

    def _fetch(self, path: Path) -> None:
        failure: DriftlineError | None = None
        try:
            self._shared.have(path)
        except DriftlineError as error:
            failure = error
        except Exception as error:  # whatever it is, it must be told and tried again
            logger.exception("the model %s was not fetched", path)
            failure = DriftlineError(f"the model was not fetched: {type(error).__name__}", evidence=str(error)[:300])
        with self._lock:
            self._failed.pop(path, None)
            if failure is not None:
                self._failed[path] = self._monotonic(), failure
            self._under_way.pop(path, None)
            self._ended = True


class ReportFolders:
    """Report folders of runs that have ended. While the store cannot be reached only the first who asks waits."""

    def __init__(self, shared: Shared, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._shared, self._monotonic = shared, monotonic
        self._had: OrderedDict[Path, None] = OrderedDict()
        self._away: tuple[float, UnreachableError] | None = None

    def have(self, folder: Path) -> Path:
        """A report folder with all that the run left; raises what :class:`driftline.storage.objects.Objects` raises."""
        if folder in self._had or self._made_here(folder):
            return folder
        if self._away is not None and self._monotonic() - self._away[0] < AGAIN:
            raise self._away[1]
        try:
            self._shared.have_folder(folder)
        except UnreachableError as error:
            self._away = self._monotonic(), error
            raise
        self._had[folder] = None
        while len(self._had) > _MOST_REMEMBERED:
            self._had.popitem(last=False)
        return folder

    def _made_here(self, folder: Path) -> bool:
        """Whether this node sent the report itself."""
        files = own_files(folder)
        return bool(files) and all(self._shared.stored(file) for file in files)


def _unreached(error: DriftlineError) -> UnreachableError:
    return UnreachableError(error.what, evidence=error.evidence, hint=error.hint)
