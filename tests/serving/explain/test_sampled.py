"""Sampled explanations: exact where the budget allows all coalitions, ever closer to that where it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from driftline.core.errors import InputError, ModelError
from driftline.serving.explain.baseline import choose_baseline
from driftline.serving.explain.coalitions import design
from driftline.serving.explain.explainer import open_explainer, remote_explainer

from .games import shapley

RANDOM = np.random.default_rng(11)
WEIGHTS = RANDOM.normal(size=(12, 12)) / 3
ROWS = RANDOM.normal(size=(25, 12))
BASELINE = RANDOM.normal(size=(3, 12))
METHODS = ("kernel_shap", "permutation_shap")


def bent(rows: Any) -> Any:
    """A model with interactions of every order."""
    return np.tanh(rows @ WEIGHTS[0] + ((rows @ WEIGHTS) ** 2).sum(axis=1) / 6) + rows[:, 0] * rows[:, 1] * rows[:, 2]


class Counted:
    """A model that counts what it is asked."""

    def __init__(self, predict: Callable[[Any], Any] = bent) -> None:
        self.predict, self.rows, self.largest = predict, 0, 0

    def __call__(self, rows: Any) -> Any:
        self.rows, self.largest = self.rows + len(rows), max(self.largest, len(rows))
        return self.predict(rows)


def definition(predict: Callable[[Any], Any], row: Any, baseline: Any) -> Any:
    def worth(known: frozenset[int]) -> Any:
        return predict(np.where(np.isin(np.arange(len(row)), list(known)), row, baseline)).mean(axis=0)

    return shapley(worth, len(row))


def explained(budget: int, method: Any = "permutation_shap", **more: Any) -> Any:
    given = {"baseline": BASELINE, **more}
    return remote_explainer(given.pop("predict", bent), samples=budget, sampler=method, **given)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("features", [1, 2, 3, 7])
def test_a_budget_for_all_coalitions_gives_the_definition(method: str, features: int) -> None:
    def predict(rows: Any) -> Any:
        return np.stack([np.prod(np.cos(rows), axis=1), (rows**2).sum(axis=1)], axis=1)

    rows, baseline = ROWS[:4, :features], BASELINE[:, :features]
    found = explained(2**features, method, predict=predict, baseline=baseline)
    values, scores = found.explain(rows)
    assert (found.method, found.labels, values.shape) == (method, ("label0", "label1"), (4, features, 2))
    for row, value in zip(rows, values, strict=True):
        np.testing.assert_allclose(value, definition(predict, row, baseline), atol=1e-9)
    np.testing.assert_allclose(scores, predict(rows))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("budget", [1, 2, 5, 11, 24, 100, 1000])
def test_the_sum_is_the_prediction_and_the_budget_is_kept(method: str, budget: int) -> None:
    model = Counted()
    found = explained(budget, method, predict=model)
    values, scores = found.explain(ROWS)
    np.testing.assert_allclose(values.sum(axis=1) + found.expected, scores, atol=1e-9)
    np.testing.assert_allclose(scores[:, 0], bent(ROWS))
    np.testing.assert_allclose(found.expected, bent(BASELINE).mean())
    assert model.rows <= len(ROWS) * (budget * len(BASELINE) + 1) + len(BASELINE)


@pytest.mark.parametrize("method", METHODS)
def test_a_larger_budget_comes_closer(method: str) -> None:
    """The error of a mean of n draws falls as 1/sqrt(n): sixteen times the budget must halve it at the least (it
    quarters), measured over 8 seeds and 25 rows."""
    exact = explained(5000).explain(ROWS).values
    assert design("kernel_shap", 12, 5000, 0).exact

    def error(budget: int) -> float:
        found = [explained(budget, method, seed=seed).explain(ROWS).values - exact for seed in range(8)]
        return float(np.sqrt(np.mean(np.square(found))))

    errors = [error(budget) for budget in (44, 176, 704)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < errors[0] / 2


def test_an_order_and_its_reverse_are_exact_for_pairs() -> None:
    """Of a model whose features act at most in pairs, any budget that does for an order and its reverse is exact."""

    def pairs(rows: Any) -> Any:
        return ((rows @ WEIGHTS) * rows).sum(axis=1) + rows @ WEIGHTS[3]

    exact = explained(5000, predict=pairs).explain(ROWS[:5]).values
    np.testing.assert_allclose(explained(22, predict=pairs).explain(ROWS[:5]).values, exact, atol=1e-9)
    np.testing.assert_allclose(explained(60, "kernel_shap", predict=pairs).explain(ROWS[:5]).values, exact, atol=1e-9)


def test_a_mean_over_rows_and_seeds_has_no_bias() -> None:
    exact = explained(5000).explain(ROWS).values
    found = [explained(11, seed=seed).explain(ROWS).values for seed in range(60)]
    error = np.mean(found, axis=0) - exact
    spread = np.std(found, axis=0) / np.sqrt(60)
    assert np.sqrt(np.mean(np.square(error / np.maximum(spread, 1e-9)))) < 1.3


@pytest.mark.parametrize("method", METHODS)
def test_the_seed_decides_and_neighbours_do_not(method: str) -> None:
    first = explained(30, method, seed=3).explain(ROWS).values
    np.testing.assert_array_equal(first, explained(30, method, seed=3).explain(ROWS).values)
    assert np.abs(first - explained(30, method, seed=4).explain(ROWS).values).max() > 1e-4
    backwards = explained(30, method, seed=3).explain(ROWS[::-1]).values[::-1]
    np.testing.assert_allclose(backwards, first, atol=1e-12)
    np.testing.assert_allclose(explained(30, method, seed=3).explain(ROWS[7:8]).values, first[7:8], atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_feature_like_the_baseline_has_no_value_and_costs_nothing(method: str) -> None:
    rows = np.where(np.arange(12) < 3, ROWS, BASELINE[0])
    rows[:, 5], baseline = np.nan, BASELINE[:1].copy()
    baseline[:, 5] = np.nan
    model = Counted(lambda block: np.nan_to_num(block) @ WEIGHTS[0] * block[:, 1])
    values = explained(100, method, predict=model, baseline=baseline).explain(rows).values
    assert not values[:, 3:].any()
    assert model.rows == len(rows) * (2**3 - 2 + 1) + 1
    assert not explained(9, method, baseline=BASELINE[:1]).explain(BASELINE[:1]).values.any()


def test_a_feature_without_effect_has_no_value_at_all() -> None:
    values = explained(22, predict=lambda rows: rows[:, 0] * rows[:, 4] ** 2).explain(ROWS).values
    assert np.abs(np.delete(values, [0, 4], axis=1)).max() < 1e-14


def test_log_odds_of_probabilities() -> None:
    def chance(rows: Any) -> Any:
        return 1 / (1 + np.exp(-rows @ WEIGHTS[0]))

    found = explained(22, predict=chance, baseline=BASELINE[:1], use_logit=True)
    values, scores = found.explain(ROWS)
    np.testing.assert_allclose(values[:, :, 0], (ROWS - BASELINE[0]) * WEIGHTS[0], atol=1e-9)
    np.testing.assert_allclose(scores[:, 0], ROWS @ WEIGHTS[0], atol=1e-9)
    certain = explained(22, predict=lambda rows: (rows[:, 0] > 0).astype(float), use_logit=True).explain(ROWS)
    assert np.isfinite(certain.values).all()
    with pytest.raises(InputError, match="needs probabilities"):
        explained(22, use_logit=True, baseline=np.full((1, 12), 9.0))


def test_many_baseline_rows_and_coalitions_stay_in_blocks() -> None:
    model = Counted(lambda rows: rows[:, 0])
    baseline, rows = np.zeros((400, 300)), np.ones((2, 300))
    values = explained(300, predict=model, baseline=baseline).explain(rows).values
    np.testing.assert_allclose(values[:, 0], 1)
    assert model.largest * 300 <= (1 << 22) + 400 * 300


def test_a_budget_of_nothing_is_chosen_by_driftline() -> None:
    model = Counted(lambda rows: rows.sum(axis=1))
    explained(0, predict=model, baseline=np.zeros((1, 200))).explain(np.ones((1, 200)))
    assert model.rows == 2 * 199 + 2
    with pytest.raises(InputError, match="below 0"):
        explained(-1)
    with pytest.raises(InputError, match="no such sampler"):
        explained(10, "guessed")


def test_ugly_models_and_rows() -> None:
    with pytest.raises(ModelError, match="another number of scores"):
        explained(10, predict=lambda rows: np.zeros(len(rows) + 1))
    with pytest.raises(ModelError, match="no number"):
        explained(10, predict=lambda rows: np.full(len(rows), np.nan))
    for baseline in (None, np.zeros((0, 12))):
        with pytest.raises(InputError):
            explained(10, baseline=baseline)
    with pytest.raises(InputError, match="do not fit the model"):
        explained(10, features=["a"])
    found = explained(30, predict=lambda rows: np.isfinite(rows).sum(axis=1))
    ugly = np.array([[np.nan, np.inf, -np.inf, 1e308, -0.0, 5e-324, *np.zeros(6)]])
    values, scores = found.explain(ugly)
    assert values.sum() + found.expected[0] == pytest.approx(scores[0, 0])
    assert [part.shape for part in found.explain(np.zeros((0, 12)))] == [(0, 12, 1), (0, 1)]
    with pytest.raises(InputError):
        found.explain(np.zeros((1, 11)))


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    explained(4, progress=lambda done, rows: told.append((done, rows))).explain(np.tile(ROWS, (24, 1)))
    assert told == [(256, 600), (512, 600), (600, 600)]


def test_onnx_is_sampled_and_comes_close_to_the_trees(tmp_path: Path) -> None:
    """The exact values of the booster itself are path-dependent: they answer a slightly other question."""
    skl2onnx = pytest.importorskip("skl2onnx")
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = linear_model.LogisticRegression().fit(ROWS, bent(ROWS) > 0.5)
    path = tmp_path / "model.onnx"
    document = skl2onnx.to_onnx(model, ROWS[:1].astype(np.float32), options={"zipmap": False}, target_opset=15)
    path.write_bytes(document.SerializeToString())
    found = open_explainer(path, baseline=BASELINE[:1], use_logit=True, classes=["no", "yes"])
    values, scores = found.explain(ROWS)
    assert (found.method, found.labels) == ("permutation_shap", ("yes",))
    np.testing.assert_allclose(values[:, :, 0], (ROWS - BASELINE[0]) * model.coef_[0], atol=1e-4)
    np.testing.assert_allclose(scores[:, 0], model.decision_function(ROWS), atol=1e-4)


def test_a_middle_row_and_a_sample_for_a_baseline() -> None:
    rows = np.array([[1, 0, np.nan, np.inf], [2, 0, np.nan, 5], [3, 1, 7, np.nan], [9, 0, np.nan, 5.0]])
    np.testing.assert_array_equal(choose_baseline(rows, 1), [[2, 0, np.nan, 5]])
    many = np.arange(1000.0).reshape(-1, 1)
    drawn = choose_baseline(many, 100, seed=1)
    assert len(np.unique(drawn)) == 100
    np.testing.assert_array_equal(drawn, choose_baseline(many, 100, seed=1))
    assert (drawn != choose_baseline(many, 100, seed=2)).any()
    np.testing.assert_array_equal(choose_baseline(many, 5000), many)
    for wrong, count in ((np.zeros((0, 3)), 1), (rows, 0), (np.zeros(3), 1)):
        with pytest.raises(InputError):
            choose_baseline(wrong, count)
    assert choose_baseline(np.full((3, 1), np.inf), 1).shape == (1, 1)


def test_sampling_comes_close_to_the_trees_of_xgboost(churn: Path) -> None:
    """The exact values are path-dependent, so they answer another question; 20 baseline rows bring both near."""
    rows = np.genfromtxt(churn / "test-dataset-input-cols.csv", delimiter=",")
    file = churn / "xgb-churn-prediction-model.json"
    booster = xgboost.Booster(model_file=file)
    exact = np.abs(open_explainer(file).explain(rows[:100]).values).mean(axis=0)[:, 0]
    margin = lambda block: booster.predict(xgboost.DMatrix(block), output_margin=True)  # noqa: E731
    sampled = remote_explainer(margin, baseline=choose_baseline(rows, 20), samples=100, seed=1)
    found = np.abs(sampled.explain(rows[:100]).values).mean(axis=0)[:, 0]
    top = exact.argsort()[::-1]
    assert set(top[:4]) == set(found.argsort()[::-1][:4])
    assert np.corrcoef(exact, found)[0, 1] > 0.95
