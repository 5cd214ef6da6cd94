"""Measures of single vectors of probabilities against scikit-learn, and which vectors are any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from driftline.stats.masses import masses
from driftline.stats.vectors import TOLERANCE, are_distributions, losses, ranks


def drawn(n: int, classes: int, seed: int, *, digits: int | None = None) -> tuple[Any, Any]:
    """Probabilities, with few digits full of ties, and labels drawn from them."""
    random = np.random.default_rng(seed)
    said = random.dirichlet(np.full(classes, 0.6), n)
    labels = (random.random(n)[:, None] > np.cumsum(said, axis=1)[:, :-1]).sum(axis=1)
    return (said if digits is None else np.round(said, digits)), labels


@pytest.mark.parametrize("digits", [None, 2, 1])
@pytest.mark.parametrize("classes", [2, 3, 11])
def test_ranks_count_as_top_k_accuracy_does(classes: int, digits: int | None) -> None:
    said, labels = drawn(500, classes, classes, digits=digits)
    found = ranks(said, labels)
    for k in range(1, classes):
        if classes == 2:
            continue  # scikit-learn takes two classes for a binary problem
        wanted = sk.top_k_accuracy_score(labels, said, k=k, labels=range(classes))
        assert np.mean(found < k) == pytest.approx(wanted, abs=1e-12)
    assert found.min() >= 0
    assert found.max() < classes


def test_of_equal_probabilities_the_later_class_comes_first() -> None:
    assert ranks(np.full((3, 3), 1 / 3), np.array([0, 1, 2])).tolist() == [2, 1, 0]


def test_losses_are_those_of_log_loss_even_when_certain_and_wrong() -> None:
    said, labels = drawn(400, 4, 1)
    said[0], said[1] = [1, 0, 0, 0], [0, 0, 0, 1]
    labels[0], labels[1] = 3, 3
    assert losses(said, labels).mean() == pytest.approx(sk.log_loss(labels, said, labels=range(4)), abs=1e-12)
    assert losses(said, labels)[0] == pytest.approx(36.0436534)


GOOD = [[0.2, 0.3, 0.5], [1, 0, 0], [1 / 3] * 3, [0.2, 0.3, 0.5 + 0.9 * TOLERANCE], [-0.0, 0, 1]]
BAD = [
    [0.2, 0.3, 0.5 + 1.1 * TOLERANCE],
    [0.2, 0.3, 0.5 - 1.1 * TOLERANCE],
    [-1e-9, 0.5, 0.5],
    [1 + 1e-9, 0, 0],
    [np.nan, 0.5, 0.5],
    [np.inf, 0, 0],
    [np.inf, -np.inf, 1],
    [0, 0, 0],
    [1e308, 1e308, -1e308],
]


def test_what_is_a_distribution() -> None:
    assert are_distributions(np.array(GOOD)).all()
    assert not are_distributions(np.array(BAD)).any()
    assert are_distributions(np.array(GOOD + BAD)).tolist() == [True] * len(GOOD) + [False] * len(BAD)
    assert are_distributions(np.zeros((0, 3))).shape == (0,)
    assert masses(np.array(GOOD + BAD), np.zeros(len(GOOD + BAD), dtype=int)).invalid == len(BAD)
