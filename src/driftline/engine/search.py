"""Any JMESPath over JSON documents, one after another: the way for those that are no JSON path."""

from __future__ import annotations

import math
from typing import Any

import jmespath
import msgspec
import pyarrow as pa
from jmespath.exceptions import JMESPathError

from driftline.engine.expressions import compiled

_RESULT = pa.list_(pa.string())


class Search:
    """Called with a column of documents, it gives the values of each as a list of texts.

    A document that is no JSON, or in which nothing is found, has one value, null; a list found has one value an
    element. With ``vectors`` a list of numbers is one value, and a list of lists one value a list.
    """

    def __init__(self, attribute: str, *, vectors: bool = False) -> None:
        self._expression = compiled(attribute)
        self._vectors = vectors

    def __call__(self, documents: pa.ChunkedArray) -> pa.Array:
        """The values of every document; equal ones are searched once."""
        encoded = pa.chunked_array([documents]) if isinstance(documents, pa.Array) else documents
        combined = encoded.combine_chunks().dictionary_encode()
        found = pa.array([self.values(text) for text in combined.dictionary.to_pylist()], type=_RESULT)
        return found.take(combined.indices)

    def values(self, document: str) -> list[str | None]:
        """The values of one document.

        >>> Search("p[?ok].score").values('{"p": [{"ok": true, "score": 0.5}, {"ok": false, "score": 1}]}')
        ['0.5']
        """
        try:
            found = self._expression.search(msgspec.json.decode(document), jmespath.Options())
        except (msgspec.DecodeError, JMESPathError, RecursionError, ValueError, TypeError, ArithmeticError):
            return [None]
        if not isinstance(found, list) or (self._vectors and _is_one_vector(found)):
            found = [found]
        return [_text(value) for value in found] or [None]


def _is_one_vector(found: list[Any]) -> bool:
    """Whether a list holds values and no list among them, not even one that is written as a text."""
    lists = any(isinstance(value, list) or (isinstance(value, str) and value.startswith("[")) for value in found)
    return not lists and any(value is not None for value in found)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else None
    return msgspec.json.encode(value).decode()
