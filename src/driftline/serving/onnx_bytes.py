"""What must be known of an ONNX file before and besides loading it, read from its bytes (protocol buffers)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Fields of a model: 1 IR version, 2-3 producer, 4 domain, 5 version, 6 text, 7 graph, 8 operators, 14 metadata, …
_MODEL = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})
_GRAPH = 7
# Where a tensor can stand: message -> field -> message.
_INSIDE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value, at = value | (byte & 0x7F) << shift, at + 1
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than ten bytes")


def fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """The fields of one message: number, and an int or the bytes. The last one may be cut off.

    Raises :class:`ValueError` or :class:`IndexError` for what is no message.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size, at = _varint(data, at) if kind == _BYTES else ({_FIXED64: 8, _FIXED32: 4}.get(kind, -1), at)
        if size < 0:
            raise ValueError(f"no kind of field: {kind}")
        yield key >> 3, data[at : at + size]
        at += size


def is_model(data: bytes) -> bool:
    """Whether the bytes begin like a model: known fields in a row, up to a graph."""
    try:
        for number, value in fields(memoryview(data)):
            if number not in _MODEL or isinstance(value, int) != (number in (1, 5)):
                return False
            if number == _GRAPH:
                return True
    except (ValueError, IndexError):
        pass
    return False


def has_external_data(data: bytes) -> bool:
    """Whether some tensor's values stand in another file, which a model could name freely.

    Raises :class:`ValueError`, :class:`IndexError` or :class:`RecursionError` for what is no model.
    """
    # Every such tensor spells its key; without it a large model need not be walked.
    return b"location" in data and _external(memoryview(data), "model")


def _external(data: memoryview, message: str) -> bool:
    for number, value in fields(data):
        if message == "tensor":
            if number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0):
                return True
        elif (inner := _INSIDE[message].get(number)) and not isinstance(value, int) and _external(value, inner):
            return True
    return False


def class_labels(data: bytes) -> list[str] | list[int] | None:
    """The classes that a classifier of the ``ai.onnx.ml`` operators names, or None."""
    try:
        graphs = [value for number, value in fields(memoryview(data)) if number == _GRAPH]
        nodes = [node for graph in graphs for number, node in fields(graph) if number == 1]
        for node in nodes:
            for attribute in (value for number, value in fields(node) if number == 5):
                if labels := _labels(attribute):
                    return labels
    except (ValueError, IndexError, TypeError):
        pass
    return None


def _labels(attribute: memoryview) -> list[str] | list[int] | None:
    number, name = next(fields(attribute), (0, 0))
    if number != 1 or isinstance(name, int) or not bytes(name).startswith(b"classlabels_"):
        return None
    texts = [bytes(value).decode() for number, value in fields(attribute) if number == 9]
    return texts or [value for number, value in fields(attribute) if number == 8 and isinstance(value, int)] or None
