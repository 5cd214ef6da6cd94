"""Where what is measured of the hours of a run is kept, whatever it measures."""

from __future__ import annotations

from driftline.pipeline import measuring, profiling
from driftline.pipeline.pieces import Pieces
from driftline.pipeline.run import BiasRun, DataQualityRun, ModelQualityRun, Run


def kept_of(run: Run) -> Pieces | None:
    """The kept pieces of a run; None where none are."""
    if isinstance(run, ModelQualityRun | BiasRun):
        return measuring.pieces_of(run)
    return profiling.pieces_of(run) if isinstance(run, DataQualityRun) else None
