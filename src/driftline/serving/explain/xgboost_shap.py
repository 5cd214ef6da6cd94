"""XGBoost's own TreeSHAP, and linear boosters in closed form.

Lundberg, Erion, Lee: Consistent individualized feature attribution for tree ensembles (2018), path-dependent: what a
feature that is not known would be is taken from the training rows that went each way, so no baseline is needed.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from driftline.core.errors import ModelError
from driftline.serving.explain.exact import Exact
from driftline.serving.explain.linear_shap import linear
from driftline.serving.explain.local import Array, Local, single
from driftline.serving.explain.wanted import Wanted
from driftline.serving.libraries import first_line, imported, refused_rows
from driftline.serving.xgboost_runtime import XGBoostModel

_LARGEST = float(np.finfo(np.float32).max)


def exact(model: XGBoostModel, wanted: Wanted) -> Exact | None:
    """The exact explanation of the margin, before the objective's link; None for trees that the library cannot explain.

    The margin of ``binary:logistic`` is the log-odds of its probability, that of ``multi:softprob`` one number a
    class before the softmax.
    """
    if model.describe()["boosted_rounds"] is None:
        return _linear_booster(model, wanted)
    try:
        found = _contributions(model, np.full((1, model.n_features), np.nan))
    except ModelError:  # trees with a vector in each leaf
        return None
    return Exact("tree_shap", found[0, :, -1], lambda rows: _local(model, rows), lambda rows: _margin(model, rows))


def _local(model: XGBoostModel, rows: Array) -> Local:
    found = _contributions(model, rows)
    return Local(found[:, :, :-1].transpose(0, 2, 1), _margin(model, rows))


def _contributions(model: XGBoostModel, rows: Array) -> Array:
    """[rows, outputs, features + 1]; the last is the expected value."""
    return _predicted(model, rows, pred_contribs=True)


def _margin(model: XGBoostModel, rows: Array) -> Array:
    return _predicted(model, rows, output_margin=True)


def _predicted(model: XGBoostModel, rows: Array, **how: bool) -> Array:
    xgboost: Any = imported("xgboost")
    # A matrix refuses infinities, which a split sends the same way as the largest number.
    block: npt.NDArray[np.float32] = np.clip(single(rows), -_LARGEST, _LARGEST)
    iterations = None if model.describe()["boosted_rounds"] is None else model.iterations
    more = {} if iterations is None else {"iteration_range": iterations}
    try:
        matrix = xgboost.DMatrix(block, missing=np.nan, nthread=1)
        found = model.booster.predict(matrix, validate_features=False, strict_shape=True, **how, **more)
    except (ValueError, TypeError) as error:  # XGBoostError is a ValueError
        raise refused_rows(first_line(error)) from None
    return np.asarray(found, dtype=np.float64)


def _linear_booster(model: XGBoostModel, wanted: Wanted) -> Exact:
    """A linear booster: a missing value counts as nothing, as the library has it."""
    dumped = json.loads(model.booster.get_dump(dump_format="json")[0])
    outputs = len(dumped["bias"])
    weights = np.asarray(dumped["weight"], dtype=np.float64).reshape(model.n_features, outputs)
    zeros = np.zeros((1, model.n_features))
    return linear(weights, _margin(model, zeros)[0], wanted, lambda rows: _margin(model, rows), missing=0.0)
