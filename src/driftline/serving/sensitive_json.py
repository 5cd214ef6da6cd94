"""Values of a JSON body hidden, by key or by place in a row, in the forms that model servers take.

A key is hidden wherever an object has it, so also in each of ``instances``; where rows are arrays beside their
``columns``, by the place of its name there; and as a tensor of that name. A place is hidden in every row that is an
array. What is not certain is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from driftline.serving.sensitive_values import Hide, UnhiddenError

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_decode_lines = msgspec.json.Decoder().decode_lines


def hide_json(body: bytes, places: Mapping[int, Hide], keys: Mapping[str, Hide]) -> bytes:
    """The body with values hidden; one document, or one a line.

    A value that is dropped from an object takes its key along, one in an array becomes null, so that no other moves. A
    list of values under a key keeps its length. Null is a missing value, and stays so. Raises :class:`UnhiddenError`
    for what is no JSON, a row that has no such place, and rows that are arrays without names where a key is to be
    hidden.
    """
    try:
        return _encode(_document(_decode(body), places, keys))
    except (msgspec.DecodeError, UnicodeError):
        pass
    try:
        documents = _decode_lines(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UnhiddenError(f"it is no JSON: {error}") from None
    return b"\n".join(_encode(_document(document, places, keys)) for document in documents)


def _document(document: Any, places: Mapping[int, Hide], keys: Mapping[str, Hide]) -> Any:
    """Whoever names columns in both ways has bodies of both kinds: then one of the two must serve."""
    unnamed = _by_keys(document, keys)
    if unnamed is not None and not places:
        raise unnamed
    try:
        return _by_places(document, places)
    except UnhiddenError:
        if not keys or unnamed is not None:
            raise
        return document


def _by_keys(document: Any, keys: Mapping[str, Hide]) -> UnhiddenError | None:
    """Hide keys in place; the reason why they could not be found for certain."""
    try:
        for path, hide in keys.items():
            if not _Key(path, hide).walk(document):
                _must_have_names(document, path)
    except UnhiddenError as error:
        return error
    return None


def _by_places(document: Any, places: Mapping[int, Hide]) -> Any:
    for place, hide in places.items():
        if not place and not isinstance(document, list | dict):
            document = _leaves(document, hide)  # an answer that is one value
            continue
        document, found = _place(document, place, hide, depth=0)
        if not found:
            raise UnhiddenError(f"there is no row that is an array, for column {place}")
    return document


def _leaves(value: Any, hide: Hide) -> Any:
    """What stands in place of a value; of a list, in the place of each of its values."""
    if value is None:
        return None
    if isinstance(value, list):
        return [_leaves(one, hide) for one in value]
    return hide(value if isinstance(value, str) else _encode(value).decode())


class _Key:
    """One key, or path of keys with dots between them, hidden in place wherever it is."""

    def __init__(self, path: str, hide: Hide) -> None:
        # A key may have a dot in itself, and without one both ways to read it are the same.
        self._path, self._ways, self._hide = path, {(path,), tuple(path.split("."))}, hide

    def walk(self, node: Any) -> bool:
        """Whether it was anywhere."""
        if isinstance(node, list):
            return _all_done(self.walk(one) for one in node)
        if not isinstance(node, dict):
            return False
        found = [*(self._remove(node, way) for way in self._ways), self._column(node), self._tensor(node)]
        return _all_done([*found, *(self.walk(one) for one in node.values())])

    def _remove(self, node: dict[str, Any], keys: tuple[str, ...]) -> bool:
        """Hide what the keys lead to from an object; a list on the way leads to each of its objects."""
        first, rest = keys[0], keys[1:]
        if first not in node:
            return False
        if rest:
            below = node[first] if isinstance(node[first], list) else [node[first]]
            return _all_done(self._remove(one, rest) for one in below if isinstance(one, dict))
        self._set(node, first)
        return True

    def _set(self, node: dict[str, Any], name: str) -> None:
        kept = _leaves(node[name], self._hide)
        if kept is None and node[name] is not None:
            del node[name]
        else:
            node[name] = kept

    def _column(self, node: dict[str, Any]) -> bool:
        """A table: names beside rows that are arrays."""
        names, rows = node.get("columns"), node.get("data")
        if not (isinstance(names, list) and isinstance(rows, list) and self._path in names):
            return False
        for place, name in enumerate(names):
            if name == self._path:
                for row in rows:
                    _in_row(row, place, self._hide)
        return True

    def _tensor(self, node: dict[str, Any]) -> bool:
        """An input or output of the V2 inference protocol: its name beside its data."""
        if node.get("name") != self._path or "data" not in node:
            return False
        node["data"] = _leaves(node["data"], self._hide)
        return True


def _in_row(row: Any, place: int, hide: Hide) -> None:
    if not isinstance(row, list) or len(row) <= place:
        raise UnhiddenError(f"a row has no column {place}")
    row[place] = _leaves(row[place], hide)


def _all_done(found: Iterable[bool]) -> bool:
    """Whether any was found. All are looked at: ``any`` would stop at the first and leave the others in clear."""
    return sum(found) > 0


def _place(node: Any, place: int, hide: Hide, *, depth: int) -> tuple[Any, bool]:
    """The node with one place of every row hidden, and whether there was one; ``depth`` is that of lists around it."""
    if isinstance(node, dict):
        return _object(node, place, hide, depth=depth)
    if not isinstance(node, list):
        return node, False
    deep = [isinstance(one, list | dict) for one in node]
    if all(deep):
        if depth and any(isinstance(one, list) for one in node):
            raise UnhiddenError("arrays lie too deep to tell rows from values")
        pairs = [_place(one, place, hide, depth=depth + 1) for one in node]
        return [one for one, _ in pairs], bool(pairs) and all(found for _, found in pairs)
    if not depth and any(deep):
        raise UnhiddenError("an array has rows and values beside each other")
    if depth or place:
        _in_row(node, place, hide)
        return node, True
    # Alone it may be one row, or the first column of several: of both, what might be meant is hidden.
    return _leaves(node, hide), True


def _object(node: dict[str, Any], place: int, hide: Hide, *, depth: int) -> tuple[Any, bool]:
    if "shape" in node and "data" in node:
        raise UnhiddenError("a tensor has no columns; name it instead")
    skipped = {"columns", "index"} if "columns" in node and "data" in node else set()
    pairs = {
        name: (one, False) if name in skipped else _place(one, place, hide, depth=depth) for name, one in node.items()
    }
    return {name: one for name, (one, _) in pairs.items()}, any(found for _, found in pairs.values())


def _must_have_names(document: Any, path: str) -> None:
    """Whether the key can be said to be absent: not where values stand without names."""
    if not isinstance(document, dict) and not (
        isinstance(document, list) and document and all(isinstance(one, dict) for one in document)
    ):
        raise UnhiddenError(f"there is no object, for the key {path}")
    if _nameless(document):
        raise UnhiddenError(f"rows are arrays without names, for the key {path}")


def _nameless(node: Any) -> bool:
    """Whether there is a list in a list."""
    if isinstance(node, dict):
        return any(_nameless(one) for one in node.values())
    return isinstance(node, list) and any(isinstance(one, list) or _nameless(one) for one in node)
