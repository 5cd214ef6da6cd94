"""Groups and samples are a pure function of the id, the row and the seed, whatever array the ids come in."""

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
from scipy.stats import chisquare

from driftline.core.sampling import GROUPS, groups_of, hash_ids, samples_of_groups

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


def groups(ids: pa.Array[Any], rows: Any = None, *, seed: int = 0) -> Any:
    rows = np.zeros(len(ids), dtype=np.int64) if rows is None else rows
    return groups_of(ids, rows, seed=seed)


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


@settings(max_examples=100, deadline=None, derandomize=True)
@given(texts=ids, seed=st.integers(0, 2**40), start=st.integers(0, 2**40))
def test_a_group_is_its_definition(texts: list[str | None], seed: int, start: int) -> None:
    rows = np.arange(start, start + len(texts))
    wanted = [
        mixed((hashed(text, seed) + row * PRIME) & WORD) >> 58 for text, row in zip(texts, rows.tolist(), strict=True)
    ]
    found = groups(pa.array(texts, pa.string()), rows, seed=seed)
    assert found.dtype == np.uint8
    assert found.tolist() == wanted


def test_no_ids_have_no_groups() -> None:
    for array in (pa.array([], pa.string()), pa.array(["a"]).slice(1), pa.nulls(0, pa.large_string())):
        assert groups(array).tolist() == []


@pytest.mark.parametrize("seed", [0, 5])
def test_a_missing_id_is_an_empty_one_alone_and_among_others(seed: int) -> None:
    rows = np.arange(7)
    wanted = groups(pa.array([""] * 7), rows, seed=seed)
    for missing in (pa.nulls(7, pa.string()), pa.nulls(7), pa.nulls(7, pa.large_string())):
        assert np.array_equal(groups(missing, rows, seed=seed), wanted)
    mixed_ids = pa.array([None] * 6 + ["x"], pa.string())
    assert np.array_equal(groups(mixed_ids, rows, seed=seed)[:6], wanted[:6])


def test_the_seed_and_the_row_matter_and_the_rest_does_not() -> None:
    array = pa.array([f"id-{number}" for number in range(2000)])
    first = groups(array)
    assert np.array_equal(first, groups(array))
    assert not np.array_equal(first, groups(array, seed=1))
    assert not np.array_equal(first, groups(array, np.ones(2000, dtype=np.int64)))
    assert groups(pa.array(["id-1234"]))[0] == first[1234]


def test_blocks_do_not_matter() -> None:
    n = 70_001
    array, rows = pa.array([f"o-{number}" for number in range(n)]), np.arange(n, dtype=np.int64)
    whole = groups(array, rows)
    for cut in (1, 32_767, 32_768, 32_769, 65_536, n):
        parts = [groups(array.slice(0, cut), rows[:cut]), groups(array.slice(cut), rows[cut:])]
        assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("made", ["ids", "rows"])
@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_groups_are_alike_in_size_and_independent(made: str, seed: int) -> None:
    n = 100_000
    if made == "ids":
        array, rows = pa.array([f"o-{number}" for number in range(n)]), np.zeros(n, dtype=np.int64)
    else:
        array, rows = pa.array([""] * n), np.arange(n, dtype=np.int64)
    found = groups(array, rows, seed=seed).astype(np.int64)
    # By chance one test of chi-square in 10**6 falls below; six pairs of them are looked at, all seeded.
    assert chisquare(np.bincount(found, minlength=GROUPS)).pvalue > 1e-6
    neighbours = np.bincount(found[:-1] * GROUPS + found[1:], minlength=GROUPS**2)
    assert chisquare(neighbours).pvalue > 1e-6
    other = groups(array, rows, seed=seed + 1).astype(np.int64)
    assert chisquare(np.bincount(found * GROUPS + other, minlength=GROUPS**2)).pvalue > 1e-6


@pytest.mark.parametrize("seed", [-1, 0, 1, 12345, 2**70])
def test_five_samples_of_four_fifths_of_the_groups(seed: int) -> None:
    kept = samples_of_groups(seed)
    assert (kept.shape, kept.dtype) == ((5, GROUPS), np.bool_)
    assert kept.sum(axis=1).tolist() == [51] * 5
    assert np.array_equal(kept, samples_of_groups(seed))
    assert len({row.tobytes() for row in kept}) == 5


def test_every_group_is_as_likely_in_a_sample_and_the_samples_are_independent() -> None:
    seeds = 2000
    kept = np.array([samples_of_groups(seed) for seed in range(seeds)]).astype(float)
    share = 51 / 64
    # Five standard errors of a binomial share; one in 10**6 is off by chance, 320 are looked at.
    assert np.abs(kept.mean(axis=0) - share).max() < 5 * math.sqrt(share * (1 - share) / seeds)
    for one, other in combinations(range(5), 2):
        both = (kept[:, one] * kept[:, other]).mean()
        # Groups inside one sample exclude one another a little, so the products vary less than independent ones.
        assert abs(both - share**2) < 5 * math.sqrt(share**2 * (1 - share**2) / (seeds * GROUPS))


def test_another_seed_draws_other_samples() -> None:
    seen = {samples_of_groups(seed).tobytes() for seed in range(100)}
    assert len(seen) == 100
