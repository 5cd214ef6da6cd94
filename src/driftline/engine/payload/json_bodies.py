"""JSON bodies to rows: which of the known forms a document has, and where its rows stand in it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.engine.names import distinct
from driftline.engine.payload.documents import Documents, mask_of, quoted, too_deep
from driftline.engine.payload.flatten import lengths_of, strided
from driftline.engine.payload.json_rows import decode_arrays, decode_objects, decode_rows
from driftline.engine.payload.parts import Mask, Part, Places, Side, spread
from driftline.engine.payload.tensors import decode_columns, decode_tensors
from driftline.engine.texts import Array, typed

_LISTS = ("instances", "inputs", "outputs", "predictions", "dataframe_records")
_KEYS = ", ".join(quoted(key) for key in (*_LISTS, "dataframe_split", "data"))
_FORM = f"""CASE json_type(d) WHEN 'ARRAY' THEN '$' WHEN 'OBJECT' THEN CASE
    WHEN NOT list_has_any(json_keys(d), [{_KEYS}]) THEN 'object'
    WHEN json_type(d, '$.dataframe_split.data') = 'ARRAY' AND json_type(d, '$.dataframe_split.columns') = 'ARRAY'
        THEN 'split $.dataframe_split'
    WHEN json_type(d, '$.data') = 'ARRAY' AND json_type(d, '$.columns') = 'ARRAY' THEN 'split $'
    {{}} ELSE 'object' END ELSE 'value' END"""
_LIST = """WHEN json_type(d, '$.{0}') = 'ARRAY' THEN
        CASE WHEN json_type(d, '$.{0}[0].data') = 'ARRAY' THEN 'tensors $.{0}' ELSE '$.{0}' END
    WHEN list_distinct(json_type(d, '$.{0}.*')) = ['ARRAY'] THEN 'columns $.{0}'"""
FORM = _FORM.format("\n".join(_LIST.format(key) for key in _LISTS))
Decode = Callable[[Documents, Array, Places, str, Side], None]


def decode_json(json: Documents, bodies: Array, requests: Places) -> Side:
    """The rows of bodies that are a JSON document or one a line, none of them null."""
    side = Side()
    documents, places = _split(json, bodies, requests, side)
    if len(places):
        forms = json.evaluate(documents, form=FORM)["form"].dictionary_encode()
        codes = forms.indices.to_numpy()
        for code, form in enumerate(forms.dictionary.to_pylist()):
            chosen = codes == code
            kind, _, path = form.rpartition(" ")
            _DECODERS[kind or form[0]](json, documents.filter(pa.array(chosen)), places[chosen], path, side)
    _keep_one_part(side, int(requests.max(initial=-1)) + 1)
    return side


def _split(json: Documents, bodies: Array, requests: Places, side: Side) -> tuple[Array, Places]:
    """The documents of all bodies. A body that is no document as a whole has one a line."""
    empty = mask_of(pc.equal(pc.binary_length(pc.utf8_trim_whitespace(bodies)), 0))
    side.fault("no_rows", requests[empty])
    deep = ~empty & too_deep(bodies)
    side.fault("too_deep", requests[deep])
    usable = ~empty & ~deep
    bodies, requests = bodies.filter(pa.array(usable)), requests[usable]
    whole = _valid(json, bodies)
    if whole.all():
        return bodies, requests
    lines = pc.split_pattern(bodies.filter(pa.array(~whole)), "\n")
    parts, of = lines.flatten(), spread(lengths_of(lines), requests[~whole])
    filled = mask_of(pc.not_equal(pc.binary_length(pc.utf8_trim_whitespace(parts)), 0))
    parts, of = parts.filter(pa.array(filled)), of[filled]
    broken = np.unique(of[~_valid(json, parts)])
    side.fault("not_json", broken)
    kept = ~np.isin(of, broken)
    documents = pa.concat_arrays([bodies.filter(pa.array(whole)), parts.filter(pa.array(kept))])
    places = np.concatenate([requests[whole], of[kept]])
    order = np.argsort(places, kind="stable")
    return documents.take(pa.array(order)), places[order]


def _valid(json: Documents, texts: Array) -> Mask:
    return mask_of(json.evaluate(texts, found="json_valid(d)")["found"])


def _lists(json: Documents, documents: Array, requests: Places, path: str, side: Side) -> None:
    """Documents that hold a list of rows, or of values, under a path."""
    below = quoted(f"{path}[*]")
    nested = mask_of(
        json.evaluate(documents, found=f"list_has_any(json_type(d, {below}), ['ARRAY', 'OBJECT'])")["found"]
    )
    if nested.any():
        found = json.evaluate(documents.filter(pa.array(nested)), rows=f"CAST(json_extract(d, {below}) AS VARCHAR[])")
        decode_rows(json, found["rows"].flatten(), spread(lengths_of(found["rows"]), requests[nested]), side)
    if nested.all():
        return
    values = json.evaluate(documents.filter(pa.array(~nested)), found=f"json_extract_string(d, {below})")["found"]
    _flat(values, requests[~nested], bare=path == "$", side=side)


def _flat(values: Array, requests: Places, *, bare: bool, side: Side) -> None:
    """Lists of values. Where a body has several documents, each bare list is a row."""
    lengths = lengths_of(values)
    side.fault("no_rows", requests[lengths == 0])
    several = np.isin(requests, requests[:-1][np.diff(requests) == 0]) if bare else np.zeros(len(requests), np.bool_)
    side.parts.append(
        Part(spread(np.where(several, 0, lengths), requests), [_chosen(values, ~several)], None, True, bare)
    )
    for width in np.unique(lengths[several & (lengths > 0)]).tolist():
        chosen = several & (lengths == width)
        columns = strided(_chosen(values, chosen), width)
        side.parts.append(Part(requests[chosen], [typed(column) for column in columns]))


def _chosen(values: Array, chosen: Mask) -> Array:
    return values.filter(pa.array(chosen)).flatten()


def _splits(json: Documents, documents: Array, requests: Places, path: str, side: Side) -> None:
    """Tables that are written as names of columns and rows of values."""
    names, rows = quoted(f"{path}.columns"), quoted(f"{path}.data[*]")
    found = json.evaluate(
        documents,
        names=f"CAST(json_extract(d, {names}) AS VARCHAR)",
        rows=f"CAST(json_extract(d, {rows}) AS VARCHAR[])",
    )
    layouts = found["names"].dictionary_encode()
    lengths = lengths_of(found["rows"])
    side.fault("no_rows", requests[lengths == 0])
    for code, layout in enumerate(layouts.dictionary.to_pylist()):
        chosen = layouts.indices.to_numpy() == code
        columns = distinct([name if isinstance(name, str) else str(name) for name in msgspec.json.decode(layout)])
        places = spread(lengths[chosen], requests[chosen])
        decode_arrays(json, _chosen(found["rows"], chosen), places, side, columns)


def _objects(json: Documents, documents: Array, requests: Places, path: str, side: Side) -> None:
    decode_objects(json, documents, requests, side)


def _values(json: Documents, documents: Array, requests: Places, path: str, side: Side) -> None:
    decode_rows(json, documents, requests, side)


_DECODERS: dict[str, Decode] = {
    "$": _lists,
    "split": _splits,
    "tensors": decode_tensors,
    "columns": decode_columns,
    "o": _objects,
    "v": _values,
}


def _keep_one_part(side: Side, requests: int) -> None:
    """A record whose documents have different forms has rows that are not alike, or whose order is lost."""
    bad = np.zeros(requests, dtype=np.bool_)
    for found in side.faults.values():
        bad[np.concatenate(found)] = True
    seen = np.zeros(requests, dtype=np.int64)
    for part in side.parts:
        seen[np.unique(part.request)] += 1
    side.fault("ragged", np.flatnonzero((seen > 1) & ~bad))
    bad |= seen > 1
    if bad.any():
        side.parts = [part.only(~bad[part.request]) for part in side.parts]
    side.parts = [part for part in side.parts if len(part.request)]
