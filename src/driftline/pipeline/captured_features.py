"""The inputs of captured requests as features of a model; rows that are none are counted, and fail no run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.errors import InputError
from driftline.engine.payload import features, keys, sides_of
from driftline.engine.rejects import SAMPLES, Reject
from driftline.pipeline.explainers import FeatureColumns
from driftline.pipeline.explaining_parts import Part

SOURCE = "captured inputs"


class CapturedFeatures:
    """Takes the features of a ``model`` from decoded captures. ``exclude`` are inputs that are none of them."""

    def __init__(self, model: FeatureColumns, exclude: Iterable[str] = ()) -> None:
        self._model, self._exclude = model, frozenset(exclude)
        self._refused = Counter[str]()
        self._samples: dict[str, list[str]] = {}

    def parts(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Part]:
        """The rows that can be explained, all under the same names."""
        for batch in batches:
            part = self._part(batch)
            if part is not None and part.batch.num_rows:
                yield part

    def rejects(self) -> tuple[Reject, ...]:
        """The rows that could not be used, after the last batch."""
        return tuple(
            Reject(SOURCE, reason, count, tuple(self._samples.get(reason, ())))
            for reason, count in sorted(self._refused.items())
        )

    def _part(self, batch: pa.RecordBatch) -> Part | None:
        outputs = sides_of(batch).widths[0]
        known, found = keys(batch), features(batch)
        wanted = [place for place, name in enumerate(found.schema.names) if name not in self._exclude]
        inputs = found.select([place for place in wanted if place >= outputs])
        try:
            columns = self._model.columns(inputs.schema.names, SOURCE)
        except InputError as error:
            self._refuse("not_features", batch.num_rows, [f"{error.what}; {error.evidence}"])
            return None
        mask = columns.usable(inputs)
        if mask is not None:
            ids = known.column(0).filter(pc.invert(mask))
            self._refuse("not_numbers", len(ids), [f"record {one}" for one in ids[:SAMPLES].to_pylist()])
            known, inputs = known.filter(mask), inputs.filter(mask)
        rows = known.column(2).to_numpy(zero_copy_only=False).astype(np.int64)
        return Part(known.column(0), rows, columns.chosen(inputs))

    def _refuse(self, reason: str, count: int, samples: list[str]) -> None:
        if count:
            self._refused[reason] += count
            kept = self._samples.setdefault(reason, [])
            kept += [sample for sample in samples if sample not in kept][: SAMPLES - len(kept)]
