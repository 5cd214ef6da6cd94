"""How often the intervals of multiclass and regression metrics hold the truth, simulated from known distributions."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.monitors.quality.recipes import recipe
from driftline.monitors.quality.result import QualityResult
from driftline.stats import multiclass
from driftline.testing import labelled_batch

# A share of 0.95 of 400 simulations has a standard error of 0.0109; four of them, and 0.01 that the jackknife's normal
# approximation may err by. Both problems here are mild: errors with heavy tails are held less often (Student's t with
# five degrees of freedom, 200 rows: rmse 91 times in 100).
REPEATS = 400
BAND = 4 * math.sqrt(0.95 * 0.05 / REPEATS) + 0.01
SHARES = np.array([0.4, 0.25, 0.2, 0.1, 0.05])
SAID = 0.75 * np.eye(5) + 0.25 * np.random.default_rng(5).dirichlet(np.ones(5), size=5)
JOINT = SHARES[:, None] * SAID
NAMES = pa.array(list("abcde"))


def check_coverage(held: Counter[str], n: int) -> None:
    shares = {name: count / REPEATS for name, count in held.items()}
    print(f"n = {n}: {shares}")
    for name, share in shares.items():
        assert abs(share - 0.95) <= BAND, (name, share)


def count(held: Counter[str], result: QualityResult, truth: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        interval = result.metrics[name].confidence_interval
        assert interval is not None
        held[name] += interval.lower <= truth[name] <= interval.upper


@pytest.mark.parametrize("n", [200, 2000])
def test_multiclass_intervals_hold_the_truth_as_often_as_they_say(n: int) -> None:
    random, held = np.random.default_rng(n), Counter[str]()
    truth = multiclass.metrics(np.diag(JOINT), JOINT.sum(axis=1), JOINT.sum(axis=0))
    for seed in range(REPEATS):
        monitor = recipe("MulticlassClassification", seed=seed)
        actual, predicted = (NAMES.take(pa.array(c)) for c in np.divmod(random.choice(25, n, p=JOINT.ravel()), 5))
        result = monitor.result(monitor.update(labelled_batch(actual, predictions=predicted)))
        count(held, result, truth, ("weighted_f1", "weighted_precision", "weighted_f2"))
    check_coverage(held, n)


@pytest.mark.parametrize("n", [200, 2000])
def test_regression_intervals_hold_the_truth_as_often_as_they_say(n: int) -> None:
    random, held = np.random.default_rng(n), Counter[str]()
    truth = {"mae": math.sqrt(2 / math.pi), "mse": 1.0, "rmse": 1.0, "r2": 1 - 1 / 9}
    for seed in range(REPEATS):
        monitor = recipe("Regression", seed=seed)
        actual = random.normal(10, 3, n)
        batch = labelled_batch(actual, scores=actual + random.normal(size=n))
        count(held, monitor.result(monitor.update(batch)), truth, ("mae", "mse", "rmse", "r2"))
    check_coverage(held, n)
