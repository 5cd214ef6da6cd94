"""Rows on their way to be explained and summed: what a sample needs of them, and what the sums need."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.sampling import groups_of, places_of

Floats = npt.NDArray[np.float64]


def keyed(ids: pa.Array[Any], rows: npt.NDArray[np.int64], features: Floats, *, seed: int) -> pa.RecordBatch:
    """The rows that a :class:`~driftline.analyzers.row_sample.RowSample` draws from.

    ``ids`` are those of the records (null where there are none), ``rows`` the row's number in its record, ``features``
    [rows, features] are in the model's order.
    """
    return pa.RecordBatch.from_arrays(
        [
            pa.array(places_of(ids, rows, seed=seed)),
            pa.array(groups_of(ids, rows, seed=seed)),
            _lists(features, features.shape[1]),
        ],
        names=["place", "group", "features"],
    )


def explained(group: npt.NDArray[np.uint8], values: Floats, scores: Floats) -> pa.RecordBatch:
    """Explained rows as :class:`~driftline.monitors.attribution.profile.AttributionProfile` sums them.

    ``group`` is that of each row's id, ``values`` [rows, features, outputs] and ``scores`` [rows, outputs] are what an
    explainer says of it.
    """
    _, features, outputs = values.shape
    columns = [pa.array(group), _lists(values, features * outputs), _lists(scores, outputs)]
    return pa.RecordBatch.from_arrays(columns, names=["group", "values", "scores"])


def _lists(numbers: Floats, width: int) -> pa.Array[Any]:
    flat = pa.array(np.ascontiguousarray(numbers).ravel())
    if width:
        return pa.FixedSizeListArray.from_arrays(flat, width)
    return pa.array([[]] * len(numbers), pa.list_(pa.float64(), 0))
