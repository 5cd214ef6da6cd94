"""Upper tails against scipy and printed tables."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import kolmogorov
from scipy.stats import chi2

from driftline.stats import tails


@settings(max_examples=300, deadline=None, derandomize=True)
@given(x=st.floats(0, 12))
def test_kolmogorov_is_that_of_scipy(x: float) -> None:
    assert tails.kolmogorov(x) == pytest.approx(kolmogorov(x), rel=1e-12, abs=1e-15)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(ratio=st.floats(0, 5), freedom=st.integers(1, 20_000))
def test_chi_square_is_that_of_scipy(ratio: float, freedom: int) -> None:
    # The common factor is an exponential of a difference of numbers near 1e5, which leaves eleven places.
    assert tails.chi_square(ratio * freedom, freedom) == pytest.approx(chi2.sf(ratio * freedom, freedom), rel=1e-9)


@pytest.mark.parametrize(("x", "chance"), [(1.420, 0.25), (1.620, 0.10), (1.747, 0.05), (1.862, 0.025), (2.001, 0.01)])
def test_kuiper_is_that_of_the_printed_tables(x: float, chance: float) -> None:
    """Stephens, Journal of the Royal Statistical Society B 32 (1970), table 1A, to its three decimals."""
    assert tails.kuiper(x) == pytest.approx(chance, rel=0.02)


def test_tails_fall_from_one_to_zero() -> None:
    for tail in (tails.kolmogorov, tails.kuiper, lambda x: tails.chi_square(x, 3)):
        found = [tail(x / 50) for x in range(1000)]
        assert found[0] == 1
        assert all(0 <= later <= earlier + 1e-13 for earlier, later in pairwise(found))
        assert tail(60.0) < 1e-10


def test_nothing_is_beyond_infinity() -> None:
    assert (tails.kolmogorov(math.inf), tails.kuiper(math.inf), tails.chi_square(math.inf, 5)) == (0, 0, 0)
