"""The rows of a window that are explained, drawn by Spark: each task draws from its own, and the smallest places of all
are the sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from driftline.analyzers.row_sample import RowSample, RowSampleState, SampledRows
from driftline.core.errors import InputError
from driftline.core.state import folded
from driftline.engine.rejects import Reject, summed
from driftline.pipeline.captured_features import SOURCE, CapturedFeatures
from driftline.pipeline.explainers import FeatureColumns
from driftline.pipeline.explaining_parts import first_of, keyed_rows, most_rows


class Drawn(msgspec.Struct, frozen=True):
    """A sample of rows, the names of their features (none before the first row), and rows that could not be used."""

    names: tuple[str, ...]
    sample: RowSampleState
    rejects: tuple[Reject, ...]


class _Saved(msgspec.Struct, frozen=True):
    names: tuple[str, ...]
    sample: bytes
    rejects: tuple[Reject, ...]


class DrawnRows:
    """Draws at most ``rows`` rows of the features of a model from decoded captures."""

    def __init__(self, features: FeatureColumns, exclude: Sequence[str], *, rows: int, seed: int) -> None:
        self._features, self._exclude, self._rows, self._seed = features, tuple(exclude), rows, seed

    def measure(self, batches: Iterable[pa.RecordBatch]) -> Drawn:
        """The sample of all batches."""
        captured = CapturedFeatures(self._features, self._exclude)
        first, parts = first_of(captured.parts(batches))
        if first is None:
            return Drawn((), RowSampleState(), captured.rejects())
        columns = self._features.columns(first.batch.schema.names, SOURCE)
        sampler = self._sampler(columns.names)
        drawn = folded(sampler.merge, map(sampler.update, keyed_rows(parts, columns, self._seed)))
        return Drawn(tuple(columns.names), drawn, captured.rejects())

    def merge(self, parts: Sequence[Drawn]) -> Drawn:
        """The sample of all rows. Raises :class:`InputError` where parts of the window have other features."""
        found = [part for part in parts if part.names]
        rejects = summed([reject for part in parts for reject in part.rejects])
        if not found:
            return Drawn((), RowSampleState(), rejects)
        names = found[0].names
        for part in found:
            if part.names != names:
                raise _other_columns(names, part.names)
        return Drawn(names, self._sampler(names).merge([part.sample for part in found]), rejects)

    def save(self, part: Drawn) -> bytes:
        """The sample as bytes."""
        return msgspec.msgpack.encode(_Saved(part.names, part.sample.save(), part.rejects))

    def load(self, data: bytes) -> Drawn:
        """The sample of these bytes."""
        saved = msgspec.msgpack.decode(data, type=_Saved)
        return Drawn(saved.names, RowSampleState.load(saved.sample), saved.rejects)

    def sampled(self, drawn: Drawn) -> SampledRows:
        """The rows of a sample."""
        return self._sampler(drawn.names).result(drawn.sample)

    def _sampler(self, names: Sequence[str]) -> RowSample:
        return RowSample(len(names), most_rows(self._rows, len(names)))


def _other_columns(names: Any, others: Any) -> InputError:
    return InputError(
        f"{SOURCE} have other columns in one part of the window than in another",
        evidence=f"{', '.join(names)[:150]} and {', '.join(others)[:150]}",
        hint="give rows of the same columns",
    )
