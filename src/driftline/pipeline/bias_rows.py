"""Bias as a monitor of joined rows: facets and groups from the captured columns, labels from the ground truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from driftline.core.analysis_settings import BiasConfig
from driftline.core.state import pack, unpack
from driftline.engine.attributes import OutputAttributes
from driftline.monitors.bias.recipe import Bias
from driftline.monitors.bias.state import BiasState
from driftline.monitors.quality.rows import Tally
from driftline.pipeline.joining import Beside, Joining

FLIP_TEST = "FT"
_LABEL, _PREDICTED, _SCORE = "label", "prediction", "score"


class LabelledBias(msgspec.Struct, frozen=True):
    """The bias of the rows that have a label, and how many rows there were."""

    tally: Tally
    bias: BiasState


class BiasRows(Joining):
    """Measures bias of joined rows. Rows without a label count for nothing, as in the original, which merges first.

    The flip test compares whole rows with each other and is left out: it is of tables only.
    """

    def __init__(self, config: BiasConfig, attributes: OutputAttributes, seed: int) -> None:
        facets = tuple(facet.name for facet in config.facets)
        self._names = tuple(dict.fromkeys((*facets, *((config.group,) if config.group else ()))))
        self.beside = Beside(self._names)
        by_score = attributes.inference is None
        self._outcome = _SCORE if by_score else _PREDICTED
        self._roles = _free_names(self._names)
        label, predicted = self._roles
        joined = msgspec.structs.replace(
            config,
            label=label,
            predicted=None if by_score else predicted,
            probability=predicted if by_score else None,
            probability_threshold=attributes.probability_threshold,
            post_training=tuple(name for name in config.post_training if name != FLIP_TEST),
        )
        self.bias = Bias(joined, flip_rows=0, seed=seed)

    def measure(self, batches: Iterable[pa.RecordBatch]) -> LabelledBias:
        """The state of all batches."""
        seen = [0, 0]
        state = self.bias.measure((batch, None) for batch in self._labelled(batches, seen))
        return LabelledBias(Tally(*seen), state)

    def merge(self, states: Sequence[LabelledBias]) -> LabelledBias:
        """The state of all the rows that the given states saw."""
        return LabelledBias(
            sum((state.tally for state in states), Tally()), self.bias.merge([state.bias for state in states])
        )

    def save(self, state: LabelledBias) -> bytes:
        """A state as bytes."""
        return pack("LabelledBias", {"tally": msgspec.structs.astuple(state.tally), "bias": state.bias.save()})

    def load(self, data: bytes) -> LabelledBias:
        """The state of these bytes."""
        values = unpack("LabelledBias", data)
        return LabelledBias(Tally(*values["tally"]), BiasState.load(values["bias"]))

    def _labelled(self, batches: Iterable[pa.RecordBatch], seen: list[int]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            known = batch.column(_LABEL).is_valid()
            rows = batch.filter(known)
            seen[0] += batch.num_rows
            seen[1] += batch.num_rows - rows.num_rows
            yield self._made(rows)

    def _made(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        columns: list[Any] = [rows.column(_LABEL), rows.column(self._outcome)]
        columns += [rows.column(role) for role in self.beside.roles]
        return pa.RecordBatch.from_arrays(columns, names=[*self._roles, *self._names])


def _free_names(taken: Sequence[str]) -> tuple[str, str]:
    """Names for label and prediction that no captured column has: a facet may be called ``label``."""
    longest = "_" * (1 + max(map(len, taken), default=0))
    return f"label{longest}", f"predicted{longest}"
