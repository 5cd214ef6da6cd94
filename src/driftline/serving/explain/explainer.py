"""An explainer for a model, the best there is for it: exact where the model is known, else by sampling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from driftline.core.errors import InputError
from driftline.serving.explain import lightgbm_shap, sklearn_shap, xgboost_shap
from driftline.serving.explain.coalitions import Method
from driftline.serving.explain.exact import Exact, holds, link
from driftline.serving.explain.local import Array, BlockExplainer, Explainer, Local, Progress, Space, checked_rows
from driftline.serving.explain.sampled import Sampler, default_samples
from driftline.serving.explain.wanted import Wanted, feature_names, output_labels
from driftline.serving.lightgbm_runtime import LightGBMModel
from driftline.serving.runtime import Model, load_model
from driftline.serving.sklearn_runtime import SklearnModel
from driftline.serving.xgboost_runtime import XGBoostModel

__all__ = ["Explainer", "Local", "open_explainer", "remote_explainer"]
_PROBES = 8
_SAMPLED_ROWS = 256


def open_explainer(
    model: str | Path,
    *,
    features: Sequence[str] = (),
    baseline: npt.NDArray[Any] | None = None,
    samples: int = 0,
    seed: int = 0,
    use_logit: bool = False,
    classes: Sequence[str] = (),
    space: Space = "margin",
    sampler: Method = "permutation_shap",
    progress: Progress | None = None,
) -> Explainer:
    """The explainer of a model file.

    Trees and forests of XGBoost, LightGBM and scikit-learn are explained exactly (TreeSHAP, path-dependent: it needs no
    baseline), linear models in closed form against the mean of the ``baseline`` rows, every other model by sampling.

    What is explained is the margin: the log-odds of a binary classifier, one number a class before the softmax, a
    regression's value before its link. A model of which only answers are known (ONNX, some of scikit-learn's), and a
    forest, whose answers are sums already, is explained in its answers: probabilities. ``use_logit`` asks for the
    log-odds of the probabilities, of each class where there are several; of a binary margin they are the margin
    itself. ``space="output"`` asks for the answers. What the margin does not give exactly is sampled.

    ``features`` and ``classes`` name the features in the model's order and its outputs; without them the names that the
    model has are taken. ``samples`` is how many coalitions of features a row is asked about, each with every baseline
    row (0: twice the features and no fewer than 100), ``seed`` decides which, ``sampler`` how; all three are for
    sampling alone. ``progress`` is called with the rows done and the rows in all.

    Raises :class:`InputError` for names, classes or baseline rows that do not fit the model and where baseline rows
    are needed and missing, :class:`ModelError` for a file that is no model.
    """
    wanted = Wanted(
        tuple(features), None, samples, seed, use_logit, tuple(classes), space=space, sampler=sampler, progress=progress
    )
    return explainer_of(load_model(Path(model)), wanted, baseline)


def explainer_of(model: Model, wanted: Wanted, baseline: npt.NDArray[Any] | None = None) -> Explainer:
    """The explainer of a loaded model; as :func:`open_explainer`."""
    described, width = model.describe(), model.n_features
    names, named = feature_names(wanted, width, described.get("feature_names"))
    wanted = wanted.against(None if baseline is None else checked_rows(baseline, width, "baseline rows"))
    found = _exact(model, wanted)
    if found is None:
        return _sampled(model.predict, wanted, names, named, described.get("classes"), np.float32)
    labels = output_labels(wanted, len(found.expected), described.get("classes"))
    method, expected, contribute = found[:3]
    return BlockExplainer(method, names, named, labels, expected, contribute, progress=wanted.progress)


def remote_explainer(
    predict: Callable[[Array], npt.NDArray[Any]],
    *,
    features: Sequence[str] = (),
    baseline: npt.NDArray[Any] | None = None,
    samples: int = 0,
    seed: int = 0,
    use_logit: bool = False,
    classes: Sequence[str] = (),
    sampler: Method = "permutation_shap",
    progress: Progress | None = None,
) -> Explainer:
    """The explainer of a model behind a function, such as :func:`~driftline.serving.explain.endpoint.http_predict`.

    ``predict`` takes [rows, features] as float64 and gives [rows] or [rows, outputs]; it is called with blocks of many
    rows. ``baseline`` is needed. The rest is as in :func:`open_explainer`; what is explained are the answers, or with
    ``use_logit`` their log-odds.
    """
    wanted = Wanted(tuple(features), None, samples, seed, use_logit, tuple(classes), sampler=sampler, progress=progress)
    width = len(features) or (baseline.shape[1] if baseline is not None and baseline.ndim == 2 else 0)
    if not width:
        hint = "give the names of its features, or baseline rows"
        raise InputError("it is not known how many features the model has", hint=hint)
    wanted = wanted.against(None if baseline is None else checked_rows(baseline, width, "baseline rows"))
    names, named = feature_names(wanted, width, None)
    return _sampled(predict, wanted, names, named, None, np.float64)


def _exact(model: Model, wanted: Wanted) -> Exact | None:
    """The exact method, where there is one that explains the space asked for."""
    found = None
    if isinstance(model, XGBoostModel):
        found = xgboost_shap.exact(model, wanted)
    elif isinstance(model, LightGBMModel):
        found = lightgbm_shap.exact(model)
    elif isinstance(model, SklearnModel):
        found = sklearn_shap.exact(model, wanted)
    if found is None:
        return None
    probes = _probes(model.n_features, wanted)
    asked = _is_log_odds(model) or wanted.explains_margin(link(found, model.predict, probes))
    return found if asked and holds(found, probes) else None


def _is_log_odds(model: Model) -> bool:
    """Whether the answers are log-odds already, which is what anybody asks for."""
    return isinstance(model, XGBoostModel) and model.objective == "binary:logitraw"


def _probes(width: int, wanted: Wanted) -> Array:
    """Some rows to try a model with."""
    rows = [np.zeros((1, width)), np.random.default_rng(0).normal(size=(_PROBES, width))]
    return np.concatenate(rows if wanted.baseline is None else [*rows, wanted.baseline[:_PROBES]])


def _sampled(
    predict: Callable[[Any], npt.NDArray[Any]],
    wanted: Wanted,
    names: tuple[str, ...],
    named: bool,
    classes: Sequence[Any] | None,
    kind: Any,
) -> Explainer:
    found = Sampler(
        predict,
        wanted.baseline_rows(),
        method=wanted.sampler,
        samples=wanted.samples or default_samples(len(names)),
        seed=wanted.seed,
        logit=wanted.use_logit,
        kind=kind,
    )
    labels = output_labels(wanted, len(found.expected), classes)
    return BlockExplainer(
        wanted.sampler, names, named, labels, found.expected, found.contribute, _SAMPLED_ROWS, wanted.progress
    )
