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


def mix(values: U64) -> U64:
    """The SplitMix64 finaliser (Steele, Lea, Flood 2014): a bijection of 64-bit words that spreads every bit."""
    z = values.copy()
    z ^= z >> np.uint64(30)
    z *= _MIX1
    z ^= z >> np.uint64(27)
    z *= _MIX2
    z ^= z >> np.uint64(31)
    return z


def hash_ids(ids: pa.Array[Any], seed: int = 0) -> U64:
    """A 64-bit hash of every string of an Arrow array; a null hashes like an empty string.

    The bytes of a string are read as little-endian 64-bit words, the last one padded with zeros, and folded one
    after another. Vectorised over the rows: the loop is over word positions, each pass only over the strings that
    are still that long.
    """
    text = ids.cast(pa.large_binary()).fill_null(b"")
    buffer = text.buffers()[2]
    offsets = np.frombuffer(text.buffers()[1], dtype=np.int64)[text.offset : text.offset + len(text) + 1]
    starts, lengths = offsets[:-1], np.diff(offsets)
    padded = np.zeros((buffer.size if buffer else 0) + 8, dtype=np.uint8)
    if buffer:
        padded[: buffer.size] = np.frombuffer(buffer, dtype=np.uint8)
    words: U64 = np.ndarray(shape=(len(padded) - 7,), dtype="<u8", buffer=padded.data, strides=(1,))
    start = np.uint64(seed * int(_PRIME) & 0xFFFFFFFFFFFFFFFF)
    hashed = mix(lengths.astype(np.uint64) + start)
    live, position = np.flatnonzero(lengths > 0), 0
    while len(live):
        left = lengths[live] - position
        word = words[starts[live] + position]
        short = left < 8
        keep = (np.uint64(1) << (np.uint64(8) * np.minimum(left, 7).astype(np.uint64))) - np.uint64(1)
        word = np.where(short, word & keep, word)
        hashed[live] = mix((hashed[live] ^ word) * _PRIME)
        position += 8
        live = live[left > 8]
    return hashed


def sample_masks(ids: pa.Array[Any], rows: npt.NDArray[np.int64], *, samples: int, share: float, seed: int) -> U64:
    """For every record, the bit set of the samples it belongs to: bit s is set with probability ``share``.

    ``rows`` is the row's number inside its record (0 for a record of one row), so that the rows of one record are
    sampled independently. Up to five samples; each uses 12 bits of the hash, so a share is kept to 1/4096.
    """
    if not 1 <= samples <= 5:
        raise ValueError("one to five samples can be drawn from one hash")
    hashed = mix(hash_ids(ids, seed) + rows.astype(np.uint64) * _PRIME)
    threshold = np.uint64(round(share * 4096))
    mask = np.zeros(len(hashed), dtype=np.uint64)
    for sample in range(samples):
        inside = ((hashed >> np.uint64(12 * sample)) & np.uint64(4095)) < threshold
        mask |= inside.astype(np.uint64) << np.uint64(sample)
    return mask
