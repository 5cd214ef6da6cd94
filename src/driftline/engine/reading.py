"""How the database of one machine reads files of JSON lines: settings, parameters, and what was found."""

from __future__ import annotations

from typing import Any

import duckdb
import msgspec

from driftline.core.errors import DriftlineError, InputError, SetupError
from driftline.core.window import Window
from driftline.engine.rejects import Reject
from driftline.engine.sources import used

LONGEST_LINES = (16 << 20, 256 << 20)
SETTINGS: dict[str, Any] = {
    # Order costs a third of the time of a read and is asked for only where the newest of several labels is needed.
    "preserve_insertion_order": False,
    "autoinstall_known_extensions": False,
    "allow_community_extensions": False,
}


class Found(msgspec.Struct, frozen=True):
    """What reading one side found: records read, rows that can be used, repeats dropped, and what was refused."""

    records: int
    usable: int
    duplicates: int
    rejects: tuple[Reject, ...]


def read_files(db: duckdb.DuckDBPyConnection, statement: str, parameters: dict[str, Any]) -> None:
    """Run a statement that reads files, with room for longer lines only where there are any."""
    for longest in LONGEST_LINES:
        parameters["longest"] = longest
        try:
            db.execute(statement, used(statement, parameters))
            return
        except duckdb.Error as error:
            if "maximum_object_size" in str(error) and longest != LONGEST_LINES[-1]:
                continue
            raise _unreadable(error) from None


def times_of(window: Window | None) -> dict[str, Any]:
    """The start and the end of a window as statements name them, where there is one."""
    if window is None:
        return {}
    return {"start": window.start.replace(tzinfo=None), "end": window.end.replace(tzinfo=None)}


def _unreadable(error: duckdb.Error) -> DriftlineError:
    shown = str(error).splitlines()[0][:300]
    if isinstance(error, duckdb.OutOfMemoryException):
        return SetupError("the memory limit is too low to read the files", evidence=shown, hint="raise it")
    return InputError("a file cannot be read", evidence=shown, hint="mend or remove that file, then run again")
