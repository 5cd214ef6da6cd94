"""Payload decoding: the bodies of captured records as typed columns."""

from driftline.engine.payload.beside import columns_beside
from driftline.engine.payload.column_names import Sides, sides_of
from driftline.engine.payload.decoding import KEYS, Decoding, Reading, features, file_groups, keys, named

__all__ = [
    "KEYS",
    "Decoding",
    "Reading",
    "Sides",
    "columns_beside",
    "features",
    "file_groups",
    "keys",
    "named",
    "sides_of",
]
