"""Analyzers of other people: found by name or file, checked against the laws, measured beside ours."""

from __future__ import annotations

from driftline.pipeline.custom.finding import GROUP, load_analyzer, load_analyzers
from driftline.pipeline.custom.measuring import CustomMeasures, CustomResult

__all__ = ["GROUP", "CustomMeasures", "CustomResult", "load_analyzer", "load_analyzers"]
