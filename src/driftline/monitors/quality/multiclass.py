"""Quality of a classifier of several classes, whose names may be any text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from driftline.analyzers.confusion import Confusion, ConfusionMatrix, ConfusionState
from driftline.core.sampling import GROUPS, samples_of_groups
from driftline.monitors.encoding import canonical_classes
from driftline.monitors.quality.binary import whole
from driftline.monitors.quality.result import (
    LEVEL,
    MINIMUM_FOR_DEVIATION,
    QualityResult,
    Values,
    jackknifed,
    measured,
)
from driftline.monitors.quality.rows import Tally, folded, judged, tally
from driftline.stats import intervals, multiclass

CONSTRAINED = dict.fromkeys(multiclass.NAMES, "LessThanThreshold")
_SUFFIX = "_best_constant_classifier"
_PROPORTIONS = ("accuracy", "weighted_recall")


class MulticlassState(msgspec.Struct, frozen=True):
    """What is remembered of the rows seen."""

    confusion: ConfusionState
    tally: Tally = Tally()


class MulticlassQuality:
    """Measures predicted classes against labels. ``seed`` draws the five 80 % samples behind the deviations."""

    constrained = CONSTRAINED

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed
        self.confusion = Confusion()

    def update(self, batch: pa.RecordBatch) -> MulticlassState:
        """The state of one batch of (id, row, prediction, label, and optionally weight)."""
        labels, predictions = batch.column("label"), batch.column("prediction")
        usable = (labels.is_valid() if predictions.null_count == 0 else _both(labels, predictions)).to_numpy(
            zero_copy_only=False
        )
        columns = {"actual": canonical_classes(labels), "predicted": canonical_classes(predictions)}
        rows = judged(batch, usable, self.seed, columns)
        return MulticlassState(self.confusion.update(rows), tally(batch, usable))

    def merge(self, states: Sequence[MulticlassState]) -> MulticlassState:
        """The state of all the rows that the given states saw."""
        confusion = self.confusion.merge([state.confusion for state in states])
        return MulticlassState(confusion, sum((state.tally for state in states), Tally()))

    def measure(self, batches: Iterable[pa.RecordBatch]) -> MulticlassState:
        """The state of all batches."""
        return folded(self.merge, (self.update(batch) for batch in batches))

    def result(self, state: MulticlassState) -> QualityResult:
        """Every metric of the rows seen."""
        confusion = self.confusion.result(state.confusion)
        samples: Any = samples_of_groups(self.seed) if confusion.rows >= MINIMUM_FOR_DEVIATION else []
        extras = {"confusion_matrix": _matrix(confusion)}
        return QualityResult("MulticlassClassification", confusion.rows, _metrics(confusion, samples), extras)


def _both(labels: Any, predictions: Any) -> Any:
    import pyarrow.compute as pc

    return pc.and_(labels.is_valid(), predictions.is_valid())


def _values(margins: Any) -> Values:
    found = multiclass.metrics(*margins)
    constant = multiclass.metrics(*multiclass.always_majority(*margins))
    return found | {f"{name}{_SUFFIX}": value for name, value in constant.items()}


def _metrics(confusion: ConfusionMatrix, samples: Any) -> dict[str, Any]:
    total = confusion.margins.sum(axis=0)
    groups = [group for group in range(GROUPS) if confusion.margins[group].any()]
    without = [_values(total - confusion.margins[group]) for group in groups]
    parts = [_values(confusion.margins[kept].sum(axis=0)) for kept in samples]

    def bounds(name: str, value: float, left: Sequence[float | None]) -> tuple[tuple[float, float], str] | None:
        # Where all rows count as right, or none, they do not differ: no group tells of the error.
        if (name in _PROPORTIONS or value in (0.0, 1.0)) and not confusion.weighted:
            found = intervals.wilson(value * confusion.rows, confusion.rows, LEVEL)
            return None if found is None else (found, "Wilson score")
        found = jackknifed(value, left, "logit")
        return None if found is None else (found, "delete-a-group jackknife on the logit")

    every = _values(total)
    return measured(every, parts, without, dict.fromkeys(every, "no rows"), bounds)


def _matrix(confusion: ConfusionMatrix) -> dict[str, dict[str, float]]:
    rows = zip(confusion.labels, confusion.cells.tolist(), strict=True)
    return {
        actual: {name: whole(value) for name, value in zip(confusion.labels, row, strict=True)} for actual, row in rows
    }
