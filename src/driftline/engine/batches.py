"""How many rows a batch has."""

from __future__ import annotations

BATCH_ROWS = 1 << 17
_MOST_NUMBERS = 1 << 22
_MOST_CELLS = 1 << 24


def batch_rows(classes: int = 0) -> int:
    """The rows of a batch: 131,072, or fewer where each holds many numbers, so that a batch of probabilities of
    ``classes`` classes stays below 32 MB.

    >>> batch_rows(), batch_rows(10), batch_rows(1000)
    (131072, 131072, 4194)
    """
    return min(BATCH_ROWS, _MOST_NUMBERS // max(1, classes))


def table_rows(columns: int) -> int:
    """The rows of a batch of a table with so many columns: 131,072, or fewer where 16,777,216 cells would be exceeded.

    >>> table_rows(20), table_rows(2000)
    (131072, 8388)
    """
    return max(1, min(BATCH_ROWS, _MOST_CELLS // max(1, columns)))
