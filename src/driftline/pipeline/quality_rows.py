"""Model quality as a monitor of joined rows, with the segments that divide them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from driftline.monitors.quality.kept import load_state, save_state
from driftline.monitors.quality.recipes import Recipe
from driftline.monitors.segments import Segmentation
from driftline.pipeline.joining import Beside, Joining
from driftline.pipeline.segmented import Divided


class QualityRows(Joining):
    """A recipe whose rows pass by once, for all of them and for each segment.

    ``segments`` are the states of each segmentation, after the last batch.
    """

    def __init__(self, recipe: Recipe, segments: Sequence[str]) -> None:
        self._recipe = recipe
        self._kind = type(recipe.merge([])).__name__
        divisions = [Segmentation.parse(text) for text in segments]
        self.columns = tuple(one.column for one in divisions)
        # Segments want to see every row.
        self.beside = Beside(self.columns, every_row=bool(divisions))
        roles = zip(divisions, self.beside.roles, strict=True)
        self._divided = Divided(recipe, [msgspec.structs.replace(one, column=role) for one, role in roles])

    @property
    def segments(self) -> tuple[dict[str, Any], ...]:
        """The states by segment, of each way to divide the rows."""
        return tuple(self._divided.states)

    def add_segments(self, states: Sequence[dict[str, Any]]) -> None:
        """Take over the states of segments that were measured elsewhere."""
        self._divided.add(states)

    def measure(self, batches: Iterable[pa.RecordBatch]) -> Any:
        """The state of all batches."""
        return self._recipe.measure(self._divided.passing(batches))

    def merge(self, states: Sequence[Any]) -> Any:
        """The state of all the rows that the given states saw."""
        return self._recipe.merge(states)

    def save(self, state: Any) -> bytes:
        """A state as bytes."""
        return save_state(state)

    def load(self, data: bytes) -> Any:
        """The state of these bytes."""
        return load_state(data, self._kind)
