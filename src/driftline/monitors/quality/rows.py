"""What every recipe reads of a batch of predictions: which rows can be judged, their groups and their weights."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.sampling import groups_of

Bools = npt.NDArray[np.bool_]


class Tally(msgspec.Struct, frozen=True):
    """Rows seen, rows without a label, rows whose label or prediction is no class of the problem."""

    rows: int = 0
    unlabelled: int = 0
    not_a_class: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.rows + other.rows, self.unlabelled + other.unlabelled, self.not_a_class + other.not_a_class)


def tally(batch: pa.RecordBatch, usable: Bools) -> Tally:
    """The tally of a batch, given which of its rows can be judged."""
    labelled = batch.column("label").is_valid().to_numpy(zero_copy_only=False)
    return Tally(batch.num_rows, int((~labelled).sum()), int((labelled & ~usable).sum()))


def judged(batch: pa.RecordBatch, usable: Bools, seed: int, columns: dict[str, pa.Array[Any]]) -> pa.RecordBatch:
    """The usable rows of some columns, with every row's group and weight (1 where none is given)."""
    rows = batch.column("row").to_numpy(zero_copy_only=False).astype(np.int64)
    weights = batch.column("weight") if "weight" in batch.schema.names else pa.array(np.ones(batch.num_rows))
    columns |= {"group": pa.array(groups_of(batch.column("id"), rows, seed=seed)), "weight": weights}
    table = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    return table if usable.all() else table.filter(pa.array(usable))
