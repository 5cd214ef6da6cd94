"""From the batches of a table to the state of its attributions: all rows as they come, or a sample of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.analyzers.attributions import AttributionState
from driftline.analyzers.row_sample import RowSample, SampledRows
from driftline.analyzers.vectors import as_matrix
from driftline.core.attribution_analysis import Aggregation
from driftline.core.errors import InputError
from driftline.core.state import folded
from driftline.engine.datasets import Dataset
from driftline.engine.model_columns import ModelColumns
from driftline.monitors.attribution.profile import AttributionProfile
from driftline.monitors.attribution.rows import explained
from driftline.monitors.attribution.sampling import PILOT, rows_needed
from driftline.pipeline.explainers import EXACT, ExplainedModel, ExplainOptions
from driftline.pipeline.explaining_parts import (
    ExplainedParts,
    KeyedRows,
    Part,
    SampledParts,
    blocks,
    first_of,
    groups,
    keyed_rows,
    most_rows,
    parts_of,
)
from driftline.pipeline.local_values import LocalValues
from driftline.pipeline.placed import Begun, measured
from driftline.pipeline.steps import Recorder
from driftline.serving.explain.baseline import choose_baseline
from driftline.serving.explain.explainer import Explainer

Floats = npt.NDArray[np.float64]
SAMPLED_ROWS = 1000
"""How many rows are explained by default where the method is one of sampling."""
MOST_SAMPLED = 100_000


class Explained(NamedTuple):
    """The attributions of a table: what measures them and their state, how many rows the table has, and the baseline
    rows that the model was explained against, where it needs any."""

    profile: AttributionProfile
    state: AttributionState
    seen: int
    baseline_rows: Floats | None


class Explaining:
    """Explains the rows of a table. ``baseline_rows`` may be missing where the model needs none, or, with ``choosing``,
    where they are to be chosen from the table; what is ``local`` to a row is written to that file."""

    def __init__(
        self,
        model: ExplainedModel,
        options: ExplainOptions,
        *,
        aggregation: Aggregation,
        baseline_rows: Floats | None,
        choosing: bool,
        recorder: Recorder,
        local: LocalValues | None = None,
    ) -> None:
        self._model, self._options, self._aggregation = model, options, aggregation
        self._baseline_rows, self._choosing = baseline_rows, choosing
        self._recorder, self._local = recorder, local

    def table(
        self, dataset: Dataset, exclude: tuple[str, ...], source: str, row_id: str | None = None
    ) -> Explained | None:
        """The attributions of all rows, or of a sample; None of a table without a row. ``exclude`` are columns that are
        no features, ``source`` names the table in messages; a sample is drawn by the column ``row_id``, or where there
        is none by the rows' numbers."""
        if dataset.frame is not None:
            return self._frame(dataset, KeyedRows(exclude, self._options.seed, row_id), source)
        return self.rows(parts_of(dataset.batches(), exclude, row_id), source, dataset.rows())

    def rows(self, parts: Iterator[Part], source: str, count: int = 0) -> Explained | None:
        """The attributions of rows as they come, of which there are ``count`` where that is known; else as in
        :meth:`table`."""
        first, every = first_of(parts)
        if first is None:
            return None
        columns = self._model.columns(first.batch.schema.names, source)
        keys = keyed_rows(every, columns, self._options.seed)
        explainer = self._explainer(columns)
        if explainer is not None and self._most(explainer) is None:
            return self._all(explainer, columns, keys, count)
        sampler = self._sampler(explainer, columns)
        told = self._recorder.told("sample", keys, count)
        return self._sampled(explainer, columns, sampler.result(folded(sampler.merge, map(sampler.update, told))))

    def _frame(self, dataset: Dataset, given: KeyedRows, source: str) -> Explained | None:
        """As :meth:`rows`, of a data frame of Spark: rows are sampled on executors and explained here, but explained
        there where all of them are."""
        if self._local is not None:
            raise InputError(
                "the attributions of every row cannot be written from Spark",
                hint="leave local out, or give a part of the rows, as frame.limit(100_000).toArrow()",
            )
        first = Begun(dataset, self._recorder, few=True).first
        if first is None:
            return None
        columns = self._model.columns(given.features(first.schema.names), source)
        explainer = self._explainer(columns)
        if explainer is not None and self._most(explainer) is None:
            profile = self._profile(explainer, columns)
            there = ExplainedParts(given, columns, self._model.shipped(columns.names, self._baseline_rows), profile)
            state = measured(dataset, there, self._recorder, numbered=given.numbered)
            return Explained(profile, state, state.rows + state.refused, self._needed(explainer))
        sampler = self._sampler(explainer, columns)
        parts = SampledParts(given, columns, sampler)
        sample = sampler.result(measured(dataset, parts, self._recorder, numbered=given.numbered))
        return self._sampled(explainer, columns, sample)

    def drawn(self, names: Sequence[str], sample: SampledRows, source: str) -> Explained:
        """The attributions of rows that were drawn elsewhere, under the names :meth:`rows` would have."""
        columns = self._model.columns(names, source)
        return self._sampled(self._explainer(columns), columns, sample)

    def _explainer(self, columns: ModelColumns) -> Explainer | None:
        """What explains the model; None where baseline rows have to be chosen first."""
        given = self._baseline_rows
        explainer = self._model.without_baseline(columns.names) if given is None else self._opened(columns, given)
        if explainer is None and not self._choosing:
            return self._opened(columns, None)  # which says that it needs some
        return explainer

    def _opened(self, columns: ModelColumns, baseline: Floats | None) -> Explainer:
        return self._model.explainer(columns.names, baseline)

    def _most(self, explainer: Explainer | None) -> int | None:
        """How many rows are explained at most; None for all."""
        if self._options.rows is not None:
            return self._options.rows
        if explainer is None or self._options.error is not None:
            return MOST_SAMPLED
        return None if explainer.method in EXACT else SAMPLED_ROWS

    def _all(self, explainer: Explainer, columns: ModelColumns, keys: Iterator[pa.RecordBatch], rows: int) -> Explained:
        profile, width = self._profile(explainer, columns), len(columns.names)
        matrices = ((groups(batch), as_matrix(batch.column("features"), width)) for batch in keys)
        found = (block for group, matrix in matrices for block in self._explained(explainer, columns, group, matrix))
        state = profile.measure(self._recorder.told("explain", found, rows))
        return Explained(profile, state, state.rows + state.refused, self._needed(explainer))

    def _sampler(self, explainer: Explainer | None, columns: ModelColumns) -> RowSample:
        width = len(columns.names)
        return RowSample(width, most_rows(self._most(explainer) or MOST_SAMPLED, width))

    def _sampled(self, explainer: Explainer | None, columns: ModelColumns, sample: SampledRows) -> Explained:
        if explainer is None:
            chosen = choose_baseline(sample.rows, self._options.baseline_count, self._options.seed)
            self._baseline_rows = chosen
            explainer = self._opened(columns, chosen)
        profile = self._profile(explainer, columns)
        state = self._of_sample(explainer, columns, profile, sample)
        return Explained(profile, state, sample.seen, self._needed(explainer))

    def _of_sample(
        self, explainer: Explainer, columns: ModelColumns, profile: AttributionProfile, sample: SampledRows
    ) -> AttributionState:
        def part(first: int, last: int) -> AttributionState:
            rows, group = sample.rows[first:last], sample.group[first:last]
            found = self._explained(explainer, columns, group, rows)
            return profile.measure(self._recorder.told("explain", found, len(rows)))

        if self._options.error is None:
            return part(0, min(len(sample.rows), self._most(explainer) or len(sample.rows)))
        pilot = part(0, PILOT)
        wanted = rows_needed(profile.result(pilot), self._options.error)
        return profile.merge([pilot, part(PILOT, wanted)]) if wanted > PILOT < len(sample.rows) else pilot

    def _explained(
        self, explainer: Explainer, columns: ModelColumns, group: Any, rows: Floats
    ) -> Iterator[pa.RecordBatch]:
        # A model that is asked, perhaps over a network, is not asked by several at once.
        workers = (os.cpu_count() or 1) if explainer.method in EXACT else 1
        for part, local in blocks(explainer, len(columns.names), rows, workers=workers):
            if self._local is not None:
                self._local.write(columns.names, explainer.labels, *local)
            yield explained(group[part], *local)

    def _profile(self, explainer: Explainer, columns: ModelColumns) -> AttributionProfile:
        return AttributionProfile(
            columns.names,
            explainer.labels,
            explainer.expected,
            method=explainer.method,
            aggregation=self._aggregation,
        )

    def _needed(self, explainer: Explainer) -> Floats | None:
        """The baseline rows, where the attributions are against them."""
        return None if explainer.method == "tree_shap" else self._baseline_rows
