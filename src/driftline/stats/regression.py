"""Metrics of a regression from weighted sums of its errors."""

from __future__ import annotations

import math
from typing import NamedTuple


class ErrorSums(NamedTuple):
    """Weighted sums over rows: the weights, |error|, error², and Σ w (y − ȳ)² of the true values."""

    weight: float
    absolute: float
    squared: float
    spread: float


def metrics(sums: ErrorSums) -> dict[str, float | None]:
    """mae, mse, rmse and r2; None where undefined, or where a sum was too large for a float.

    r2 is 1 − Σ w e² / Σ w (y − ȳ)²; undefined for constant truth, where scikit-learn calls it 1 or 0.

    >>> metrics(ErrorSums(weight=4, absolute=2, squared=2, spread=8))
    {'mae': 0.5, 'mse': 0.5, 'rmse': 0.7071067811865476, 'r2': 0.75}
    """
    if sums.weight <= 0:
        return dict.fromkeys(("mae", "mse", "rmse", "r2"))
    mse = sums.squared / sums.weight
    r2 = 1 - sums.squared / sums.spread if 0 < sums.spread < math.inf else None
    found = {"mae": sums.absolute / sums.weight, "mse": mse, "rmse": math.sqrt(mse), "r2": r2}
    return {name: value if value is not None and math.isfinite(value) else None for name, value in found.items()}
