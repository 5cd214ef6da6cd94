"""An external program in the place of an analysis: what it is told, how it is run, and what it may leave."""

from __future__ import annotations

from driftline.pipeline.external.contract import Contract, variables
from driftline.pipeline.external.running import ExternalResult, ProgramError, run_external

__all__ = ["Contract", "ExternalResult", "ProgramError", "run_external", "variables"]
