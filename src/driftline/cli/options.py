"""Options that several commands share, and several values in one option."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Annotated

import typer

ProbabilityAttribute = Annotated[
    str | None,
    typer.Option(
        help="CSV column or JMESPath of the score; several classes: columns such as 0-2 or 1,3,4, the first of them, or"
        " a JMESPath of an array a prediction"
    ),
]
Classes = Annotated[
    list[str] | None,
    typer.Option(help="several classes: their names in the order of the probabilities, by comma or one option each"),
]


def by_comma(given: Sequence[str] | None) -> tuple[str, ...]:
    """The values of an option given several times, or once as a list such as ``cat,dog``; one that holds a comma is
    then quoted.

    >>> by_comma(['cat, dog,"cat, wild"']), by_comma(["cat", "cat, wild"]), by_comma(None)
    (('cat', 'dog', 'cat, wild'), ('cat', 'cat, wild'), ())
    """
    if given is None or len(given) != 1:
        return tuple(given or ())
    return tuple(value.strip() for value in next(csv.reader(given, skipinitialspace=True), []))
