"""Exact explanations: their sums are the model's margin, their values the definition's and the library ``shap``'s."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import skops.io
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from driftline.core.errors import InputError, ModelError
from driftline.serving.explain.explainer import open_explainer
from driftline.serving.runtime import load_model

from .games import of_lightgbm, of_sklearn, of_trees, of_xgboost, shapley

ROWS = np.random.default_rng(5).normal(size=(400, 5)).astype(np.float32).astype(np.float64)
ROWS[:, 3] = np.round(ROWS[:, 3])
VALUES = ROWS[:, 0] * 2 + ROWS[:, 1] * ROWS[:, 2] + (ROWS[:, 3] > 0)
TARGETS = {"values": VALUES, "binary": (VALUES > 0).astype(int), "classes": np.digitize(VALUES, [-1, 1])}
HOLED = ROWS[:40].copy()
HOLED[3, 0] = HOLED[5] = HOLED[6, 1:3] = np.nan
BASELINE = ROWS[100:120]


def log_odds(shares: Any) -> Any:
    return np.log(shares) - np.log1p(-shares)


def boosted(objective: str, target: str, rounds: int = 6, **more: Any) -> Any:
    settings = {"objective": objective, "nthread": 1, "max_depth": 4, "base_score": 0.3, **more}
    if objective.startswith("multi"):
        settings["num_class"] = 3
    return xgboost.train(settings, xgboost.DMatrix(ROWS, TARGETS[target]), rounds)


def saved(model: Any, folder: Path) -> Path:
    path = folder / "model"
    if isinstance(model, xgboost.Booster):
        path = path.with_suffix(".json")
        model.save_model(path)
    elif isinstance(model, lightgbm.Booster):
        path.write_text(model.model_to_string())
    else:
        skops.io.dump(model, path)
    return path


def sums(explainer: Any, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The attributions after it was checked that they sum to the scores, and the scores."""
    values, scores = explainer.explain(rows)
    assert values.shape == (len(rows), len(explainer.features), len(explainer.labels))
    np.testing.assert_allclose(values.sum(axis=1) + explainer.expected, scores, rtol=1e-5, atol=1e-5)
    return values, scores


@pytest.mark.parametrize(
    ("objective", "target", "margin"),
    [
        ("binary:logistic", "binary", log_odds),
        ("binary:logitraw", "binary", lambda raw: raw),
        ("reg:squarederror", "values", lambda value: value),
        ("count:poisson", "classes", np.log),
    ],
)
def test_xgboosts_trees_are_explained_by_definition(objective: str, target: str, margin: Any, tmp_path: Path) -> None:
    booster = boosted(objective, target)
    path = saved(booster, tmp_path)
    explainer = open_explainer(path)
    values, scores = sums(explainer, HOLED)
    assert explainer.method == "tree_shap"
    np.testing.assert_allclose(scores[:, 0], margin(load_model(path).predict(HOLED.astype(np.float32))), atol=2e-5)
    trees = of_xgboost(booster)
    for place in (0, 3, 5, 6):
        np.testing.assert_allclose(values[place, :, 0], of_trees(trees, HOLED[place], 5), atol=2e-6)


def test_only_the_trees_up_to_the_best_iteration_are_explained(tmp_path: Path) -> None:
    booster = boosted("binary:logistic", "binary", rounds=9)
    booster.set_attr(best_iteration="2")
    values, _ = sums(open_explainer(saved(booster, tmp_path)), HOLED)
    np.testing.assert_allclose(values[0, :, 0], of_trees(of_xgboost(booster)[:3], HOLED[0], 5), atol=2e-6)


