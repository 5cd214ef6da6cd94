"""How long and how much a node may keep to itself."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping

import msgspec

from driftline.core.errors import InputError

AGE, CACHE, SPOOL, RESERVE = (
    f"DRIFTLINE_{name}" for name in ("SHIP_AGE", "CACHE_BYTES", "SPOOL_BYTES", "DISK_RESERVE")
)
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_SIZE = re.compile(r"(\d+)\s*([KMGT]?)(?:i?B)?", re.ASCII | re.IGNORECASE)


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
    """
    given = {name: text for name in (AGE, CACHE, SPOOL, RESERVE) if (text := environment.get(name, "").strip())}
    usual = Limits()
    return Limits(
        age=_seconds(AGE, given[AGE]) if AGE in given else usual.age,
        cache=_bytes(CACHE, given[CACHE]) if CACHE in given else usual.cache,
        spool=_bytes(SPOOL, given[SPOOL]) if SPOOL in given else usual.spool,
        reserve=_bytes(RESERVE, given[RESERVE]) if RESERVE in given else usual.reserve,
    )


def _seconds(name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        raise InputError(f"{name} is no number of seconds", evidence=text[:80], hint="give a number such as 30")
    return seconds


def _bytes(name: str, text: str) -> int:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise InputError(f"{name} is no number of bytes", evidence=text[:80], hint="give a number such as 20 GiB")
    return int(found[1]) << _UNITS[found[2].upper()]
