"""The first rows that pass by, remembered: samples of them need no second look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

_MOST_BYTES = 64 << 20

Row = tuple[Any, pa.RecordBatch]


class Remembered:
    """Up to so many rows with the ids of their records, and no more than 64 MB of them.

    >>> kept = Remembered(3)
    >>> batches = [(None, pa.record_batch({"a": [1, 2]})), (None, pa.record_batch({"a": [3, 4]}))]
    >>> len(list(kept.passing(batches))), kept.rows
    (2, 3)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._kept: list[Row] = []
        self.rows = 0
        """How many rows are remembered."""

    def __iter__(self) -> Iterator[Row]:
        return iter(self._kept)

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The batches as they are; the first are remembered."""
        for ids, batch in rows:
            wanted = self._most - self.rows
            if wanted > 0 and self._bytes < _MOST_BYTES:
                few = batch.slice(0, wanted)
                self._kept.append((None if ids is None else ids.slice(0, wanted), few))
                self.rows += few.num_rows
                self._bytes += few.nbytes
            yield ids, batch
