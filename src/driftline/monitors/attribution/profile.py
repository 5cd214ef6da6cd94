"""What weighs in a model's predictions: from explained rows to the global attribution of every feature."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.analyzers.attributions import Attributions, AttributionState, Global
from driftline.core.attribution_analysis import Aggregation, Attribution, AttributionAnalysis, LabelAttributions
from driftline.core.documents import Interval
from driftline.core.state import folded
from driftline.monitors.attribution.drift import RankingDrift, compare
from driftline.monitors.quality.result import LEVEL, jackknifed

Floats = npt.NDArray[np.float64]
METHOD = "delete-a-group jackknife on the log"


class AttributionProfile:
    """Measures explained rows, batches of :func:`driftline.monitors.attribution.rows.explained`.

    ``features``, ``labels``, ``expected`` and ``method`` are those of the explainer; the state is of one explainer and
    one aggregation, and is merged with others of the same.
    """

    def __init__(
        self,
        features: Sequence[str],
        labels: Sequence[str],
        expected: Floats,
        *,
        method: str,
        aggregation: Aggregation = "mean_abs",
    ) -> None:
        self.features = tuple(features)
        self.labels = tuple(labels)
        self.expected = expected
        self.method = method
        self.aggregation = aggregation
        self.sums = Attributions(len(self.features), len(self.labels), medians=aggregation == "median")

    def update(self, batch: pa.RecordBatch) -> AttributionState:
        """The state of one batch of explained rows."""
        return self.sums.update(batch)

    def merge(self, states: Sequence[AttributionState]) -> AttributionState:
        """The state of all the rows that the given states saw."""
        return self.sums.merge(states)

    def measure(self, batches: Iterable[pa.RecordBatch]) -> AttributionState:
        """The state of all batches."""
        return folded(self.merge, (self.update(batch) for batch in batches))

    def result(self, state: AttributionState) -> AttributionAnalysis:
        """The attribution of every feature of every output with its interval; of no rows there are no features."""
        found = self._global(state)
        labels = tuple(self._label(found, place) for place in range(len(self.labels)))
        return AttributionAnalysis(labels, self.aggregation, self.method, state.rows)

    def compare(self, state: AttributionState, baseline: AttributionAnalysis) -> tuple[RankingDrift, ...]:
        """How far the ranking of every output is from the baseline's."""
        return compare(self.features, self.labels, self._global(state), baseline)

    def _global(self, state: AttributionState) -> Global:
        return self.sums.result(state).aggregate(self.aggregation)

    def _label(self, found: Global, place: int) -> LabelAttributions:
        values = found.whole[place].tolist()
        without = found.without[:, place].T.tolist()
        features = tuple(
            Attribution(name, value, _interval(value, left))
            for name, value, left in zip(self.features, values, without, strict=True)
            if np.isfinite(value)
        )
        return LabelAttributions(self.labels[place], features, float(self.expected[place]))


def save_state(state: AttributionState) -> bytes:
    """The state as bytes, so that an hour need not be explained twice."""
    return state.save()


def load_state(data: bytes) -> AttributionState:
    """The state that :func:`save_state` wrote; raises :class:`driftline.core.errors.InputError` for other bytes."""
    return AttributionState.load(data)


def _interval(value: float, without: Sequence[float]) -> Interval | None:
    """None without any spread: a feature that never weighs anything has no interval."""
    known = all(np.isfinite(without))
    found = jackknifed(value, without, "log") if known and len(without) > 1 else None
    return None if found is None else Interval(*found, LEVEL, METHOD)
