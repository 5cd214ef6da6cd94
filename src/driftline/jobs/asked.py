"""What a schedule asks the pipeline for."""

from __future__ import annotations

from datetime import datetime

from driftline.core.window import Window
from driftline.jobs.attributes import output_attributes
from driftline.monitors.quality.checks import MINIMUM_SAMPLE
from driftline.pipeline import ModelQualityRun
from driftline.resources.schedules import Schedule
from driftline.storage.layout import Layout


def asked(layout: Layout, schedule: Schedule, window: Window, as_of: datetime) -> ModelQualityRun:
    """The run of a window with the labels that are there at ``as_of``; not yet what it is held against."""
    return ModelQualityRun(
        captures=str(layout.captures(schedule.endpoint)),
        labels=str(layout.labels(schedule.endpoint)),
        problem_type=schedule.problem_type,
        attributes=output_attributes(schedule.attributes),
        window=window,
        as_of=as_of,
        minimum_sample=int(schedule.attributes.get("minimum_sample", MINIMUM_SAMPLE)),
        pieces=str(layout.pieces(schedule.endpoint)),
    )