def test_every_class_of_xgboost_has_attributions(tmp_path: Path) -> None:
    booster = boosted("multi:softprob", "classes")
    path = saved(booster, tmp_path)
    explainer = open_explainer(path, classes=["low", "middle", "high"])
    values, scores = sums(explainer, HOLED)
    assert explainer.labels == ("low", "middle", "high")
    assert open_explainer(path).labels == ("label0", "label1", "label2")
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, load_model(path).predict(HOLED.astype(np.float32)), atol=1e-5)
    trees = of_xgboost(booster)
    np.testing.assert_allclose(values[0, :, 2], of_trees(trees[2::3], HOLED[0], 5), atol=2e-6)


@pytest.mark.parametrize("kind", ["dart", "forest", "gblinear", "vector leaves"])
def test_other_kinds_of_xgboost(kind: str, tmp_path: Path) -> None:
    vectors = kind == "vector leaves"
    objective, target = ("multi:softprob", "classes") if vectors else ("binary:logistic", "binary")
    more: dict[str, Any] = {
        "dart": {"booster": "dart", "rate_drop": 0.5, "seed": 1},
        "forest": {"num_parallel_tree": 3, "subsample": 0.5},
        "gblinear": {"booster": "gblinear", "max_depth": None, "base_score": None},
        "vector leaves": {"multi_strategy": "multi_output_tree"},
    }[kind]
    booster = boosted(objective, target, **more)
    explainer = open_explainer(saved(booster, tmp_path), baseline=BASELINE)
    expected = {"gblinear": "linear_shap", "vector leaves": "permutation_shap"}.get(kind, "tree_shap")
    assert explainer.method == expected
    sums(explainer, HOLED[:8])


def test_categories_and_several_values_are_explained(tmp_path: Path) -> None:
    rows = ROWS.copy()
    rows[:, 1] = np.arange(len(rows)) % 12
    target = np.isin(rows[:, 1], [1, 4, 7]) * 2 + rows[:, 0]
    data = xgboost.DMatrix(rows, target, feature_types=["q", "c", "q", "q", "q"], enable_categorical=True)
    booster = xgboost.train({"max_cat_to_onehot": 1, "nthread": 1}, data, 5)
    rows[:3, 1] = [99, np.nan, -3]  # categories that the model has not seen
    sums(open_explainer(saved(booster, tmp_path)), rows)
    forest = RandomForestRegressor(2, max_depth=4).fit(ROWS, np.stack([VALUES, -2 * VALUES], axis=1))
    (tmp_path / "forest").mkdir()
    values, _ = sums(open_explainer(saved(forest, tmp_path / "forest")), ROWS[:20])
    np.testing.assert_allclose(values[:, :, 1], -2 * values[:, :, 0], atol=1e-12)


