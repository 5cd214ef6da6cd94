"""Rows of a table on their way to an explainer, and what is made of them part by part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.analyzers.attributions import AttributionState
from driftline.analyzers.row_sample import RowSample, RowSampleState
from driftline.analyzers.vectors import as_matrix
from driftline.core.state import folded
from driftline.engine.ahead import ahead
from driftline.engine.model_columns import ModelColumns
from driftline.engine.row_ids import row_ids
from driftline.monitors.attribution.profile import AttributionProfile
from driftline.monitors.attribution.rows import explained, keyed
from driftline.monitors.attribution.sampling import PILOT
from driftline.pipeline.explainers import EXACT, ShippedModel
from driftline.serving.explain.explainer import Explainer, Local

Floats = npt.NDArray[np.float64]
_BLOCK, _SAMPLED_BLOCK, _BLOCK_CELLS = 1024, 256, 1 << 22
_MOST_CELLS = 1 << 26


class Part(NamedTuple):
    """Some rows: the ids of their records (null where there are none), the number of each in its record, and their
    columns."""

    ids: Any
    rows: npt.NDArray[np.int64]
    batch: pa.RecordBatch


def parts_of(
    batches: Iterator[pa.RecordBatch], exclude: Sequence[str], row_id: str | None, first: int = 0
) -> Iterator[Part]:
    """The rows of a table without some columns, known by the column ``row_id`` or else by their numbers alone."""
    for batch in batches:
        if batch.num_rows:
            chosen = batch.select([name for name in batch.schema.names if name not in exclude and name != row_id])
            if row_id is None:
                rows = np.arange(first, first + batch.num_rows)
                yield Part(pa.nulls(batch.num_rows, pa.string()), rows, chosen)
            else:
                yield Part(row_ids(batch, row_id), np.zeros(batch.num_rows, dtype=np.int64), chosen)
            first += batch.num_rows


def first_of(parts: Iterator[Part]) -> tuple[Part | None, Iterator[Part]]:
    """The first part, None where there is none, and all parts with it."""
    first = next(parts, None)
    return first, parts if first is None else chain([first], parts)


def keyed_rows(parts: Iterable[Part], columns: ModelColumns, seed: int, first: int = 0) -> Iterator[pa.RecordBatch]:
    """The rows of parts as a sample draws from them; ``first`` are before them."""
    for part in parts:
        yield keyed(part.ids, part.rows, columns.matrix(part.batch, first), seed=seed)
        first += part.batch.num_rows


def most_rows(most: int, width: int) -> int:
    """How many rows of so many features are drawn where ``most`` are wanted: so many that they fit in memory."""
    return min(most, max(PILOT, _MOST_CELLS // max(1, width)))


def blocks(explainer: Explainer, features: int, rows: Floats, *, workers: int) -> Iterator[tuple[slice, Local]]:
    """Which rows, and what the explainer says of them: block by block, so that memory stays bounded, and as libraries
    explain on one thread and let others run, by so many ``workers``."""
    cells = max(1, features * len(explainer.labels))
    most = _BLOCK if explainer.method in EXACT else _SAMPLED_BLOCK
    size = max(1, min(most, _BLOCK_CELLS // cells))
    parts = [slice(first, first + size) for first in range(0, len(rows), size)]
    found = ahead(lambda part: explainer.explain(rows[part]), parts, workers=workers)
    return zip(parts, found, strict=True)


class KeyedRows:
    """Makes of a table's batches those that are sampled from."""

    def __init__(self, exclude: Sequence[str], seed: int, row_id: str | None) -> None:
        self._exclude, self._seed, self._row_id = tuple(exclude), seed, row_id

    @property
    def numbered(self) -> bool:
        """Whether the rows' numbers matter."""
        return self._row_id is None

    def features(self, names: Sequence[str]) -> list[str]:
        """The columns that may be features."""
        return [name for name in names if name not in self._exclude and name != self._row_id]

    def keys(self, batches: Iterator[pa.RecordBatch], first: int, columns: ModelColumns) -> Iterator[pa.RecordBatch]:
        """The rows with their places, groups and features; ``first`` are before them."""
        return keyed_rows(parts_of(batches, self._exclude, self._row_id, first), columns, self._seed, first)


class SampledParts:
    """Samples the rows of a table."""

    def __init__(self, rows: KeyedRows, columns: ModelColumns, sampler: RowSample) -> None:
        self._rows, self._columns, self._sampler = rows, columns, sampler

    def measure(self, batches: Iterator[pa.RecordBatch], first: int) -> RowSampleState:
        """The sample of a part that has ``first`` rows before it."""
        return folded(self._sampler.merge, map(self._sampler.update, self._rows.keys(batches, first, self._columns)))

    def merge(self, states: Sequence[RowSampleState]) -> RowSampleState:
        """The sample of all the parts."""
        return self._sampler.merge(states)

    def save(self, state: RowSampleState) -> bytes:
        """A sample as bytes."""
        return state.save()

    def load(self, data: bytes) -> RowSampleState:
        """What :meth:`save` wrote."""
        return RowSampleState.load(data)


class ExplainedParts:
    """Explains every row of a table, with a model that was shipped to where the rows are."""

    def __init__(
        self, rows: KeyedRows, columns: ModelColumns, model: ShippedModel, profile: AttributionProfile
    ) -> None:
        self._rows, self._columns, self._model, self._profile = rows, columns, model, profile

    def measure(self, batches: Iterator[pa.RecordBatch], first: int) -> AttributionState:
        """The attributions of a part that has ``first`` rows before it."""
        return self._profile.measure(self._explained(batches, first))

    def merge(self, states: Sequence[AttributionState]) -> AttributionState:
        """The attributions of all the parts."""
        return self._profile.merge(states)

    def save(self, state: AttributionState) -> bytes:
        """The attributions as bytes."""
        return state.save()

    def load(self, data: bytes) -> AttributionState:
        """What :meth:`save` wrote."""
        return AttributionState.load(data)

    def _explained(self, batches: Iterator[pa.RecordBatch], first: int) -> Iterator[pa.RecordBatch]:
        explainer: Explainer | None = None
        width = len(self._columns.names)
        for batch in self._rows.keys(batches, first, self._columns):
            explainer = explainer or self._model.explainer()
            group = groups(batch)
            for part, local in blocks(explainer, width, as_matrix(batch.column("features"), width), workers=1):
                yield explained(group[part], *local)


def groups(batch: pa.RecordBatch) -> Any:
    """The groups of keyed rows."""
    return batch.column("group").to_numpy(zero_copy_only=False)
