"""What rows are known by, whatever their place: a column of their ids, as text."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from driftline.core.errors import InputError


def row_ids(batch: pa.RecordBatch, name: str) -> Any:
    """The column of that name as text; raises :class:`InputError` where there is none, or it is no column of texts,
    numbers or times.

    >>> row_ids(pa.record_batch({"id": [7, 8]}), "id").to_pylist()
    ['7', '8']
    """
    place = batch.schema.get_field_index(name)
    if place < 0:
        raise InputError(
            f"no column {name!r} of the rows' ids",
            evidence=f"the columns are: {', '.join(batch.schema.names)[:300]}",
            hint="name one of them, or none: then rows are known by their numbers",
        )
    try:
        return pc.cast(batch.column(place), pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        kind = str(batch.column(place).type)
        raise InputError(f"column {name!r} holds no ids", evidence=f"it is {kind}", hint="name another") from None
