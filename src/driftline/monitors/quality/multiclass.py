"""Quality of a classifier of several classes, whose names may be any text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.analyzers.confusion import Confusion, ConfusionMatrix, ConfusionState
from driftline.analyzers.vectors import Vectors, VectorState, as_matrix
from driftline.core.errors import InputError
from driftline.core.sampling import samples_of_groups
from driftline.core.state import MOST_HELD, folded
from driftline.monitors.encoding import canonical, canonical_classes
from driftline.monitors.quality import multiclass_estimation
from driftline.monitors.quality.areas import MACRO
from driftline.monitors.quality.binary import whole
from driftline.monitors.quality.estimation import History
from driftline.monitors.quality.probability_vectors import vector_metrics
from driftline.monitors.quality.result import (
    LEVEL,
    MINIMUM_FOR_DEVIATION,
    QualityResult,
    Values,
    jackknifed,
    measured,
)
from driftline.monitors.quality.rows import Tally, judged, tally
from driftline.stats import intervals, multiclass
from driftline.stats.estimation import Estimate
from driftline.stats.masses import Masses, masses
from driftline.stats.masses import merged as masses_of
from driftline.stats.vectors import are_distributions

CONSTRAINED = dict.fromkeys(multiclass.NAMES, "LessThanThreshold")
CONSTRAINED_WITH_VECTORS = CONSTRAINED | {MACRO: "LessThanThreshold"}
MOST_HELD_WITH_VECTORS = 4
"""States of probabilities can be of 36 MB each: fewer are held at a time."""
_SUFFIX = "_best_constant_classifier"
_PROPORTIONS = ("accuracy", "weighted_recall")


class MulticlassState(msgspec.Struct, frozen=True):
    """What is remembered of the rows seen: ``vectors`` of those with probabilities and a label, ``said`` of all that
    have probabilities and a prediction, labelled or not."""

    confusion: ConfusionState
    tally: Tally = Tally()
    vectors: VectorState | None = None
    said: Masses | None = None


class MulticlassQuality:
    """Measures predicted classes against labels. ``seed`` draws the five 80 % samples behind the deviations.

    With ``classes``, the names in the order of the probabilities, a batch's ``score`` is a list of one probability a
    class; where a row has no prediction, its most probable class is its prediction (of equals the first).
    """

    constrained = CONSTRAINED

    def __init__(self, *, seed: int = 0, classes: Sequence[str] = ()) -> None:
        self.seed = seed
        if classes:
            self.constrained = CONSTRAINED_WITH_VECTORS
        self.classes = tuple(canonical(name) for name in classes)
        if len(set(self.classes)) < len(self.classes):
            raise InputError(
                "two probabilities are of the same class",
                evidence=", ".join(classes)[:200],
                hint="name every class once; numbers that are equal, such as 1 and 1.0, are one class",
            )
        self.confusion = Confusion()
        self.vectors = Vectors(len(classes)) if classes else None

    def update(self, batch: pa.RecordBatch) -> MulticlassState:
        """The state of one batch of (id, row, score, prediction, label, and optionally weight)."""
        vectors = Probabilities.of(batch.column("score"), len(self.classes)) if self.classes else None
        labels, predictions = canonical_classes(batch.column("label")), self._decisions(batch, vectors)
        usable = (labels.is_valid() if predictions.null_count == 0 else _both(labels, predictions)).to_numpy(
            zero_copy_only=False
        )
        rows = judged(batch, usable, self.seed, {"actual": labels, "predicted": predictions})
        state = MulticlassState(self.confusion.update(rows), tally(batch, usable))
        if vectors is None or self.vectors is None:
            return state
        measured = self.vectors.update(self._measured(batch, vectors, labels, usable))
        return msgspec.structs.replace(state, vectors=measured, said=self._said(vectors, predictions))

    def merge(self, states: Sequence[MulticlassState]) -> MulticlassState:
        """The state of all the rows that the given states saw."""
        confusion = self.confusion.merge([state.confusion for state in states])
        merged = MulticlassState(confusion, sum((state.tally for state in states), Tally()))
        if self.vectors is None:
            return merged
        vectors = self.vectors.merge([state.vectors for state in states if state.vectors])
        said = [state.said for state in states if state.said]
        return msgspec.structs.replace(merged, vectors=vectors, said=masses_of(said) if said else None)

    def measure(self, batches: Iterable[pa.RecordBatch]) -> MulticlassState:
        """The state of all batches."""
        states = (self.update(batch) for batch in batches)
        return folded(self.merge, states, most=MOST_HELD if self.vectors is None else MOST_HELD_WITH_VECTORS)

    def result(self, state: MulticlassState) -> QualityResult:
        """Every metric of the rows seen."""
        confusion = self.confusion.result(state.confusion)
        samples: Any = samples_of_groups(self.seed) if confusion.rows >= MINIMUM_FOR_DEVIATION else []
        metrics, extras = _metrics(confusion, samples), dict[str, Any](confusion_matrix=_matrix(confusion))
        if state.vectors is not None and self.vectors is not None and state.vectors.rows:
            sums = self.vectors.result(state.vectors)
            found, more = vector_metrics(sums, self.classes, samples, weighted=confusion.weighted)
            metrics |= found
            extras |= {"classes": list(self.classes), "rows_with_probabilities": sums.rows} | more
        return QualityResult("MulticlassClassification", confusion.rows, metrics, extras)

    def calibration(self, state: MulticlassState) -> dict[str, Any] | None:
        """What a baseline of these rows stores for estimates without labels; None without probabilities."""
        if state.said is None or not state.said.rows.sum():
            return None
        return multiclass_estimation.calibration_document(
            state.said, self.confusion.result(state.confusion), self.classes
        )

    def estimate(self, state: MulticlassState, calibration: Mapping[str, Any], history: History) -> Estimate | None:
        """The metrics as they are estimated without any label; None where nothing was kept for it."""
        if state.said is None:
            return None
        return multiclass_estimation.estimate(calibration, state.said, self.classes, seed=self.seed, history=history)

    def _decisions(self, batch: pa.RecordBatch, vectors: Probabilities | None) -> pa.DictionaryArray:
        given = canonical_classes(batch.column("prediction"))
        if vectors is None or given.null_count == 0:
            return given
        derived = pa.DictionaryArray.from_arrays(pa.array(vectors.most_probable()), pa.array(self.classes))
        if given.null_count == len(given):
            return derived
        return canonical_classes(pc.coalesce(pc.cast(given, pa.string()), pc.cast(derived, pa.string())))

    def _measured(
        self, batch: pa.RecordBatch, vectors: Probabilities, labels: pa.DictionaryArray, usable: Any
    ) -> pa.RecordBatch:
        """The rows with probabilities whose label is one of the classes."""
        actual = self._places(labels)
        columns = {"vector": vectors.column, "actual": pa.array(actual)}
        return judged(batch, usable & vectors.there & (actual >= 0), self.seed, columns)

    def _said(self, vectors: Probabilities, predictions: pa.DictionaryArray) -> Masses:
        places = self._places(predictions)
        known = vectors.there & (places >= 0)
        found = masses(vectors.matrix[known], places[known])
        return found._replace(invalid=found.invalid + int((vectors.there & (places < 0)).sum()))

    def _places(self, column: pa.DictionaryArray) -> Any:
        """Each row's place among the classes; -1 for any other value, and for none."""
        where = {name: place for place, name in enumerate(self.classes)}
        table = np.array([where.get(name, -1) for name in column.dictionary.to_pylist()] + [-1], dtype=np.int32)
        return table[pc.fill_null(column.indices, len(table) - 1).to_numpy(zero_copy_only=False)]


