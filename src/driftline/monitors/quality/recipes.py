"""The recipe of each problem type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

from driftline.core.errors import InputError
from driftline.monitors.quality.binary import BinaryQuality
from driftline.monitors.quality.estimation import History
from driftline.monitors.quality.multiclass import MulticlassQuality
from driftline.monitors.quality.regression import RegressionQuality
from driftline.monitors.quality.result import QualityResult
from driftline.stats.estimation import Estimate

PROBLEM_TYPES = ("BinaryClassification", "MulticlassClassification", "Regression")


class Recipe(Protocol):
    """What every problem type offers: a mergeable state of rows, and the metrics it stands for.

    ``constrained`` names the metrics that get constraints, with their operators.
    """

    constrained: dict[str, str]

    def update(self, batch: pa.RecordBatch) -> Any:
        """The state of one batch; its ``tally`` says what was seen."""

    def merge(self, states: Sequence[Any]) -> Any:
        """The state of all the rows that the given states saw."""

    def measure(self, batches: Iterable[pa.RecordBatch]) -> Any:
        """The state of all batches."""

    def result(self, state: Any) -> QualityResult:
        """The metrics of the rows seen."""

    def calibration(self, state: Any) -> dict[str, Any] | None:
        """What a baseline of these rows stores for estimates without labels; None where none can be made."""

    def estimate(self, state: Any, calibration: Mapping[str, Any], history: History) -> Estimate | None:
        """The metrics as they are estimated without any label; None where none can be made."""


def recipe(
    problem_type: str,
    *,
    threshold: float = 0.5,
    seed: int = 0,
    classes: Sequence[str] = (),
    estimating: bool = False,
) -> Recipe:
    """The recipe of a problem type.

    ``threshold`` and ``estimating`` matter to binary problems only, ``classes`` (one name a probability) to those of
    several classes.
    """
    if problem_type == "BinaryClassification":
        return BinaryQuality(threshold=threshold, seed=seed, estimating=estimating)
    if problem_type == "MulticlassClassification":
        return MulticlassQuality(seed=seed, classes=classes)
    if problem_type == "Regression":
        return RegressionQuality(seed=seed)
    raise InputError(f"problem type {problem_type!r} is not supported", hint=f"use one of {', '.join(PROBLEM_TYPES)}")
