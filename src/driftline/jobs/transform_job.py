"""The batch job of a transform."""

from __future__ import annotations

import msgspec

from driftline.jobs.batch_kinds import BatchDone, BatchWork
from driftline.pipeline.steps import Progress
from driftline.pipeline.transform import run_transform
from driftline.storage.buckets import open_objects


def run(work: BatchWork, progress: Progress) -> BatchDone:
    """Do what a job of the kind ``transform`` was told."""
    layout = work.layout
    found = run_transform(open_objects(layout), layout.data, work.settings, now=work.now, progress=progress)
    return BatchDone(f"Completed: {found.records:,} rows of {found.files:,} objects.", msgspec.to_builtins(found))
