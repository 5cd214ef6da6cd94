"""A run of any monitor."""

from __future__ import annotations

from datetime import datetime

from driftline.pipeline.captured import run_model_quality
from driftline.pipeline.result import RunResult
from driftline.pipeline.run import AttributionRun, BiasRun, DataQualityRun, MergingRun, ProgramRun, Run
from driftline.pipeline.steps import Progress
from driftline.storage.buckets import open_objects
from driftline.storage.layout import Layout


def run_monitor(run: Run, *, now: datetime | None = None, progress: Progress | None = None) -> RunResult:
    """What a run finds; its kind says which monitor it is of. Merged records are written too where they are wanted."""
    if run.transform is not None:
        from driftline.pipeline.transform_captures import with_captures

        run = with_captures(open_objects(Layout(run.transform.data)), run)
    result = _result(run, now, progress)
    if isinstance(run, MergingRun) and run.merged:
        from driftline.pipeline.merging import write_merged

        write_merged(run)
    return result


def _result(run: Run, now: datetime | None, progress: Progress | None) -> RunResult:
    if isinstance(run, DataQualityRun):
        from driftline.pipeline.data_quality import run_data_quality

        return run_data_quality(run, now=now, progress=progress)
    if isinstance(run, BiasRun):
        from driftline.pipeline.bias import run_bias

        return run_bias(run, now=now, progress=progress)
    if isinstance(run, AttributionRun):
        from driftline.pipeline.attribution import run_attribution

        return run_attribution(run, now=now, progress=progress)
    if isinstance(run, ProgramRun):
        from driftline.pipeline.external.scheduled import run_program

        return run_program(run, progress=progress)
    return run_model_quality(run, now=now, progress=progress)
