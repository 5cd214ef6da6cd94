"""The manifests by which a batch transform says which objects went in and came out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from driftline.core.errors import InputError
from driftline.core.uris import ObjectUri, object_uri
from driftline.core.window import partition

INPUT, OUTPUT = "input", "output"


class Listed(NamedTuple):
    """What a manifest lists: a prefix, and the rest of every key behind it."""

    prefix: str
    names: tuple[str, ...]

    @property
    def uris(self) -> list[ObjectUri]:
        """The objects: each name is put behind the prefix as it is."""
        return [object_uri(self.prefix + name) for name in self.names]


def manifest_of(prefix: str, names: Sequence[str]) -> bytes:
    """A manifest's text.

    >>> manifest_of("s3://data/day/", ["a.csv", "b.csv"])
    b'[{"prefix":"s3://data/day/"},"a.csv","b.csv"]'
    """
    return msgspec.json.encode([{"prefix": prefix}, *names])


def read_manifest(content: bytes, source: str) -> Listed:
    """What a manifest lists; raises :class:`InputError` naming the source for a document of another shape.

    >>> read_manifest(b'[{"prefix": "s3://data/one.csv"}, ""]', "m.json").uris
    [ObjectUri(bucket='data', key='one.csv', scheme='s3')]
    """
    try:
        head, *names = msgspec.json.decode(content, type=list[dict[str, str] | str])
        if isinstance(head, dict) and all(isinstance(name, str) for name in names):
            return Listed(head["prefix"], tuple(map(str, names)))
        evidence = content[:80].decode("utf-8", "replace")
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, KeyError) as error:
        evidence = f"{type(error).__name__}: {error}"[:200]
    hint = 'write [{"prefix": "s3://BUCKET/FOLDER/"}, "a.csv", "b.csv"]'
    raise InputError(f"{source} is no manifest", evidence=evidence, hint=hint)


def manifest_uri(destination: str, side: str, moment: datetime, name: str) -> ObjectUri:
    """Where the manifest of a side lies below a capture's destination."""
    return object_uri(destination) / f"{side}/{partition(moment)}/{name}.json"
