"""Request bodies to rows of float32, and answers to bodies. Every body is parsed by itself.

A parsed body is ``bytes``: its rows one after another, each ``n_features`` little-endian float32, NaN being
a missing value. Bodies of one batch are joined and seen as one numpy block without a copy per row.
"""

from __future__ import annotations

import csv
import math
import re
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from driftline.core.errors import InputError
from driftline.serving.errors import MediaTypeError

CSV, JSON = "text/csv", "application/json"
ANSWER_TYPES = {CSV: "text/csv; charset=utf-8", JSON: JSON}
# A line of these characters is a row of numbers in JSON's grammar too, once it stands in brackets of its own.
_PLAIN = b"0123456789.,-+eE\n"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_MISSING = ("", "nan", "+nan", "-nan")
_json_encode = msgspec.json.Encoder().encode
_json_decode = msgspec.json.Decoder().decode
_decode_row = msgspec.json.Decoder(list[float]).decode
_decode_rows = msgspec.json.Decoder(list[list[float]]).decode
_NOT_PLAIN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError, struct.error)


class _Instances(msgspec.Struct, forbid_unknown_fields=True):
    instances: list[list[float]]


_decode_instances = msgspec.json.Decoder(_Instances).decode


def body_type(content_type: str) -> str:
    """``text/csv`` or ``application/json``; raises :class:`MediaTypeError` for any other content type."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in ANSWER_TYPES:
        raise MediaTypeError(
            "this content type is not read here",
            evidence=f"Content-Type: {content_type[:100]}" if content_type else "no Content-Type header",
            hint="send Content-Type: text/csv or application/json",
        )
    return media_type


def answer_type(accept: str, request_type: str) -> str:
    """The media type to answer in: the first one of ``Accept`` that can be written, else that of the request.

    >>> answer_type("application/json;q=0.9, */*", CSV), answer_type("*/*", CSV), answer_type("", JSON)
    ('application/json', 'text/csv', 'application/json')
    """
    for part in accept.split(","):
        media_type = part.partition(";")[0].strip().lower()
        if media_type in ANSWER_TYPES:
            return media_type
    return request_type


def parse(body: bytes, media_type: str, n_features: int) -> bytes:
    """The rows of a body. Raises :class:`InputError` naming the row and the column, both counted from 1.

    >>> struct.unpack("4f", parse(b"1,2\\n3,4\\n", CSV, 2))
    (1.0, 2.0, 3.0, 4.0)
    """
    return parse_csv(body, n_features) if media_type == CSV else parse_json(body, n_features)


@lru_cache(maxsize=64)
def _packer(n_features: int) -> struct.Struct:
    return struct.Struct(f"<{n_features}f")


def parse_csv(body: bytes, n_features: int) -> bytes:
    """The rows of a CSV body without a header; cells may be quoted, an empty cell or ``nan`` is missing."""
    text = body.replace(b"\r\n", b"\n") if b"\r" in body else body
    if not text.translate(None, _PLAIN):
        pack, text = _packer(n_features).pack, text.removesuffix(b"\n")
        try:
            if b"\n" not in text:
                return pack(*_decode_row(b"[%b]" % text))
            return b"".join([pack(*_decode_row(b"[%b]" % line)) for line in text.split(b"\n")])
        except _NOT_PLAIN:
            pass  # the careful parser reads what this one cannot, or finds the cell that is wrong
    return _parse_csv_carefully(body, n_features)


def _parse_csv_carefully(body: bytes, n_features: int) -> bytes:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("the body is not UTF-8 text", evidence=str(error), hint="send CSV as UTF-8") from None
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if lines == [""]:
        raise InputError("the body is empty", hint=f"send one line of {n_features} numbers for each row")
    cells = (_cells(line, row) for row, line in enumerate(lines, 1))
    return b"".join(_pack(_text_number, line, row, n_features) for row, line in enumerate(cells, 1))


def _cells(line: str, row: int) -> list[str]:
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise InputError(f"row {row}: broken quotes: {error}", evidence=line[:80], hint="close every quote") from None


def parse_json(body: bytes, n_features: int) -> bytes:
    """The rows of ``[[…], …]``, ``[…]`` (one row), or ``{"instances": [[…], …]}``; null is missing.

    A row may also be written ``{"features": […]}``.
    """
    try:
        rows = _plain_json_rows(body)
        if rows:
            pack = _packer(n_features).pack
            return pack(*rows[0]) if len(rows) == 1 else b"".join([pack(*row) for row in rows])
    except _NOT_PLAIN:
        pass  # as for CSV
    return _parse_json_carefully(body, n_features)


def _plain_json_rows(body: bytes) -> list[list[float]]:
    if body[:1] == b"{":
        return _decode_instances(body).instances
    return _decode_rows(body) if body[:2] == b"[[" else [_decode_row(body)]


def _parse_json_carefully(body: bytes, n_features: int) -> bytes:
    try:
        document = _json_decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("the body is not valid JSON", evidence=str(error)[:200], hint=_shape(n_features)) from None
    rows = _json_rows(document, n_features)
    return b"".join(_pack(_json_number, cells, row, n_features) for row, cells in enumerate(rows, 1))


def _json_rows(document: Any, n_features: int) -> list[Any]:
    rows = document.get("instances") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not rows:
        raise InputError("the body holds no rows", evidence=_shown(document), hint=_shape(n_features))
    if not isinstance(rows[0], list | dict):
        if not isinstance(document, dict):
            return [rows]
        if n_features == 1:
            return [[cell] for cell in rows]  # of one feature a row may be written as its number
    return [row.get("features") if isinstance(row, dict) else row for row in rows]


def _pack(convert: Callable[[Any], float | None], cells: Any, row: int, n_features: int) -> bytes:
    if not isinstance(cells, list):
        raise InputError(f"row {row} is not a list of numbers", evidence=_shown(cells), hint=_shape(n_features))
    if len(cells) != n_features:
        raise InputError(
            f"row {row} has {len(cells)} columns, and the model has {n_features}",
            evidence=_shown(cells),
            hint=f"send exactly {n_features} numbers a row, without label or header",
        )
    values = [convert(cell) for cell in cells]
    try:
        return _packer(n_features).pack(*values)
    except (struct.error, OverflowError):
        raise _bad_cell(cells, values, row) from None


def _text_number(cell: str) -> float | None:
    cell = cell.strip(" \t")
    if _NUMBER.fullmatch(cell) is not None:
        value = float(cell)
        return value if math.isfinite(value) else None
    return math.nan if cell.lower() in _MISSING else None


def _json_number(cell: Any) -> float | None:
    if cell is None:
        return math.nan
    if type(cell) not in (float, int):
        return None
    try:
        value = float(cell)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def _bad_cell(cells: list[Any], values: list[float | None], row: int) -> InputError:
    column = next(index for index, value in enumerate(values) if value is None or not _fits(value))
    return InputError(
        f"row {row}, column {column + 1}: not a number that fits a 32-bit float",
        evidence=_shown(cells[column]),
        hint="send a decimal number such as 1.5 or -2e-3; leave the cell empty (JSON: null) where it is missing",
    )


def _fits(value: float) -> bool:
    try:
        struct.pack("<f", value)
    except OverflowError:
        return False
    return True


def _shown(value: Any) -> str:
    return repr(value if not isinstance(value, list) else value[:8])[:120]


def _shape(n_features: int) -> str:
    return f'send [[…], …] or {{"instances": [[…], …]}} with {n_features} numbers a row'


def format_answer(values: list[Any], media_type: str, *, plain: bool = False) -> bytes:
    """The answers to one body: ``values`` holds a float, or a list of floats, for each of its rows.

    In JSON a ``plain`` answer is the values themselves, as TF Serving gives them, else each is an object. Numbers keep
    every digit of their float32: read back as doubles they are equal.

    >>> format_answer([0.25, 0.5], CSV), format_answer([[0.25, 0.75]], CSV), format_answer([0.25], JSON)
    (b'0.25\\n0.5', b'0.25,0.75', b'{"predictions":[{"score":0.25}]}')
    """
    several = isinstance(values[0], list)
    if media_type == JSON:
        if plain:
            return _json_encode({"predictions": values})
        key = "scores" if several else "score"
        return _json_encode({"predictions": [{key: value} for value in values]})
    lines = (",".join(map(repr, value)) for value in values) if several else map(repr, values)
    return "\n".join(lines).encode()
