"""Linear models in closed form: a feature's value is its weight times its distance from the baseline's mean.

Štrumbelj, Kononenko: Explaining prediction models and individual predictions with feature contributions (2014), with
features taken as independent.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from driftline.serving.explain.exact import Exact
from driftline.serving.explain.local import Array, Local
from driftline.serving.explain.wanted import Wanted


def linear(
    weights: Array,
    intercept: Array,
    wanted: Wanted,
    margin: Callable[[Array], Array],
    *,
    prepare: Callable[[Array], Array] | None = None,
    missing: float = np.nan,
) -> Exact:
    """The explanation of ``prepare(rows) @ weights + intercept``; ``weights`` is [features, outputs].

    ``missing`` is the number that a missing value counts as. Raises :class:`InputError` without baseline rows.
    """
    baseline = wanted.baseline_rows()
    filled = _filled(prepare(baseline) if prepare else baseline, missing)
    mean = filled.mean(axis=0)

    def contribute(rows: Array) -> Local:
        block = _filled(prepare(rows) if prepare else rows, missing)
        return Local((block - mean)[:, :, None] * weights, margin(rows))

    return Exact("linear_shap", mean @ weights + intercept, contribute, margin)


def _filled(rows: Array, missing: float) -> Array:
    return rows if np.isnan(missing) else np.where(np.isnan(rows), missing, rows)