class Probabilities(msgspec.Struct, frozen=True):
    """A batch's vectors: which rows have one, all as a matrix (zeros where there is none), and as a column."""

    there: Any
    matrix: Any
    column: pa.Array

    @classmethod
    def of(cls, scores: pa.Array, classes: int) -> Probabilities:
        """Of a column of lists of so many numbers; a list of another length, or null, is no vector."""
        lengths = pc.fill_null(pc.list_value_length(scores), 0).to_numpy(zero_copy_only=False)
        there, matrix = lengths == classes, np.zeros((len(scores), classes))
        matrix[there] = as_matrix(scores.filter(pa.array(there)), classes)
        there &= are_distributions(matrix)
        matrix[~there] = 0.0
        return cls(there, matrix, pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), classes))

    def most_probable(self) -> pa.Array:
        """The first of the most probable classes of each row; null where there is no vector."""
        return pa.array(self.matrix.argmax(axis=1).astype(np.int32), mask=~self.there)


def _both(labels: Any, predictions: Any) -> Any:
    return pc.and_(labels.is_valid(), predictions.is_valid())


def _values(margins: Any) -> list[Values]:
    """The metrics of many margins at once, [some, kind, classes]."""
    kinds = np.moveaxis(margins, 1, 0)
    constant = multiclass.averages(*multiclass.always_majority(*kinds))
    found = multiclass.averages(*kinds) | {f"{name}{_SUFFIX}": values for name, values in constant.items()}
    rows = zip(*(values.tolist() for values in found.values()), strict=True)
    return [
        {name: None if math.isnan(value) else value for name, value in zip(found, row, strict=True)} for row in rows
    ]


def _metrics(confusion: ConfusionMatrix, samples: Any) -> dict[str, Any]:
    total = confusion.margins.sum(axis=0)
    groups = confusion.margins.any(axis=(1, 2))
    without = _values(total - confusion.margins[groups])
    parts = _values(np.stack([confusion.margins[kept].sum(axis=0) for kept in samples])) if len(samples) else []

    def bounds(name: str, value: float, left: Sequence[float | None]) -> tuple[tuple[float, float], str] | None:
        # Where all rows count as right, or none, they do not differ: no group tells of the error.
        if (name in _PROPORTIONS or value in (0.0, 1.0)) and not confusion.weighted:
            found = intervals.wilson(value * confusion.rows, confusion.rows, LEVEL)
            return None if found is None else (found, "Wilson score")
        found = jackknifed(value, left, "logit")
        return None if found is None else (found, "delete-a-group jackknife on the logit")

    (every,) = _values(total[None])
    return measured(every, parts, without, dict.fromkeys(every, "no rows"), bounds)


def _matrix(confusion: ConfusionMatrix) -> dict[str, dict[str, float]]:
    rows = zip(confusion.labels, confusion.cells.tolist(), strict=True)
    return {
        actual: {name: whole(value) for name, value in zip(confusion.labels, row, strict=True)} for actual, row in rows
    }
