"""What a run found, whichever monitor it was of."""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.core.documents import Violation
from driftline.core.verdict import Judgement
from driftline.engine.rejects import Reject
from driftline.pipeline.steps import Step
from driftline.resources.metrics import Dimensioned, StatisticSet


class RunResult(msgspec.Struct, frozen=True):
    """What a run found. ``metrics`` has every metric by name; of model quality also its deviation as ``name_std``.

    ``statistics`` is what the store keeps; the report's file of that name may hold more. ``dimensioned`` are metrics
    that have dimensions beside those of the run.
    """

    judgement: Judgement
    item_count: int
    statistics: dict[str, Any]
    violations: tuple[Violation, ...]
    steps: tuple[Step, ...]
    rejects: tuple[Reject, ...]
    metrics: dict[str, float | StatisticSet | None]
    counts: dict[str, int]
    estimate: dict[str, Any] | None = None
    dimensioned: tuple[Dimensioned, ...] = ()
