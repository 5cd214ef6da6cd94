"""What a task on Spark found out beside its rows. It travels in the stream of rows, so that it counts once however
often Spark tries a task: what a task tells by other ways is told again when it is tried again."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from driftline.engine.reading import Found
from driftline.engine.rejects import Reject, summed
from driftline.engine.spark.failures import of_text


class Told(msgspec.Struct, frozen=True):
    """What reading the ``number``-th group of files found, or the ``trouble`` that ended it."""

    number: int
    found: Found | None = None
    trouble: str | None = None


def total(told: Iterable[Told]) -> Found:
    """What all groups found together, samples of what was refused from the first of them; raises the first trouble."""
    ordered = sorted(told, key=lambda one: one.number)
    for one in ordered:
        if one.trouble is not None:
            raise of_text(one.trouble)
    parts = [one.found for one in ordered if one.found is not None]
    rejects: list[Reject] = [reject for part in parts for reject in part.rejects]
    return Found(
        sum(part.records for part in parts),
        sum(part.usable for part in parts),
        sum(part.duplicates for part in parts),
        summed(rejects),
    )


def encode(told: Told) -> bytes:
    """As bytes, for a column of a data frame."""
    return msgspec.msgpack.encode(told)


def decode(data: bytes) -> Told:
    """What :func:`encode` made bytes of."""
    return msgspec.msgpack.decode(data, type=Told)
