"""The records of a run with their labels, beside its report: a file for each variant and hour, as a merge job's."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from driftline.core.window import format_time
from driftline.engine.export import MergedExport
from driftline.engine.files import list_files
from driftline.pipeline.measuring import label_files
from driftline.pipeline.run import MergingRun

FOLDER = "merge"
_HOUR = re.compile(r"(?P<variant>.+)/(?P<hour>\d{4}/\d{2}/\d{2}/\d{2})/[^/]+")


def write_merged(run: MergingRun) -> list[Path]:
    """Write ``merge/VARIANT/yyyy/mm/dd/hh/part-00000-UUID.c000.jsonl`` in the folder of a run's report, of the hours
    of the captures; their paths. The same window has the same names, whenever it is run. Hours without any labelled
    record have no file. Captures outside hour folders have no hour and are left out."""
    parts = _parts(run)
    if not parts or run.report is None:
        return []
    written = []
    with (
        tempfile.TemporaryDirectory(prefix="driftline-") as spill,
        MergedExport(
            [file for files in parts.values() for file in files], label_files(run), run.window, spill=spill
        ) as export,
    ):
        for (variant, hour), files in parts.items():
            target = Path(run.report) / FOLDER / variant / hour / _name(run, variant, hour)
            target.parent.mkdir(parents=True, exist_ok=True)
            if export.lines(target, unlabelled=False, files=files).rows:
                written.append(target)
            else:
                target.unlink()
    return written


def _parts(run: MergingRun) -> dict[tuple[str, str], list[str]]:
    """The capture files by variant and hour."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for file in list_files(run.captures, run.window) if run.labels is not None else ():
        match = _HOUR.fullmatch(Path(file).relative_to(run.captures).as_posix())
        if match is not None:
            found[match["variant"], match["hour"]].append(file)
    return dict(found)


def _name(run: MergingRun, variant: str, hour: str) -> str:
    window = () if run.window is None else (format_time(run.window.start), format_time(run.window.end))
    mark = uuid5(NAMESPACE_URL, "\n".join([run.captures, str(run.labels), variant, hour, *window]))
    return f"part-00000-{mark}.c000.jsonl"
