"""Rows that are JSON documents each, to typed columns: objects by their keys, arrays by their places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.engine.names import distinct
from driftline.engine.payload.documents import Documents, Structure, mask_of, pointer, quoted
from driftline.engine.payload.flatten import TooWideError, flatten, strided
from driftline.engine.payload.parts import MAX_COLUMNS, Mask, Part, Places, Side, uneven
from driftline.engine.texts import Array, typed

Decode = Callable[[Documents, Array, Places, Side], None]
_MOST_CELLS = 1 << 23
_MOST_POINTERS = 256
_HALVINGS = 4


def decode_rows(json: Documents, rows: Array, requests: Places, side: Side) -> None:
    """Add rows of objects, arrays and single values. The rows of a record must be of one of these kinds."""
    if not len(rows):
        return
    kinds = json.evaluate(rows, kind="CASE json_type(d) WHEN 'OBJECT' THEN 0 WHEN 'ARRAY' THEN 1 ELSE 2 END")["kind"]
    codes = kinds.to_numpy().astype(np.int64)
    usable = _even(codes, requests, side)
    decoders: tuple[Decode, ...] = (decode_objects, decode_arrays, _decode_values)
    for code, decode in enumerate(decoders):
        chosen = usable & (codes == code)
        if chosen.any():
            decode(json, rows.filter(pa.array(chosen)), requests[chosen], side)


def _even(codes: Places, requests: Places, side: Side) -> Mask:
    """The rows of records whose rows are all alike; the others get a fault."""
    starts = np.flatnonzero(np.diff(requests, prepend=-1))
    lengths = np.diff(starts, append=len(requests))
    bad = uneven(codes, lengths)
    side.fault("ragged", requests[starts][bad])
    return ~np.repeat(bad, lengths)


def _decode_values(json: Documents, rows: Array, requests: Places, side: Side) -> None:
    texts = json.evaluate(rows, value="json_extract_string(d, '$')")["value"]
    side.parts.append(Part(requests, [texts], flat=True))


def decode_objects(json: Documents, rows: Array, requests: Places, side: Side, halvings: int = _HALVINGS) -> None:
    """Add rows that are objects: a column for every key that any of them has. An object whose only key ``features``
    has a list is the list."""
    narrow = mask_of(pc.less(pc.count_substring(rows, ","), MAX_COLUMNS))
    if not narrow.all():
        side.fault("too_wide", np.unique(requests[~narrow]))
        kept = narrow & ~np.isin(requests, requests[~narrow])
        rows, requests = rows.filter(pa.array(kept)), requests[kept]
        if not kept.any():
            return
    structure = json.structure(rows)
    if isinstance(structure, dict) and list(structure) == ["features"] and isinstance(structure["features"], list):
        lists = json.evaluate(rows, found="CAST(json_extract(d, '$.features') AS VARCHAR)")["found"]
        decode_arrays(json, lists, requests, side)
        return
    try:
        columns = _object_columns(json, rows, structure)
    except TooWideError:
        _decode_halves(json, rows, requests, side, halvings)
        return
    side.parts.append(Part(requests, list(columns.values()), distinct(list(columns))))


def _decode_halves(json: Documents, rows: Array, requests: Places, side: Side, halvings: int) -> None:
    """Records that have too many different keys together may have few enough apart."""
    middle = np.flatnonzero(np.diff(requests[: len(requests) // 2], prepend=-1))[-1] if len(requests) > 1 else 0
    if not halvings or not middle:
        side.fault("too_wide", np.unique(requests))
        return
    decode_objects(json, rows.slice(0, middle), requests[:middle], side, halvings - 1)
    decode_objects(json, rows.slice(middle), requests[middle:], side, halvings - 1)


def _object_columns(json: Documents, rows: Array, structure: Structure) -> dict[str, Array]:
    """Columns by name, of so many rows at a time that their texts fit in memory."""
    if not isinstance(structure, dict):
        return {}
    leaves = list(_leaves(structure))
    if len(leaves) > MAX_COLUMNS:
        raise TooWideError
    at_once = max(1, _MOST_CELLS // max(1, len(leaves)))
    slices = [rows.slice(first, at_once) for first in range(0, len(rows), at_once)]
    parts = [_columns_at_once(json, some, structure) for some in slices]
    return parts[0] if len(parts) == 1 else _below_each_other(parts, [len(some) for some in slices])


def _below_each_other(parts: list[dict[str, Array]], rows: list[int]) -> dict[str, Array]:
    names = list(dict.fromkeys(name for part in parts for name in part))
    return {
        name: together([part.get(name, pa.nulls(n)) for part, n in zip(parts, rows, strict=True)]) for name in names
    }


def together(columns: list[Array]) -> Array:
    """Typed columns below each other, of one type: that of all of them, else their texts."""
    kinds = {column.type for column in columns if not pa.types.is_null(column.type)}
    kind = kinds.pop() if len(kinds) == 1 else pa.string() if kinds else pa.null()
    return pa.concat_arrays([_as_texts(column) if kind == pa.string() else column.cast(kind) for column in columns])


def _as_texts(column: Array) -> Array:
    """Numbers as texts that show of what type they were."""
    texts = column.cast(pa.string())
    if not pa.types.is_float64(column.type):
        return texts
    plain = pc.invert(pc.match_substring_regex(texts, "[.eEnN]"))
    return pc.if_else(plain, pc.binary_join_element_wise(texts, ".0", ""), texts)


def _columns_at_once(json: Documents, rows: Array, structure: dict[str, Any]) -> dict[str, Array]:
    """By pointers where every value is known by its keys alone, else, with lists, as nested columns."""
    leaves = list(_leaves(structure))
    if len(leaves) > _MOST_POINTERS or any(has_list for _, has_list in leaves):
        return _nested_columns(json, rows, structure, "")
    return _unlike_columns(_by_pointers(json, rows, [keys for keys, _ in leaves]))


def _nested_columns(json: Documents, rows: Array, structure: dict[str, Any], name: str) -> dict[str, Array]:
    """Nested columns cannot have keys that are empty or differ in their case only: then key by key."""
    if _can_nest(structure):
        return flatten(_nested(json, rows, structure), name)
    found: list[tuple[str, Array]] = []
    for key, below in structure.items():
        path = f"{name}.{key}" if name else key
        if not isinstance(below, dict | list) or (isinstance(below, list) and not _can_nest(below)):
            found += [(path, column) for _, column in _by_pointers(json, rows, [(key,)])]
            continue
        inner = json.evaluate(rows, found=f"CAST(json_extract(d, {quoted(pointer((key,)))}) AS VARCHAR)")["found"]
        if isinstance(below, list):
            found += flatten(_nested(json, inner, below), path).items()
        else:
            found += _nested_columns(json, inner, below, path).items()
    return _unlike_columns(found)


def _by_pointers(json: Documents, rows: Array, paths: list[tuple[str, ...]]) -> list[tuple[str, Array]]:
    pointers = ", ".join(quoted(pointer(keys)) for keys in paths)
    values = json.evaluate(rows, found=f"json_extract_string(coalesce(d, 'null'), [{pointers}])")["found"].flatten()
    return [(".".join(keys), typed(column)) for keys, column in zip(paths, strided(values, len(paths)), strict=True)]


def _unlike_columns(columns: list[tuple[str, Array]]) -> dict[str, Array]:
    """Columns by their names, of which no two may be alike."""
    names = distinct([name for name, _ in columns])
    return dict(zip(names, (column for _, column in columns), strict=True))


def _leaves(structure: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The keys that lead to every value that is no object, and whether it is a list."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((key,), below) for key, below in reversed(structure.items())]
    while waiting:
        keys, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*keys, key), below) for key, below in reversed(value.items())]
        else:
            yield keys, isinstance(value, list)


def _can_nest(structure: Any) -> bool:
    if isinstance(structure, list):
        return all(_can_nest(value) for value in structure)
    if not isinstance(structure, dict):
        return True
    keys = {key.lower() for key in structure}
    return len(keys) == len(structure) and "" not in keys and all(map(_can_nest, structure.values()))


def transformed(json: Documents, rows: Array) -> Array | None:
    """Documents as one nested column with texts for values; None where their keys do not allow it."""
    structure = json.structure(rows)
    return _nested(json, rows, structure) if _can_nest(structure) else None


def _nested(json: Documents, rows: Array, structure: Structure) -> Array:
    return json.evaluate(rows, found=f"json_transform(d, {quoted(_transform(structure))})")["found"]


def _transform(structure: Structure) -> str:
    return msgspec.json.encode(_as_text(structure)).decode()


def _as_text(structure: Structure) -> Structure:
    if isinstance(structure, dict):
        return {key: _as_text(value) for key, value in structure.items()}
    return [_as_text(value) for value in structure] if isinstance(structure, list) else "VARCHAR"


def decode_arrays(
    json: Documents, rows: Array, requests: Places, side: Side, names: tuple[str, ...] | None = None
) -> None:
    """Add rows that are arrays; those of a record must be of one length, with ``names`` of theirs."""
    lengths = json.evaluate(rows, found="json_array_length(d)")["found"].fill_null(0).to_numpy().astype(np.int64)
    usable = _even(lengths, requests, side)
    wrong = usable & (lengths != len(names)) if names is not None else usable & (lengths == 0)
    side.fault("no_rows" if names is None else "ragged", np.unique(requests[wrong]))
    side.fault("too_wide", np.unique(requests[usable & ~wrong & (lengths > MAX_COLUMNS)]))
    usable &= ~wrong & (lengths <= MAX_COLUMNS)
    for width in np.unique(lengths[usable]).tolist():
        chosen = usable & (lengths == width)
        some = rows.filter(pa.array(chosen))
        side.parts.append(Part(requests[chosen], _array_columns(json, some, width), names))


def _array_columns(json: Documents, rows: Array, width: int) -> list[Array]:
    structure = json.structure(rows)
    if isinstance(structure, list) and isinstance(structure[0], dict | list) and _can_nest(structure):
        try:
            return list(flatten(_nested(json, rows, structure), "").values())
        except TooWideError:
            pass  # then every element is one text
    values = json.evaluate(rows, found="json_extract_string(d, '$[*]')")["found"].flatten()
    return [typed(column) for column in strided(values, width)]
