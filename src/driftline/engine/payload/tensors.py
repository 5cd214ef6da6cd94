"""Columnar JSON: tensors of the open inference protocol, version 2, and objects that hold a list a column."""

from __future__ import annotations

from math import prod
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from driftline.engine.names import distinct
from driftline.engine.payload.documents import Documents, quoted
from driftline.engine.payload.flatten import TooWideError, flatten, lengths_of, strided
from driftline.engine.payload.json_rows import transformed
from driftline.engine.payload.parts import MAX_COLUMNS, Part, Places, Side, spread
from driftline.engine.texts import Array, typed

_LARGEST = 1 << 31
Layout = tuple[tuple[str, tuple[int, ...]], ...]


def decode_tensors(json: Documents, documents: Array, requests: Places, path: str, side: Side) -> None:
    """Lists of ``{"name", "shape", "data"}``: the first number of a shape is that of the rows, and a tensor has as many
    columns as the others multiplied. ``data`` may be flat or nested as the shape says."""
    parts = [f"CAST(json_extract(d, {quoted(f'{path}[*].{key}')}) AS JSON)" for key in ("name", "shape")]
    key = f"'[' || {' || chr(44) || '.join(parts)} || ',' || json_array_length(d, {quoted(path)}) || ']'"
    keys = json.evaluate(documents, key=key)["key"].dictionary_encode()
    for code, text in enumerate(keys.dictionary.to_pylist()):
        chosen = keys.indices.to_numpy() == code
        layout = _layout(text)
        if layout is None:
            side.fault("ragged", requests[chosen])
        elif sum(prod(shape[1:]) for _, shape in layout) > MAX_COLUMNS:
            side.fault("too_wide", requests[chosen])
        else:
            _decode_layout(json, documents.filter(pa.array(chosen)), requests[chosen], path, layout, side)


def _layout(text: str) -> Layout | None:
    """Names and shapes of tensors that go together; None where one is missing or they differ in rows."""
    names, shapes, count = msgspec.json.decode(text)
    if len(names) != count or len(shapes) != count or not all(map(_is_shape, shapes)):
        return None
    if len({shape[0] for shape in shapes}) != 1:
        return None
    return tuple((str(name), tuple(shape)) for name, shape in zip(names, shapes, strict=True))


def _is_shape(shape: Any) -> bool:
    sizes = isinstance(shape, list) and shape and all(type(size) is int and size > 0 for size in shape)
    return bool(sizes) and prod(shape) < _LARGEST


def _decode_layout(json: Documents, documents: Array, requests: Places, path: str, layout: Layout, side: Side) -> None:
    values = [_values(json, documents, f"{path}[{place}].data", len(shape)) for place, (_, shape) in enumerate(layout)]
    whole = np.ones(len(requests), dtype=np.bool_)
    for texts, (_, shape) in zip(values, layout, strict=True):
        whole &= lengths_of(texts) == prod(shape)
    side.fault("ragged", requests[~whole])
    if not whole.any():
        return
    names: list[str] = []
    columns: list[Array] = []
    for texts, (name, shape) in zip(values, layout, strict=True):
        width = prod(shape[1:])
        names += [name] if width == 1 else [f"{name}.{place}" for place in range(width)]
        columns += [typed(column) for column in strided(texts.filter(pa.array(whole)).flatten(), width)]
    rows = np.where(whole, layout[0][1][0], 0)
    side.parts.append(Part(spread(rows, requests), columns, distinct(names)))


def _values(json: Documents, documents: Array, path: str, dimensions: int) -> Array:
    """All values of a tensor one after another, whether or not they are nested."""
    flat, nested = quoted(path + "[*]"), quoted(path + "[*]" * dimensions)
    found = f"""CASE WHEN json_type(d, {quoted(path + "[0]")}) = 'ARRAY' THEN json_extract_string(d, {nested})
        ELSE json_extract_string(d, {flat}) END"""
    return json.evaluate(documents, found=found)["found"]


def decode_columns(json: Documents, documents: Array, requests: Places, path: str, side: Side) -> None:
    """Objects with a list of values for each column. The lists of a record must be of one length."""
    objects = json.evaluate(documents, found=f"CAST(json_extract(d, {quoted(path)}) AS VARCHAR)")["found"]
    nested = transformed(json, objects)
    if nested is None or not pa.types.is_struct(nested.type):
        side.fault("ragged", requests)
        return
    fields = dict(zip((field.name for field in nested.type), nested.flatten(), strict=True))
    if not all(pa.types.is_list(column.type) for column in fields.values()):
        side.fault("ragged", requests)
        return
    lengths = {name: lengths_of(column) for name, column in fields.items()}
    rows = np.maximum.reduce(list(lengths.values()))
    even = np.logical_and.reduce([(length == rows) | _absent(fields[name]) for name, length in lengths.items()])
    side.fault("ragged", requests[~even])
    side.fault("no_rows", requests[even & (rows == 0)])
    rows = np.where(even, rows, 0)
    try:
        columns = _exploded(fields, lengths, rows)
    except TooWideError:
        side.fault("too_wide", requests[rows > 0])
        return
    side.parts.append(Part(spread(rows, requests), list(columns.values()), distinct(list(columns))))


def _absent(column: Array) -> Any:
    return column.is_null().to_numpy(zero_copy_only=False)


def _exploded(fields: dict[str, Array], lengths: dict[str, Places], rows: Places) -> dict[str, Array]:
    """The values of every list below each other, null for all rows of a record that lacks the column."""
    found: dict[str, Array] = {}
    within = np.arange(rows.sum()) - np.repeat(np.cumsum(rows) - rows, rows)
    for name, column in fields.items():
        length = lengths[name]
        places = np.repeat(np.cumsum(length) - length, rows) + within
        values = column.flatten()
        absent = np.repeat(length == 0, rows)
        taken = values.take(pa.array(places, mask=absent)) if len(values) else pa.nulls(len(places), pa.string())
        found |= flatten(taken, name)
    return found
