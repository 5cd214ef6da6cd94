"""The five samples are a pure function of the id, the row and the seed, whatever array the ids come in."""

from __future__ import annotations

import math
import struct
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.sampling import hash_ids, sample_masks

WORD = (1 << 64) - 1
PRIME = 0x9E3779B97F4A7C15


def mixed(z: int) -> int:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & WORD
    return z ^ (z >> 31)


def hashed(text: str | None, seed: int) -> int:
    """The hash of one id, written out in whole numbers."""
    data = (text or "").encode()
    value = mixed((len(data) + seed * PRIME) & WORD)
    for start in range(0, len(data), 8):
        (word,) = struct.unpack("<Q", data[start : start + 8].ljust(8, b"\0"))
        value = (value ^ word) * PRIME & WORD
        value ^= value >> 32
    return mixed(value)


def masks(ids: pa.Array[Any], rows: Any = None, *, seed: int = 0, samples: int = 5, share: float = 0.8) -> Any:
    rows = np.zeros(len(ids), dtype=np.int64) if rows is None else rows
    return sample_masks(ids, rows, samples=samples, share=share, seed=seed)


ids = st.lists(
    st.one_of(st.none(), st.text(max_size=40), st.sampled_from(["a", "a\0", "a\0\0", "12345678", "123456789"])),
    max_size=30,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(texts=ids, seed=st.integers(-(2**70), 2**70))
def test_the_hash_is_its_definition(texts: list[str | None], seed: int) -> None:
    assert hash_ids(pa.array(texts, pa.string()), seed).tolist() == [hashed(text, seed) for text in texts]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(texts=ids, seed=st.integers(0, 3), cut=st.integers(0, 30))
def test_kind_and_slicing_of_the_array_do_not_matter(texts: list[str | None], seed: int, cut: int) -> None:
    wanted = [hashed(text, seed) for text in texts]
    plain = pa.array(texts, pa.string())
    around = pa.array(["before", None, *texts, "after"], pa.string()).slice(2, len(texts))
    kinds = [plain, around, plain.cast(pa.large_string()), around.cast(pa.large_string()), plain.dictionary_encode()]
    kinds += [
        around.cast(pa.large_string()).slice(0),
        pa.array([None if t is None else t.encode() for t in texts], pa.binary()),
    ]
    for array in kinds:
        assert hash_ids(array, seed).tolist() == wanted
        parts = [hash_ids(array.slice(0, cut), seed), hash_ids(array.slice(cut), seed)]
        assert np.concatenate(parts).tolist() == wanted


def test_no_ids_have_no_masks() -> None:
    for array in (pa.array([], pa.string()), pa.array(["a"]).slice(1), pa.nulls(0, pa.large_string())):
        assert masks(array).tolist() == []
    assert masks(pa.nulls(3, pa.string())).tolist() == masks(pa.array(["", "", ""])).tolist()
    assert masks(pa.nulls(3)).tolist() == masks(pa.array(["", "", ""])).tolist()


def test_the_seed_and_the_row_matter_and_the_rest_does_not() -> None:
    array = pa.array([f"id-{number}" for number in range(2000)])
    first = masks(array)
    assert np.array_equal(first, masks(array))
    assert not np.array_equal(first, masks(array, seed=1))
    assert not np.array_equal(first, masks(array, np.ones(2000, dtype=np.int64)))
    one = pa.array(["id-1234"])
    assert masks(one)[0] == first[1234]
    assert np.array_equal(masks(array, samples=2), first & np.uint64(3))


@pytest.mark.parametrize("made", ["ids", "rows"])
@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_shares_and_independence(made: str, seed: int) -> None:
    n = 100_000
    if made == "ids":
        array, rows = pa.array([f"o-{number}" for number in range(n)]), np.zeros(n, dtype=np.int64)
    else:
        array, rows = pa.array([""] * n), np.arange(n, dtype=np.int64)
    bits = np.array([(masks(array, rows, seed=seed) >> np.uint64(s)) & np.uint64(1) for s in range(5)]).astype(float)
    share = round(0.8 * 4096) / 4096
    # Five standard errors of a binomial share; 30 such shares are looked at here, each off by chance once in 10**6.
    error = 5 * math.sqrt(share * (1 - share) / n)
    assert np.abs(bits.mean(axis=1) - share).max() < error
    for one, other in combinations(range(5), 2):
        both = share * share
        found = (bits[one] * bits[other]).mean()
        assert abs(found - both) < 5 * math.sqrt(both * (1 - both) / n)
    neighbours = bits[0][:-1] * bits[0][1:]
    # Neighbouring products overlap, which at most doubles the variance of their mean.
    assert abs(neighbours.mean() - share * share) < 5 * math.sqrt(2 * share * share * (1 - share * share) / n)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_other_shares(share: float) -> None:
    array = pa.array([str(number) for number in range(20_000)])
    found = (masks(array, samples=1, share=share) & np.uint64(1)).astype(float).mean()
    # Five standard errors of a share of a quarter of 20,000.
    assert abs(found - share) <= (0.0154 if 0 < share < 1 else 0.0)


def test_one_to_five_samples() -> None:
    for samples in (0, 6):
        with pytest.raises(ValueError, match="one to five"):
            masks(pa.array(["a"]), samples=samples)