@pytest.mark.parametrize("objective", ["binary", "regression", "multiclass", "cross_entropy", "rf", "linear"])
def test_lightgbm_is_explained_by_definition(objective: str, tmp_path: Path) -> None:
    settings = {"objective": objective, "verbosity": -1, "num_threads": 1, "num_leaves": 7, "min_data_in_leaf": 5}
    settings |= {
        "rf": {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
        "linear": {"objective": "regression", "linear_tree": True},
        "multiclass": {"num_class": 3},
    }.get(objective, {})
    target = {"regression": "values", "linear": "values", "multiclass": "classes"}.get(objective, "binary")
    data = lightgbm.Dataset(ROWS, TARGETS[target], params={"verbosity": -1, "linear_tree": objective == "linear"})
    booster = lightgbm.train(settings, data, 6)
    path = saved(booster, tmp_path)
    explainer = open_explainer(path, baseline=BASELINE)
    assert not explainer.named
    values, scores = sums(explainer, ROWS[:12])
    if objective == "linear":
        assert explainer.method == "permutation_shap"
        return
    assert explainer.method == "tree_shap"
    assert explainer.labels == (("0", "1", "2") if objective == "multiclass" else ("label0",))
    outputs = values.shape[2]
    trees = of_lightgbm(booster)
    share = len(trees) if objective == "rf" else 1
    np.testing.assert_allclose(values[0, :, -1], of_trees(trees[outputs - 1 :: outputs], ROWS[0], 5) / share, atol=1e-9)
    if objective in ("binary", "rf"):
        np.testing.assert_allclose(scores[:, 0], log_odds(load_model(path).predict(ROWS[:12])), atol=1e-5)


SKLEARN = [
    (DecisionTreeRegressor(max_depth=6, random_state=0), "values"),
    (DecisionTreeClassifier(random_state=0), "binary"),
    (RandomForestClassifier(5, max_depth=6, random_state=0), "binary"),
    (RandomForestClassifier(5, random_state=0), "classes"),
    (RandomForestRegressor(4, random_state=0), "values"),
    (ExtraTreesRegressor(4, max_depth=7, random_state=0), "values"),
    (GradientBoostingClassifier(n_estimators=8, random_state=0), "binary"),
    (GradientBoostingClassifier(n_estimators=4, random_state=0), "classes"),
    (GradientBoostingRegressor(n_estimators=8, init="zero", random_state=0), "values"),
    (HistGradientBoostingClassifier(max_iter=8, early_stopping=False), "binary"),
    (HistGradientBoostingClassifier(max_iter=4, early_stopping=False), "classes"),
    (HistGradientBoostingRegressor(max_iter=8, early_stopping=False, loss="poisson"), "classes"),
    (make_pipeline(StandardScaler(), RandomForestRegressor(3, random_state=0)), "values"),
]


@pytest.mark.parametrize(("estimator", "target"), SKLEARN, ids=lambda one: str(one)[:22])
def test_scikit_learns_trees_sum_to_its_margin(estimator: Any, target: str, tmp_path: Path) -> None:
    estimator.fit(ROWS, TARGETS[target])
    explainer = open_explainer(saved(estimator, tmp_path))
    assert explainer.method == "tree_shap"
    values, scores = sums(explainer, ROWS[:12])
    direct = getattr(estimator, "decision_function", None) or getattr(estimator, "predict_proba", estimator.predict)
    wanted = direct(ROWS[:12])
    if getattr(estimator, "loss", "") == "poisson":
        wanted = np.log(wanted)
    wanted = wanted[:, -1:] if np.ndim(wanted) == 2 and wanted.shape[1] == 2 else wanted.reshape(12, -1)
    np.testing.assert_allclose(scores, wanted, atol=1e-6)
    shap = pytest.importorskip("shap")
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    unknown_to_shap = target == "classes" and isinstance(last, GradientBoostingClassifier)
    if unknown_to_shap or getattr(last, "init", None) == "zero":
        return
    block = ROWS[:12] if last is estimator else estimator[:-1].transform(ROWS[:12])
    theirs = np.asarray(shap.TreeExplainer(last).shap_values(block, check_additivity=False))
    theirs = theirs[:, :, None] if theirs.ndim == 2 else theirs
    np.testing.assert_allclose(values, theirs[:, :, -values.shape[2] :], atol=1e-6)


@pytest.mark.parametrize("weights", [None, "some rows weigh nothing"])
def test_a_forest_is_explained_by_definition(weights: str | None, tmp_path: Path) -> None:
    holed = ROWS.copy()
    holed[::7, 0] = np.nan
    weight = None if weights is None else (np.arange(len(ROWS)) % 3 > 0).astype(float)
    forest = RandomForestClassifier(3, max_depth=7, random_state=1).fit(holed, TARGETS["binary"], weight)
    explainer = open_explainer(saved(forest, tmp_path))
    values, _ = sums(explainer, HOLED)
    trees = [of_sklearn(one.tree_, lambda value: value[0, 1] / value[0].sum() / 3) for one in forest.estimators_]
    for place in (0, 3, 5, 6):
        np.testing.assert_allclose(values[place, :, 0], of_trees(trees, HOLED[place], 5), atol=1e-12)


def test_histogram_trees_follow_missing_values(tmp_path: Path) -> None:
    holed = ROWS.copy()
    holed[::5, 0] = np.nan
    model = HistGradientBoostingRegressor(max_iter=5, early_stopping=False).fit(holed, VALUES)
    values, _ = sums(open_explainer(saved(model, tmp_path)), HOLED)
    assert np.ptp(values[5, :, 0]) > 0


LINEAR = [
    (LinearRegression(), "values", lambda raw: raw),
    (Ridge(), "values", lambda raw: raw),
    (LogisticRegression(), "binary", log_odds),
    (LinearDiscriminantAnalysis(), "binary", log_odds),
    (make_pipeline(StandardScaler(), LogisticRegression()), "binary", log_odds),
    (LogisticRegression(), "classes", None),
]


@pytest.mark.parametrize(("estimator", "target", "margin"), LINEAR)
def test_linear_models_are_explained_in_closed_form(estimator: Any, target: str, margin: Any, tmp_path: Path) -> None:
    estimator.fit(ROWS, TARGETS[target])
    path = saved(estimator, tmp_path)
    explainer = open_explainer(path, baseline=BASELINE)
    assert explainer.method == "linear_shap"
    values, scores = sums(explainer, ROWS[:12])
    if margin is not None:
        np.testing.assert_allclose(scores[:, 0], margin(load_model(path).predict(ROWS[:12])), atol=1e-5)

    def worth(known: frozenset[int]) -> Any:
        mixed = np.where(np.isin(np.arange(5), list(known)), ROWS[0], BASELINE)
        found = getattr(estimator, "decision_function", estimator.predict)(mixed)
        return found.reshape(len(mixed), -1).mean(axis=0)

    np.testing.assert_allclose(values[0], shapley(worth, 5), atol=1e-6)


@pytest.mark.parametrize(
    ("estimator", "target"),
    [
        (PoissonRegressor(), "classes"),
        (CalibratedClassifierCV(LogisticRegression(), cv=2), "binary"),
        (make_pipeline(PolynomialFeatures(2), LogisticRegression()), "binary"),
        (GradientBoostingRegressor(n_estimators=3, init=LinearRegression()), "values"),
        (HistGradientBoostingClassifier(max_iter=3, categorical_features=[3], early_stopping=False), "binary"),
    ],
)
def test_what_has_no_exact_method_is_sampled(estimator: Any, target: str, tmp_path: Path) -> None:
    rows = np.abs(ROWS)
    path = saved(estimator.fit(rows, TARGETS[target]), tmp_path)
    explainer = open_explainer(path, baseline=rows[:2])
    assert explainer.method == "permutation_shap"
    sums(explainer, rows[:6])
    with pytest.raises(InputError, match="there are none"):
        open_explainer(path)


def test_the_space_is_chosen(tmp_path: Path) -> None:
    path = saved(boosted("binary:logistic", "binary"), tmp_path)
    plain, logit = open_explainer(path), open_explainer(path, use_logit=True)
    np.testing.assert_array_equal(plain.explain(HOLED).values, logit.explain(HOLED).values)
    output = open_explainer(path, baseline=BASELINE[:1], space="output")
    assert output.method == "permutation_shap"
    _, scores = sums(output, HOLED)
    np.testing.assert_allclose(log_odds(scores), plain.explain(HOLED).scores, atol=1e-4)
    (tmp_path / "classes").mkdir()
    classes = saved(boosted("multi:softprob", "classes"), tmp_path / "classes")
    each = open_explainer(classes, baseline=BASELINE[:1], use_logit=True)
    assert each.method == "permutation_shap"
    shares = load_model(classes).predict(HOLED.astype(np.float32))
    np.testing.assert_allclose(sums(each, HOLED)[1], log_odds(shares.astype(float)), atol=1e-4)
    values = saved(boosted("reg:squarederror", "values"), tmp_path)
    with pytest.raises(InputError, match="use_logit needs probabilities"):
        open_explainer(values, baseline=BASELINE, use_logit=True)


def test_names_are_the_callers_else_the_models(tmp_path: Path) -> None:
    data = xgboost.DMatrix(ROWS, TARGETS["binary"], feature_names=["a", "b", "c", "d", "é"])
    path = saved(xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 2), tmp_path)
    own = open_explainer(path)
    assert (own.features, own.named, own.labels) == (("a", "b", "c", "d", "é"), True, ("label0",))
    other = open_explainer(path, features=["1", "2", "3", "4", "5"], classes=["stays", "leaves"])
    assert (other.features, other.named, other.labels) == (("1", "2", "3", "4", "5"), True, ("leaves",))
    bare = open_explainer(saved(boosted("binary:logistic", "binary"), tmp_path))
    assert (bare.features, bare.named) == (("_c0", "_c1", "_c2", "_c3", "_c4"), False)
    with pytest.raises(InputError, match="names of features"):
        open_explainer(path, features=["a"])
    with pytest.raises(InputError, match="same name"):
        open_explainer(path, features=["a", "a", "b", "c", "d"])
    with pytest.raises(InputError, match="the classes do not fit"):
        open_explainer(path, classes=["a", "b", "c"])


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm", "forest", "linear"])
def test_ugly_rows(kind: str, tmp_path: Path) -> None:
    model: Any = {
        "xgboost": lambda: boosted("binary:logistic", "binary"),
        "lightgbm": lambda: lightgbm.train({"verbosity": -1}, lightgbm.Dataset(ROWS, VALUES), 3),
        "forest": lambda: RandomForestRegressor(2, max_depth=3).fit(ROWS, VALUES),
        "linear": lambda: LinearRegression().fit(ROWS, VALUES),
    }[kind]()
    explainer = open_explainer(saved(model, tmp_path), baseline=BASELINE)
    sums(explainer, ROWS[:1])
    sums(explainer, np.tile(ROWS[:1], (5000, 1)))
    empty, none = explainer.explain(np.zeros((0, 5)))
    assert (empty.shape, none.shape) == ((0, 5, 1), (0, 1))
    for wrong in (np.zeros((2, 4)), np.zeros(5), np.array([["a"] * 5])):
        with pytest.raises(InputError):
            explainer.explain(wrong)
    extreme = np.array([[np.inf, -np.inf, 1e308, -1e308, 0.0]])
    if kind in ("xgboost", "lightgbm"):
        sums(explainer, extreme)
    else:
        with pytest.raises(ModelError, match="refused the rows"):
            explainer.explain(extreme)
    if kind == "linear":
        with pytest.raises(ModelError, match="refused the rows"):
            explainer.explain(HOLED)


