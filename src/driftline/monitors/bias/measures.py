"""The metrics of one table of counts, each with its interval or the reason why it has no value."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.core.bias_analysis import BiasMetric, Stage
from driftline.core.bias_metrics import DESCRIPTIONS
from driftline.core.documents import Interval
from driftline.stats.bias import BiasTable, undefined, value
from driftline.stats.bias_resampling import percentile_interval, resampled, with_halves

LEVEL = 0.95
Floats = npt.NDArray[np.float64]


class Drawn(NamedTuple):
    """How intervals are made: from so many tables drawn anew, at a level, by a seed."""

    resamples: int
    level: float
    seed: int

    def interval(self, values: Floats) -> Interval | None:
        """The interval of the values that the drawn tables have."""
        found = percentile_interval(values, self.level)
        return None if found is None else Interval(*found, self.level, "multinomial bootstrap")


class Measures:
    """The metrics of counts ``[side, label, predicted, group]``; tables are drawn when the first metric needs them."""

    def __init__(self, counts: npt.NDArray[np.int64], *, grouped: bool, drawn: Drawn) -> None:
        self._counts, self._grouped, self.drawn = counts, grouped, drawn
        self._table = BiasTable.of(counts, grouped=grouped)

    def rows(self, stage: Stage) -> tuple[int, int]:
        """How many rows with a label, or after training with a prediction, are in the facet, and in all."""
        used = self._table.labels if stage == "pre_training" else self._table.predictions
        return int(used[1].sum()), int(used.sum())

    @cached_property
    def _again(self) -> BiasTable:
        tables = resampled(with_halves(self._counts), self.drawn.resamples, self.drawn.seed)
        return BiasTable.of(tables, grouped=self._grouped)

    def metric(self, name: str, stage: Stage) -> BiasMetric:
        """One metric by its short name."""
        description = DESCRIPTIONS[stage][name]
        found = float(value(name, self._table))
        if np.isnan(found):
            return BiasMetric(name, description, None, undefined(name, self._table))
        return BiasMetric(name, description, found, None, self.drawn.interval(value(name, self._again)))
