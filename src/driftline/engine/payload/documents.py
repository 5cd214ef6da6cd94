"""JSON documents, many at a time: DuckDB's JSON functions over columns of texts."""

from __future__ import annotations

from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.engine.payload.parts import MAX_DEPTH, Mask
from driftline.engine.texts import Array

_STRINGS = r'"(?:[^"\\]|\\.)*"'
Structure = dict[str, Any] | list[Any] | str


class Documents:
    """Evaluates SQL expressions on a column of documents, called ``d``, in their order."""

    def __init__(self, threads: int | None = None) -> None:
        self._db = duckdb.connect(":memory:", config={} if threads is None else {"threads": threads})
        self._db.execute("SET enable_progress_bar = false")

    def close(self) -> None:
        """Give the memory back."""
        self._db.close()

    def evaluate(self, documents: Array, **expressions: str) -> dict[str, Array]:
        """The value of each expression for every document."""
        return self.evaluate_table({"d": documents}, **expressions)

    def evaluate_table(self, columns: dict[str, Array], **expressions: str) -> dict[str, Array]:
        """The value of each expression for every row of columns that expressions name."""
        chosen = ", ".join(f"{expression} AS {name}" for name, expression in expressions.items())
        self._db.register("given", pa.table(columns))
        found = self._db.sql(f"SELECT {chosen} FROM given").to_arrow_table()
        return {name: found.column(name).combine_chunks() for name in expressions}

    def structure(self, documents: Array) -> Structure:
        """The keys, lists and values of all documents laid over each other: an object as a dict, a list as a list of
        one, a value as the name of its type, and ``JSON`` where documents disagree."""
        self._db.register("given", pa.table({"d": documents}))
        text = self._db.execute("SELECT json_group_structure(CAST(d AS JSON)) FROM given").fetchall()[0][0]
        found: Structure = msgspec.json.decode(text)
        return found


def mask_of(values: Any) -> Mask:
    """A column of truth values as a mask; null is false."""
    found: Mask = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
    return found


def quoted(text: str) -> str:
    """A text as a constant of SQL."""
    return "'" + text.replace("'", "''") + "'"


def pointer(keys: tuple[str, ...]) -> str:
    """A JSON pointer (RFC 6901).

    >>> pointer(("a/b", "", "~"))
    '/a~1b//~0'
    """
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def too_deep(documents: Array) -> Mask:
    """Which documents are nested more than 64 levels deep.

    Brackets are all that is kept; then the innermost pairs are taken away level by level.
    """
    opened = pc.add(pc.count_substring(documents, "["), pc.count_substring(documents, "{"))
    found = mask_of(pc.greater(opened, MAX_DEPTH))
    if not found.any():
        return found
    rest = pc.replace_substring_regex(documents.filter(pa.array(found)), _STRINGS, "")
    rest = pc.replace_substring_regex(rest, r"[^\[\]{}]", "")
    for _ in range(MAX_DEPTH):
        if not pc.any(pc.not_equal(pc.binary_length(rest), 0)).as_py():
            break
        rest = pc.replace_substring_regex(rest, r"\[\]|\{\}", "")
    found[np.flatnonzero(found)] = mask_of(pc.not_equal(pc.binary_length(rest), 0))
    return found
