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


def sample_masks(
    ids: pa.Array[Any], rows: npt.NDArray[np.int64], *, samples: int, share: float, seed: int
) -> npt.NDArray[np.uint8]:
    """For every record, the bit set of the samples it belongs to: bit s is set with probability ``share``.

    ``rows`` is the row's number inside its record (0 for a record of one row), so that the rows of one record are
    sampled independently. Up to five samples; each uses 12 bits of the hash, so a share is kept to 1/4096.
    """
    if not 1 <= samples <= 5:
        raise ValueError("one to five samples can be drawn from one hash")
    hashed = hash_ids(ids, seed)
    threshold = np.uint64(round(share * 4096))
    masks = np.zeros(len(hashed), dtype=np.uint8)
    for first in range(0, len(hashed), _BLOCK):
        block = slice(first, first + _BLOCK)
        drawn = mix(hashed[block] + rows[block].astype(np.uint64) * _PRIME)
        for sample in range(samples):
            inside = ((drawn >> np.uint64(12 * sample)) & np.uint64(4095)) < threshold
            masks[block] |= inside.view(np.uint8) << np.uint8(sample)
    return masks


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
