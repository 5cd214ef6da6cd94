"""Captures joined with their labels, for training the next model."""

from __future__ import annotations

import tempfile
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from driftline.core.errors import InputError, SetupError
from driftline.core.window import Window
from driftline.engine.export import MergedExport, Written
from driftline.engine.files import list_files

_DAY = timedelta(days=1)
_EVER = datetime(9999, 12, 31, tzinfo=UTC)


def export_merged(
    captures: str | Path,
    labels: str | Path,
    target: str | Path,
    *,
    window: Window | None = None,
    columns: bool = False,
    unlabelled: bool = False,
) -> Written:
    """Write the captures of a window with their labels to ``target``: Parquet, or JSON lines as of a merge job.

    Parquet has one row a prediction, with ``columns`` its CSV input in one column a cell; JSON lines have one record a
    request. Events captured twice stand there once, and of several labels the newest counts. Predictions without a
    label are left out unless ``unlabelled``. The memory needed does not grow with the window. The file appears when it
    is whole. Raises :class:`InputError` when there is nothing to write or the name ends in neither ``.parquet`` nor
    ``.jsonl``.
    """
    path = Path(target)
    if path.suffix not in (".parquet", ".jsonl"):
        raise InputError(f"{path.name} is no name for an export", hint="let it end in .parquet or .jsonl")
    files = list_files(captures, window)
    if not files:
        when = "" if window is None else f" in {window}"
        raise InputError(f"no captures{when}", evidence=str(captures), hint="choose another window or endpoint")
    # A label may have come at any time since the day before the window, as in a run.
    since = None if window is None else Window(window.start - _DAY, _EVER)
    truths = list_files(labels, since) if Path(labels).exists() else []
    unfinished = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix="driftline-") as spill,
            MergedExport(files, truths, window, spill=spill) as export,
        ):
            if path.suffix == ".parquet":
                written = export.parquet(unfinished, columns=columns, unlabelled=unlabelled)
            else:
                written = export.lines(unfinished, unlabelled=unlabelled)
        unfinished.replace(path)
    except OSError as error:
        raise SetupError(f"cannot write {path}", evidence=str(error), hint="choose another place") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return written
