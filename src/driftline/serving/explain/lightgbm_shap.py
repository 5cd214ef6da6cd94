"""LightGBM's own TreeSHAP: exact, path-dependent, in double precision."""

from __future__ import annotations

import numpy as np

from driftline.core.errors import ModelError
from driftline.serving.explain.exact import Exact
from driftline.serving.explain.local import Array, Local, single
from driftline.serving.libraries import first_line, refused_rows
from driftline.serving.lightgbm_runtime import LightGBMModel


def exact(model: LightGBMModel) -> Exact | None:
    """The exact explanation of the raw score; None for trees with linear leaves, which the library cannot explain."""
    try:
        found = _contributions(model, np.full((1, model.n_features), np.nan))
    except ModelError:
        return None
    return Exact("tree_shap", found[0, :, -1], lambda rows: _local(model, rows), lambda rows: _margin(model, rows))


def _local(model: LightGBMModel, rows: Array) -> Local:
    return Local(_contributions(model, rows)[:, :, :-1].transpose(0, 2, 1), _margin(model, rows))


def _contributions(model: LightGBMModel, rows: Array) -> Array:
    """[rows, outputs, features + 1]; the last is the expected value."""
    return _predicted(model, rows, pred_contrib=True).reshape(len(rows), -1, model.n_features + 1)


def _margin(model: LightGBMModel, rows: Array) -> Array:
    return _predicted(model, rows, raw_score=True).reshape(len(rows), -1)


def _predicted(model: LightGBMModel, rows: Array, **how: bool) -> Array:
    try:
        found = model.booster.predict(single(rows), num_iteration=model.rounds, num_threads=1, **how)
    except Exception as error:  # as in the runtime
        raise refused_rows(first_line(error)) from None
    # The raw sums of a forest are not averaged yet.
    return np.asarray(found, dtype=np.float64) / (model.rounds if model.averaged else 1)
