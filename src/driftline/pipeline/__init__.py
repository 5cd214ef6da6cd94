"""One run without a service: read → merge → analyse → check. Called by jobs, by the command line and by the library."""

from __future__ import annotations

from driftline.pipeline.captured import read_calibration, run_model_quality
from driftline.pipeline.dispatch import run_monitor
from driftline.pipeline.result import RunResult
from driftline.pipeline.run import BiasRun, DataQualityRun, ModelQualityRun, ProgramRun, Run
from driftline.pipeline.steps import Progress, Step
from driftline.pipeline.tables import Baseline, Checked, baseline_model_quality, check_model_quality

__all__ = [
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
