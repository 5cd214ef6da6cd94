"""Whether a converted model answers as the one it was made from, on real rows.

Converters get models wrong without a word: the best iteration is ignored, raw scores come out as probabilities.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from driftline.core.errors import ModelError
from driftline.serving.runtime import Model


class Parity(msgspec.Struct, frozen=True):
    """How far two models' answers are apart.

    ``difference`` is the largest one, in the unit of the answers up to 1 and relative to the reference beyond;
    ``row`` is where it is, counted from 0 (None: nothing could be compared, and ``reason`` says why).
    """

    ok: bool
    difference: float
    row: int | None
    rows: int
    tolerance: float
    reason: str = ""


def check_parity(
    reference: Model, converted: Model, rows: npt.NDArray[np.float32], *, tolerance: float = 1e-5
) -> Parity:
    """Compares the answers of two models to a block of rows; a model that fails makes them differ, not an error."""
    try:
        if not len(rows):
            raise ValueError("there are no rows to compare on")
        expected, found = _answers(reference, "reference", rows), _answers(converted, "converted", rows)
        if expected.shape != found.shape:
            raise ValueError(f"answers of shape {found.shape}, not {expected.shape}")
    except Exception as error:
        return Parity(False, float("inf"), None, len(rows), tolerance, str(error))
    apart = _apart(expected, found)
    row = int(apart.argmax())
    return Parity(bool(apart[row] <= tolerance), float(apart[row]), row, len(rows), tolerance)


def require_parity(
    reference: Model, converted: Model, rows: npt.NDArray[np.float32], *, tolerance: float = 1e-5
) -> Parity:
    """As :func:`check_parity`; raises :class:`ModelError` stating the largest difference unless the models agree."""
    parity = check_parity(reference, converted, rows, tolerance=tolerance)
    if parity.ok:
        return parity
    where = f"largest difference {parity.difference:.6g} in row {parity.row} of {parity.rows}, counted from 0"
    raise ModelError(
        "the converted model does not answer as the original",
        evidence=(parity.reason or where) + f"; allowed {tolerance:g}",
        hint="serve the original, or convert again: cut the trees to the best iteration, and keep the objective",
    )


def _answers(model: Model, name: str, rows: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    try:
        return np.asarray(model.predict(rows), dtype=np.float64).reshape(len(rows), -1)
    except Exception as error:
        raise ValueError(f"the {name} model failed: {getattr(error, 'evidence', '') or error}") from None


def _apart(expected: npt.NDArray[Any], found: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The largest difference of each row. Both missing, or the same infinity, is none."""
    same = (expected == found) | (np.isnan(expected) & np.isnan(found))
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(expected - found) / np.maximum(1.0, np.abs(expected))
    distance[np.isnan(distance)] = np.inf
    distance[same] = 0.0
    worst: npt.NDArray[Any] = distance.max(axis=1)
    return worst
