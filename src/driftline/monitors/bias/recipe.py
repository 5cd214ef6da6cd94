"""What is known of the bias in a table: from batches of rows to the metrics of every facet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from driftline.analyzers.contingency import INSIDE, Contingency
from driftline.analyzers.facet_cells import FacetCells
from driftline.analyzers.flip_sample import MOST_ROWS, FlipSample
from driftline.core.analysis_settings import BiasConfig
from driftline.core.bias_analysis import BiasAnalysis, FacetBias, Stage
from driftline.core.facets import Choice
from driftline.core.sampling import U64
from driftline.monitors.bias.flip_test import flip_test
from driftline.monitors.bias.measures import LEVEL, Drawn, Measures
from driftline.monitors.bias.rows import BiasRows
from driftline.monitors.bias.state import BiasState
from driftline.monitors.bias.values import MOST_ANALYSED, side_counts, value_text, values_of
from driftline.stats.bias_resampling import resamples_for

_HELD = 64


class _Part(NamedTuple):
    """A value of a facet: the facet's name and place, the value as it is counted and as it is called, its metrics."""

    facet: str
    place: int
    value: str
    text: str
    measures: Measures


class Bias:
    """Measures bias. ``config`` names label, predictions, facets and group.

    ``exclude`` are columns that are no features, which only the flip test looks at; it takes at most ``flip_rows``
    rows. Intervals of ``level`` come from tables drawn with ``seed``.
    """

    def __init__(
        self,
        config: BiasConfig,
        *,
        exclude: Sequence[str] = (),
        flip_rows: int = MOST_ROWS,
        level: float = LEVEL,
        seed: int = 0,
    ) -> None:
        self.config = config
        self.rows = BiasRows(config, exclude)
        self.counts = Contingency(self.rows.cuts)
        self.sample = FlipSample(self.rows.cuts, most=flip_rows)
        self.flips = self.rows.predicted and "FT" in config.post_training and flip_rows > 0
        self.level, self.seed = level, seed

    def update(self, batch: pa.RecordBatch, order: U64 | None = None) -> BiasState:
        """The state of one batch of rows. ``order`` is a hash of each row's id, which draws the sample of the flip
        test; without it there is none."""
        sampled = self.flips and order is not None
        made = self.rows.made(batch, order if sampled else None)
        return BiasState(self.counts.update(made), self.sample.update(made) if sampled else None)

    def merge(self, states: Sequence[BiasState]) -> BiasState:
        """The state of all the rows that the given states saw."""
        samples = [state.sample for state in states if state.sample is not None]
        return BiasState(
            self.counts.merge([state.counts for state in states]), self.sample.merge(samples) if samples else None
        )

    def measure(self, batches: Iterable[tuple[pa.RecordBatch, U64 | None]]) -> BiasState:
        """The state of all batches, each with the hashes of its rows' ids."""
        held: list[BiasState] = []
        for batch, order in batches:
            held.append(self.update(batch, order))
            if len(held) == _HELD:
                held = [self.merge(held)]
        return self.merge(held)

    def result(self, state: BiasState) -> BiasAnalysis:
        """The metrics of every facet and each of its values, as they were asked for: those of labels, and where there
        are predictions those too. An undefined metric has a reason instead of a value."""
        parts = list(self._parts(state))
        stages: list[Stage] = ["pre_training", "post_training"] if self.rows.predicted else ["pre_training"]
        found = (self._facet(state, stage, part) for stage in stages for part in parts if self._names(stage))
        return BiasAnalysis(self.config.label, outcome_text(self.config.positive), tuple(found))

    def _names(self, stage: Stage) -> tuple[str, ...]:
        return self.config.pre_training if stage == "pre_training" else self.config.post_training

    def _parts(self, state: BiasState) -> Iterator[_Part]:
        """Every facet's values that are held against all others."""
        grouped, facets = self.config.group is not None, state.counts.facets
        drawn = Drawn(resamples_for(_cells_drawn(facets, self.rows.cuts)), self.level, self.seed)
        for place, (facet, cells) in enumerate(zip(self.config.facets, facets, strict=True)):
            cut = self.rows.cuts[place]
            for value in values_of(cells, cut=cut, chosen=facet.choice):
                text = value_text(cells, value, cut=cut, chosen=facet.choice)
                measures = Measures(side_counts(cells, value), grouped=grouped, drawn=drawn)
                yield _Part(facet.name, place, value, text, measures)

    def _facet(self, state: BiasState, stage: Stage, part: _Part) -> FacetBias:
        metrics = tuple(
            flip_test(self.sample, state.sample, part.facet, part.place, part.value, part.measures.drawn)
            if name == "FT"
            else part.measures.metric(name, stage)
            for name in self._names(stage)
        )
        return FacetBias(stage, part.facet, part.text, metrics, part.measures.rows(stage))


def outcome_text(positive: Choice) -> str:
    """The positive outcome in words: its values, or the open interval above the threshold.

    Unlike the original's this one does not end at the largest label seen, so that it stays the same from run to run.

    >>> outcome_text(Choice(("1", "2"))), outcome_text(Choice(threshold=0.5))
    ('1,2', '(0.5, inf]')
    """
    if positive.values or positive.threshold is None:
        return ",".join(positive.values)
    return f"{'[' if positive.inclusive else '('}{positive.threshold!r}, inf]"


def _cells_drawn(facets: Sequence[FacetCells], cuts: Sequence[object]) -> int:
    """About how many cells one drawing of all tables has."""
    drawn = 0
    for cells, cut in zip(facets, cuts, strict=True):
        tables = 1 if cut is not None or INSIDE in cells.values else min(len(cells.values), MOST_ANALYSED)
        drawn += tables * 2 * len(np.unique(cells.outcome * (len(cells.groups) + 1) + cells.group))
    return drawn
