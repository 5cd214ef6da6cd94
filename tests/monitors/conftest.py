"""Oracles that the tests of several recipes share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.core.sampling import groups_of, samples_of_groups

Recomputed = Callable[[int, int, Callable[[Any], dict[str, float]]], dict[str, float]]


@pytest.fixture
def deviations() -> Recomputed:
    """The deviation of every metric over five samples, each of them recomputed from its rows.

    The metrics are a function of a mask of the ``n`` rows, which have no id and are numbered from 0.
    """

    def recomputed(n: int, seed: int, metrics: Callable[[Any], dict[str, float]]) -> dict[str, float]:
        groups = groups_of(pa.nulls(n, pa.string()), np.arange(n), seed=seed)
        each: dict[str, list[float]] = {}
        for kept in samples_of_groups(seed):
            for name, value in metrics(kept[groups]).items():
                each.setdefault(name, []).append(value)
        return {name: float(np.std(values)) for name, values in each.items()}

    return recomputed


@pytest.fixture
def left_out() -> Callable[[int, int, Callable[[Any], Any]], list[Any]]:
    """A metric recomputed from the rows outside one group after the other, of those groups that have rows."""

    def recomputed(n: int, seed: int, metric: Callable[[Any], Any]) -> list[Any]:
        groups = groups_of(pa.nulls(n, pa.string()), np.arange(n), seed=seed)
        return [metric(groups != group) for group in sorted(set(groups.tolist()))]

    return recomputed
