"""An explainer for a model, the best there is for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from driftline.core.errors import ModelError
from driftline.serving.explain.exact import Exact, holds
from driftline.serving.explain.local import (
    Array,
    BlockExplainer,
    Explainer,
    Local,
    Progress,
    Space,
    checked_rows,
)
from driftline.serving.explain.wanted import Wanted, feature_names, output_labels
from driftline.serving.explain.xgboost_shap import exact as exact_xgboost
from driftline.serving.runtime import Model, load_model
from driftline.serving.xgboost_runtime import XGBoostModel

__all__ = ["SAMPLES", "Explainer", "Local", "open_explainer"]
SAMPLES = 100
_PROBES = 8


def open_explainer(
    model: str | Path,
    *,
    features: Sequence[str] = (),
    baseline: npt.NDArray[Any] | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    use_logit: bool = False,
    classes: Sequence[str] = (),
    space: Space = "margin",
    progress: Progress | None = None,
) -> Explainer:
    """The explainer of a model file: exact for trees and linear models, by sampling for every other."""
    wanted = Wanted(tuple(features), None, samples, seed, use_logit, tuple(classes), space, progress)
    return _explainer(load_model(Path(model)), wanted, baseline)


def _explainer(model: Model, wanted: Wanted, baseline: npt.NDArray[Any] | None) -> Explainer:
    if baseline is not None:
        rows = checked_rows(baseline, model.n_features, "baseline rows")
        wanted = Wanted(**{**vars(wanted), "baseline": rows})
    found = _exact(model, wanted)
    if found is None:
        raise ModelError("this model is not explained yet")
    described = model.describe()
    names, named = feature_names(wanted, model.n_features, described.get("feature_names"))
    labels = output_labels(wanted, len(found.expected), described.get("classes"))
    return BlockExplainer(
        found.method, names, named, labels, found.expected, found.contribute, progress=wanted.progress
    )


def _exact(model: Model, wanted: Wanted) -> Exact | None:
    found = exact_xgboost(model, wanted) if isinstance(model, XGBoostModel) else None
    return found if found is not None and holds(found, _probes(model, wanted)) else None


def _probes(model: Model, wanted: Wanted) -> Array:
    zeros = np.zeros((1, model.n_features))
    return zeros if wanted.baseline is None else np.concatenate([zeros, wanted.baseline[:_PROBES]])
