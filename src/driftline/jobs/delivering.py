"""What a run found, written to the bucket that its schedule names, under the original service's paths and names."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from driftline.core.uris import ObjectUri
from driftline.core.window import partition
from driftline.jobs.places import output_of
from driftline.pipeline import ProgramRun, Run
from driftline.pipeline.external.folders import OUTPUT
from driftline.pipeline.merging import FOLDER
from driftline.resources.schedules import Schedule
from driftline.storage.objects import Objects

VIOLATIONS = "constraint_violations.json"
_OF_TABLES = ("statistics.json", "constraints.json", VIOLATIONS, "report.html")
_OF_ANALYSES = ("analysis.json", "report.html")
_NAMES = {"model-quality": _OF_TABLES, "data-quality": _OF_TABLES, "bias": _OF_ANALYSES, "attribution": _OF_ANALYSES}


def report_uri(output: ObjectUri, schedule: Schedule, tick: datetime) -> ObjectUri:
    """Where the files of a run are: ``OUTPUT/ENDPOINT/SCHEDULE/yyyy/mm/dd/hh``, the hour of its tick; of a schedule
    that looks at batch transforms there is no endpoint."""
    below = output if schedule.of_batches else output / schedule.endpoint
    return below / schedule.name / partition(tick.astimezone(UTC))


def merged_uri(output: ObjectUri, schedule: Schedule, part: str) -> ObjectUri:
    """Where a file of merged records is: ``OUTPUT/merge/ENDPOINT/VARIANT/yyyy/mm/dd/hh/NAME``, and of batch transforms
    ``OUTPUT/merge/SCHEDULE/yyyy/mm/dd/hh/NAME``. ``part`` begins with the variant."""
    if schedule.of_batches:
        return output / FOLDER / schedule.name / part.partition("/")[2]
    return output / FOLDER / schedule.endpoint / part


def deliver(objects: Objects, schedule: Schedule, tick: datetime, run: Run, *, violated: bool) -> None:
    """Write the files of a run that has a result, and the merged records, to its schedule's ``output``, where it has
    one. Violations of bias and attributions have a file only where there are any; older ones are taken away. Raises
    what :class:`Objects` raises."""
    output = output_of(schedule)
    if output is None or run.report is None:
        return
    report, target = Path(run.report), report_uri(output, schedule, tick)
    names = {file.relative_to(root).as_posix(): file for root, file in _files(report, run, schedule, violated)}
    for name, file in sorted(names.items()):
        objects.put_file(target / name, file)
    if VIOLATIONS not in names:
        objects.remove(target / VIOLATIONS)
    merged = report / FOLDER
    for file in sorted(merged.rglob("*.jsonl")):
        objects.put_file(merged_uri(output, schedule, file.relative_to(merged).as_posix()), file)
    shutil.rmtree(merged, ignore_errors=True)


def _files(report: Path, run: Run, schedule: Schedule, violated: bool) -> Iterator[tuple[Path, Path]]:
    """The files of a report, each with the folder that its name begins in: of a program all that it left."""
    if isinstance(run, ProgramRun):
        left = report / OUTPUT
        yield from ((left, file) for file in left.rglob("*") if file.is_file() and not file.is_symlink())
        return
    names = _NAMES[schedule.monitor]
    for name in names if VIOLATIONS in names or not violated else (*names, VIOLATIONS):
        if (report / name).is_file():
            yield report, report / name
