"""Completeness: a column that sometimes lacks values is not called broken for lacking a few more by chance."""

from __future__ import annotations

import numpy as np
import pytest

from driftline.core.table_constraints import DataQualityConstraints, DriftRules
from driftline.core.table_statistics import FeatureStatistics, TableStatistics
from driftline.monitors.data_quality.checks import check
from driftline.monitors.data_quality.suggest import suggest


def column(present: int, missing: int) -> TableStatistics:
    return TableStatistics(present + missing, (FeatureStatistics("x", "Integral", present, missing),))


def violated(present: int, missing: int, constraints: DataQualityConstraints) -> bool:
    _, found = check(column(present, missing), None, constraints)
    return "completeness_check" in {one.constraint_check_type for one in found}


def test_a_column_that_was_complete_may_lack_nothing() -> None:
    constraints = suggest(column(5000, 0))
    assert constraints.features[0].completeness == 1.0
    assert violated(99_999, 1, constraints)


@pytest.mark.parametrize("rows", [200, 2_000, 20_000])
@pytest.mark.parametrize("share", [0.5, 0.95, 0.995])
def test_windows_without_change_are_seldom_violated(share: float, rows: int) -> None:
    random = np.random.default_rng(round(1000 * share) + rows)
    alarms = 0
    for present, now in zip(random.binomial(10_000, share, 2000), random.binomial(rows, share, 2000), strict=True):
        constraints = suggest(column(int(present), 10_000 - int(present)))
        alarms += violated(int(now), rows - int(now), constraints)
    # Both sides allow for chance at 99.9 %, so that far fewer than one in two thousand is expected.
    assert alarms <= 2


@pytest.mark.parametrize(("rows", "now"), [(200, 0.85), (2_000, 0.92), (20_000, 0.935)])
def test_a_real_loss_is_found(rows: int, now: float) -> None:
    constraints = suggest(column(9_500, 500))
    assert violated(round(rows * now), rows - round(rows * now), constraints)


def test_constraints_of_the_original_are_held_to_the_letter() -> None:
    constraints = suggest(column(9_500, 500), drift=None)
    least = constraints.features[0].completeness
    assert least is not None
    present = int(least * 20_000) - 1
    assert violated(present, 20_000 - present, constraints)
    assert not violated(present, 20_000 - present, suggest(column(9_500, 500), drift=DriftRules()))
