"""What columns are called: by a header, else by their place."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?(?:nan|inf|infinity)", re.IGNORECASE | re.ASCII)


def cells_of(line: str) -> list[str]:
    """The cells of one CSV line without the blanks and quotes around them; cut at every comma if its quotes are broken.

    >>> cells_of('age, "a, b" ,""')
    ['age', 'a, b', '']
    """
    try:
        found = next(csv.reader([line], skipinitialspace=True), [])
    except csv.Error:  # broken quotes, or a cell of more than 128 KB
        found = line.split(",")
    return [cell.strip() for cell in found]


def by_place(count: int, first: int = 0) -> tuple[str, ...]:
    """Names for columns that have none.

    >>> by_place(2, 1)
    ('_c1', '_c2')
    """
    return tuple(f"_c{first + place}" for place in range(count))


def could_be_names(cells: Sequence[str]) -> bool:
    """Whether the cells of a line could be a header: none empty or a number, no two alike.

    >>> could_be_names(["age", "plan"]), could_be_names(["age", "3"]), could_be_names(["a", "a"]), could_be_names([])
    (True, False, False, False)
    """
    return bool(cells) and len(set(cells)) == len(cells) and not any(is_number(cell) or not cell for cell in cells)


def is_number(text: str) -> bool:
    """Whether a text is a number, infinities and NaN among them."""
    return _NUMBER.fullmatch(text.strip()) is not None


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names with a number behind each that was there before.

    >>> distinct(["a", "b", "a", "a", "a.1"])
    ('a', 'b', 'a.1', 'a.2', 'a.1.1')
    """
    taken: set[str] = set()
    found = []
    repeats: dict[str, int] = {}
    for name in names:
        free = name
        while free in taken:
            repeats[name] = repeats.get(name, 0) + 1
            free = f"{name}.{repeats[name]}"
        taken.add(free)
        found.append(free)
    return tuple(found)
