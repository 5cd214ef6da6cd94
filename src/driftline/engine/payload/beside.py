"""Captured columns that are wanted beside predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from driftline.core.errors import InputError
from driftline.engine.payload.decoding import features, keys


def columns_beside(
    batches: Iterable[pa.RecordBatch], columns: Sequence[str], roles: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Of decoded batches the event, the row, and some columns as text, called by their ``roles``.

    Raises :class:`InputError` for a column that is not there.
    """
    for batch in batches:
        found, known = features(batch), keys(batch)
        chosen = [known.column(1), known.column(2), *(_column(found, name) for name in columns)]
        yield pa.RecordBatch.from_arrays(chosen, names=["event", "row", *roles])


def _column(batch: pa.RecordBatch, name: str) -> pa.Array[Any]:
    if name not in batch.schema.names:
        raise InputError(
            f"there is no captured column {name!r}",
            evidence=f"the columns are: {', '.join(batch.schema.names)[:300]}",
            hint="name one of them; inputs without names are called as the baseline's columns when they are as many (so"
            " leave out of it what is no input, with --exclude), or can be named with --names",
        )
    return batch.column(name).cast(pa.string())
