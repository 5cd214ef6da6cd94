"""How long and how much a node may keep to itself."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from driftline.core.configuration import CACHE_BYTES, DISK_RESERVE, SHIP_AGE, SPOOL_BYTES


class Limits(msgspec.Struct, frozen=True):
    """``age``: seconds after which what an open file holds is shipped. ``cache``: bytes of shipped files that stay.
    ``spool``: bytes that may wait, None for as many as fit on the disk. ``reserve``: bytes of the disk left free."""

    age: float = 30.0
    cache: int = 10 << 30
    spool: int | None = None
    reserve: int = 256 << 20


def limits_of(environment: Mapping[str, str] = os.environ) -> Limits:
    """What the variables say; raises :class:`InputError` naming one that says nothing sensible.

    >>> limits_of({"DRIFTLINE_SPOOL_BYTES": "2 GiB", "DRIFTLINE_SHIP_AGE": "5"}).spool
    2147483648
    >>> limits_of({}) == Limits()
    True
    """
    return Limits(
        age=SHIP_AGE.of(environment),
        cache=CACHE_BYTES.of(environment),
        spool=SPOOL_BYTES.of(environment),
        reserve=DISK_RESERVE.of(environment),
    )
