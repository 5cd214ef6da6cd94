"""The reliability curve row by row, the calibration error by its definition, the Brier score by scikit-learn."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from driftline.stats import probabilities

EDGES = [number / 10 for number in range(11)]
AROUND = [x for edge in EDGES for x in (edge, math.nextafter(edge, 0.0), min(1.0, math.nextafter(edge, 1.0)))]
shares = st.one_of(st.floats(0, 1), st.sampled_from(AROUND))
rows_of = st.lists(st.tuples(shares, st.booleans(), st.integers(1, 4)), min_size=1, max_size=50)


def table(rows: list[tuple[float, bool, int]]) -> tuple[Any, Any, Any]:
    distinct = sorted({score for score, _, _ in rows})
    weights = [
        np.array([float(sum(w for s, p, w in rows if s == score and p is side)) for score in distinct])
        for side in (True, False)
    ]
    return np.array(distinct), *weights


@settings(max_examples=150, deadline=None, derandomize=True)
@given(rows=rows_of)
def test_the_curve_and_its_error_are_those_of_the_definition(rows: list[tuple[float, bool, int]]) -> None:
    curve = probabilities.curve(*table(rows))
    assert curve is not None
    gap = Fraction(0)
    for place in range(10):
        inside = [row for row in rows if EDGES[place] < row[0] <= EDGES[place + 1] or (place == 0 and row[0] == 0)]
        weight = sum(w for _, _, w in inside)
        assert curve.weights[place] == weight
        if not inside:
            assert math.isnan(curve.scores[place])
            assert math.isnan(curve.positives[place])
            continue
        mean = sum(Fraction(s) * w for s, _, w in inside) / weight
        share = Fraction(sum(w for _, p, w in inside if p), weight)
        assert curve.scores[place] == pytest.approx(float(mean), abs=1e-12)
        assert curve.positives[place] == pytest.approx(float(share), abs=1e-12)
        gap += abs(mean - share) * weight
    wanted = float(gap / sum(w for _, _, w in rows))
    assert probabilities.expected_calibration_error(curve) == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rows=rows_of)
def test_brier_is_that_of_scikit_learn(rows: list[tuple[float, bool, int]]) -> None:
    scores, truth, weight = (np.array(column) for column in zip(*rows, strict=True))
    wanted = brier_score_loss(truth.astype(int), scores, sample_weight=weight, pos_label=1)
    assert probabilities.brier(*table(rows)) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("scores", [[-1e-9, 0.5], [0.5, 1 + 1e-9], [-np.inf, 0.5], [0.5, np.inf], [5.0]])
def test_scores_that_are_no_probabilities_have_no_curve(scores: list[float]) -> None:
    ones = np.ones(len(scores))
    assert probabilities.curve(np.array(scores), ones, ones) is None


def test_no_rows_have_no_error() -> None:
    none = np.zeros(0)
    curve = probabilities.curve(none, none, none)
    assert curve is not None
    assert curve.weights.tolist() == [0.0] * 10
    assert probabilities.expected_calibration_error(curve) is None
    assert probabilities.brier(none, none, none) is None
