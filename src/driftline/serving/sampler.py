"""Which requests are captured: a pure function of the request's id."""

from __future__ import annotations

from hashlib import blake2b

_FULL = 1 << 64


def threshold(percent: float) -> int:
    """The share of the 64-bit range that a percentage (0 to 100) stands for; see :func:`chosen`."""
    return round(percent / 100 * _FULL)


def chosen(record_id: str, limit: int) -> bool:
    """Whether the record of this id belongs to the sample that ``limit``, made by :func:`threshold`, describes.

    The hash is not the one that analyses draw their resamples with (:mod:`driftline.core.sampling`): with the same
    one, a captured sample and a resample of it would not be independent.

    >>> sum(chosen(f"o-{number}", threshold(25)) for number in range(10_000))
    2509
    """
    return int.from_bytes(blake2b(record_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little") < limit
