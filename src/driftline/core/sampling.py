"""Sampling that is a pure function of a record's id and a seed: the same on every engine, machine and run."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

U64 = npt.NDArray[np.uint64]
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_BLOCK = 1 << 15
GROUPS = 64
SAMPLES, SHARE = 5, 0.8


def mix(words: U64) -> U64:
    """The SplitMix64 finaliser (Steele, Lea, Flood 2014): a bijection of 64-bit words that spreads every bit."""
    z = words.copy()
    z ^= z >> np.uint64(30)
    z *= _MIX1
    z ^= z >> np.uint64(27)
    z *= _MIX2
    z ^= z >> np.uint64(31)
    return z


def hash_ids(ids: pa.Array[Any], seed: int = 0) -> U64:
    """A 64-bit hash of every string of an Arrow array; a null hashes like an empty string.

    The bytes of a string are read as little-endian 64-bit words, the last one padded with zeros, and folded one
    after another. Vectorised over blocks of rows that fit the processor's cache.
    """
    text = ids.cast(pa.large_binary()).fill_null(b"")
    offsets = np.frombuffer(text.buffers()[1], dtype=np.int64)[text.offset : text.offset + len(text) + 1]
    if not len(text):
        return np.zeros(0, dtype=np.uint64)
    words = _words(text.buffers()[2], int(offsets[0]), int(offsets[-1]))
    starts, lengths = offsets[:-1] - offsets[0], np.diff(offsets)
    start = np.uint64(seed * int(_PRIME) & 0xFFFFFFFFFFFFFFFF)
    hashed = np.empty(len(text), dtype=np.uint64)
    for first in range(0, len(text), _BLOCK):
        block = slice(first, first + _BLOCK)
        hashed[block] = _hash_block(words, starts[block], lengths[block], start)
    return hashed


def groups_of(ids: pa.Array[Any], rows: npt.NDArray[np.int64], *, seed: int) -> npt.NDArray[np.uint8]:
    """The group, 0 to 63, that every record falls into: each is as likely as any other.

    ``rows`` is the row's number inside its record (0 for a record of one row), so that the rows of one record are
    drawn independently. A metric with one group after the other left out gives its standard error
    (:mod:`driftline.stats.jackknife`), a metric of most of the groups that of a random sample of the rows.
    """
    hashed = _hash_records(ids, seed)
    groups = np.empty(len(hashed), dtype=np.uint8)
    for first in range(0, len(hashed), _BLOCK):
        block = slice(first, first + _BLOCK)
        groups[block] = mix(hashed[block] + rows[block].astype(np.uint64) * _PRIME) >> np.uint64(58)
    return groups


def places_of(ids: pa.Array[Any], rows: npt.NDArray[np.int64], *, seed: int) -> U64:
    """A place in a random order for every record, independent of its group: those with the smallest ones are a random
    sample, the same whatever the records came with. ``rows`` is as in :func:`groups_of`.
    """
    return mix(mix(_hash_records(ids, seed) + rows.astype(np.uint64) * _PRIME) ^ _MIX2)


def _hash_records(ids: pa.Array[Any], seed: int) -> U64:
    # A column without a single id, as a file of predictions has it, need not be hashed row by row.
    nameless = ids.null_count == len(ids)
    return hash_ids(pa.array([""]), seed).repeat(len(ids)) if nameless else hash_ids(ids, seed)


def samples_of_groups(seed: int) -> npt.NDArray[np.bool_]:
    """Five random samples of 80 %: for each of five rows, which 51 of the 64 groups belong to it."""
    numbers = np.arange(SAMPLES * GROUPS, dtype=np.uint64).reshape(SAMPLES, GROUPS)
    start = np.uint64((seed + 1) * int(_MIX1) & 0xFFFFFFFFFFFFFFFF)
    ranks = np.argsort(mix(numbers * _PRIME + start), axis=1)
    kept = np.zeros((SAMPLES, GROUPS), dtype=bool)
    np.put_along_axis(kept, ranks[:, : round(SHARE * GROUPS)], True, axis=1)
    return kept


def _words(buffer: pa.Buffer | None, first: int, last: int) -> U64:
    """The 64-bit word that begins at every byte of a buffer's part; beyond its end there are zeros."""
    padded = np.zeros(last - first + 8, dtype=np.uint8)
    if buffer is not None and last > first:
        padded[: last - first] = np.frombuffer(buffer, dtype=np.uint8)[first:last]
    return np.ndarray(shape=(len(padded) - 7,), dtype="<u8", buffer=padded.data, strides=(1,))


def _hash_block(words: U64, starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], start: np.uint64) -> U64:
    hashed = mix(lengths.astype(np.uint64) + start)
    position, shortest = 0, int(lengths.min())
    while position + 8 <= shortest:
        _fold(hashed, words[starts + position])
        position += 8
    live = np.flatnonzero(lengths > position)
    while len(live):
        left = lengths[live] - position
        keep = (np.uint64(1) << (np.uint64(8) * np.minimum(left, 7).astype(np.uint64))) - np.uint64(1)
        keep[left >= 8] = _ALL
        part = hashed[live]
        _fold(part, words[starts[live] + position] & keep)
        hashed[live] = part
        position += 8
        live = live[left > 8]
    return mix(hashed)


def _fold(hashed: U64, words: U64) -> None:
    hashed ^= words
    hashed *= _PRIME
    hashed ^= hashed >> np.uint64(32)
