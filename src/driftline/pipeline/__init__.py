"""One run without a service: read → merge → analyse → check. Called by jobs, by the command line and by the library.

The names are loaded when they are first used, so that whoever needs one monitor does not load the others.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftline.pipeline.captured import read_calibration, run_model_quality
    from driftline.pipeline.dispatch import run_monitor
    from driftline.pipeline.result import RunResult
    from driftline.pipeline.run import AttributionRun, BiasRun, DataQualityRun, ModelQualityRun, ProgramRun, Run
    from driftline.pipeline.steps import Progress, Step
    from driftline.pipeline.tables import Baseline, Checked, baseline_model_quality, check_model_quality

_WHERE = {
    "Baseline": "tables",
    "Checked": "tables",
    "AttributionRun": "run",
    "BiasRun": "run",
    "DataQualityRun": "run",
    "ModelQualityRun": "run",
    "ProgramRun": "run",
    "Progress": "steps",
    "Run": "run",
    "RunResult": "result",
    "Step": "steps",
    "baseline_model_quality": "tables",
    "check_model_quality": "tables",
    "read_calibration": "captured",
    "run_model_quality": "captured",
    "run_monitor": "dispatch",
}

__all__ = [
    "AttributionRun",
    "Baseline",
    "BiasRun",
    "Checked",
    "DataQualityRun",
    "ModelQualityRun",
    "ProgramRun",
    "Progress",
    "Run",
    "RunResult",
    "Step",
    "baseline_model_quality",
    "check_model_quality",
    "read_calibration",
    "run_model_quality",
    "run_monitor",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'driftline.pipeline' has no attribute {name!r}")
    return getattr(importlib.import_module(f"driftline.pipeline.{_WHERE[name]}"), name)