def test_a_model_of_one_feature_and_constant_columns(tmp_path: Path) -> None:
    rows = np.zeros((50, 3))
    rows[:, 1] = np.arange(50)
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, rows[:, 1]), 3)
    values, _ = sums(open_explainer(saved(booster, tmp_path)), rows)
    assert not values[:, [0, 2]].any()
    single = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows[:, 1:2], rows[:, 1]), 3)
    sums(open_explainer(saved(single, tmp_path)), rows[:, 1:2])
    constant = DecisionTreeRegressor().fit(rows, np.ones(50))
    values, scores = sums(open_explainer(saved(constant, tmp_path)), rows)
    assert not values.any()
    assert np.all(scores == 1)


def test_the_published_churn_model(churn: Path, trained: Callable[..., Any]) -> None:
    rows = np.genfromtxt(churn / "test-dataset-input-cols.csv", delimiter=",")
    explainer = open_explainer(churn / "xgb-churn-prediction-model.json")
    values, _ = sums(explainer, rows)
    shap = pytest.importorskip("shap")
    booster = xgboost.Booster(model_file=churn / "xgb-churn-prediction-model.json")
    theirs = shap.TreeExplainer(booster).shap_values(rows)
    np.testing.assert_allclose(values[:, :, 0], theirs, atol=1e-5)
