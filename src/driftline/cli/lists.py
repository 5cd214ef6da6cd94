"""Several values in one option."""

from __future__ import annotations

import csv


def by_comma(text: str | None) -> tuple[str, ...]:
    """The values of a list such as ``cat,dog``; one that holds a comma is quoted.

    >>> by_comma('cat, dog,"cat, wild"'), by_comma(None)
    (('cat', 'dog', 'cat, wild'), ())
    """
    if text is None:
        return ()
    return tuple(value.strip() for value in next(csv.reader([text], skipinitialspace=True), []))
