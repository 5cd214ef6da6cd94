"""``python -m driftline.jobs --data DIR``: the scheduler as a process."""

from __future__ import annotations

import sys

from driftline.jobs.process import main
from driftline.pipeline import ModelQualityRun, RunResult, run_model_quality


def run(asked: ModelQualityRun) -> RunResult:
    """The pipeline, dated by the clock that the schedules follow."""
    return run_model_quality(asked, now=asked.as_of)


if __name__ == "__main__":
    sys.exit(main(run))
