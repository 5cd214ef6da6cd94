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
from driftline.serving.explain.tree_tables import Trees
from driftline.serving.explain.wanted import Wanted
from driftline.serving.explain.xgboost_trees import trees_of
from driftline.serving.libraries import first_line, imported, refused_rows
from driftline.serving.xgboost_runtime import XGBoostModel

_MANY, _PROBES = 2000, 2  # rows from which tables are worth their making
_TOLERANCE = 1e-4
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
    contribute = _Contributions(model)
    return Exact("tree_shap", found[0, :, -1], contribute, lambda rows: _margin(model, rows))


class _Contributions:
    """Explains few rows by the library, many by tables of its trees, which say the same and are faster."""

    def __init__(self, model: XGBoostModel) -> None:
        self._model = model
        self._trees: Trees | None = None
        self._looked, self._rows = False, 0

    def __call__(self, rows: Array) -> Local:
        """The attributions of a block of rows."""
        self._rows += len(rows)
        trees = self._tabled(rows[:_PROBES]) if self._rows >= _MANY else None
        values = _values(self._model, rows) if trees is None else trees.values(single(rows).astype(np.float64))
        return Local(values, _margin(self._model, rows))

    def _tabled(self, probes: Array) -> Trees | None:
        """The trees, where tables can be made of all and they say the same as the library."""
        if not self._looked:
            self._looked = True
            found = trees_of(self._model)
            trees = None if found is None else Trees(found)
            if trees is not None and trees.tabled:
                theirs, ours = _values(self._model, probes), trees.values(single(probes).astype(np.float64))
                scale = 1.0 + np.abs(theirs).sum(axis=1, keepdims=True)
                self._trees = trees if np.all(np.abs(ours - theirs) <= _TOLERANCE * scale) else None
        return self._trees


def _values(model: XGBoostModel, rows: Array) -> Array:
    return _contributions(model, rows)[:, :, :-1].transpose(0, 2, 1)


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
