"""Conversions that are right pass, and those that are wrong do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import xgboost

from driftline.core.errors import ModelError
from driftline.serving.parity import check_parity, require_parity
from driftline.serving.runtime import load_model

onnxmltools = pytest.importorskip("onnxmltools")

RANDOM = np.random.default_rng(5)
ROWS = RANDOM.normal(size=(600, 3)).astype(np.float32)
LABELS = (ROWS[:, 0] + RANDOM.normal(size=600) > 0).astype(int)


def trained(objective: str = "binary:logistic", rounds: int = 40, **more: Any) -> Any:
    learned, seen = (xgboost.DMatrix(ROWS[part], LABELS[part]) for part in (slice(300), slice(300, 600)))
    settings = {"objective": objective, "nthread": 1, "max_depth": 4}
    return xgboost.train(settings, learned, rounds, evals=[(seen, "seen")], verbose_eval=False, **more)


def saved(booster: Any, path: Path) -> Any:
    booster.save_model(path)
    return load_model(path)


def converted(booster: Any, path: Path) -> Any:
    from onnxmltools.convert.common.data_types import FloatTensorType

    document = onnxmltools.convert_xgboost(booster, initial_types=[("x", FloatTensorType([None, 3]))], target_opset=15)
    path.write_bytes(document.SerializeToString())
    return load_model(path)


def test_a_conversion_that_ignores_the_best_iteration(tmp_path: Path) -> None:
    booster = trained(early_stopping_rounds=3)
    assert booster.best_iteration + 1 < booster.num_boosted_rounds()
    reference = saved(booster, tmp_path / "m.json")
    wrong = converted(booster, tmp_path / "wrong.onnx")
    parity = check_parity(reference, wrong, ROWS)
    assert not parity.ok
    apart = np.abs(reference.predict(ROWS) - wrong.predict(ROWS))
    assert (parity.row, parity.rows) == (int(apart.argmax()), 600)
    assert parity.difference == pytest.approx(float(apart.max()))
    with pytest.raises(ModelError, match="does not answer as the original") as caught:
        require_parity(reference, wrong, ROWS)
    assert f"row {parity.row} of 600" in caught.value.evidence
    assert f"{parity.difference:.6g}" in caught.value.evidence
    right = converted(booster[: booster.best_iteration + 1], tmp_path / "right.onnx")
    assert require_parity(reference, right, ROWS).ok


def test_a_conversion_that_makes_raw_scores_probabilities(tmp_path: Path) -> None:
    booster = trained("binary:logitraw", 5)
    reference = saved(booster, tmp_path / "m.json")
    parity = check_parity(reference, converted(booster, tmp_path / "wrong.onnx"), ROWS)
    assert not parity.ok
    assert parity.difference > 0.1


def test_several_outputs_pass(tmp_path: Path) -> None:
    data = xgboost.DMatrix(ROWS, np.digitize(ROWS[:, 0], [-0.5, 0.5]))
    booster = xgboost.train({"objective": "multi:softprob", "num_class": 3, "nthread": 1}, data, 4)
    assert (
        require_parity(saved(booster, tmp_path / "m.json"), converted(booster, tmp_path / "n"), ROWS).difference < 1e-6
    )


class Fixed:
    """A model with stated answers, or one that fails."""

    n_features = 3

    def __init__(self, answers: Any) -> None:
        self.answers = answers

    def predict(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        if isinstance(self.answers, Exception):
            raise self.answers
        return np.array(self.answers, dtype=np.float64)

    def describe(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("one", "other", "difference", "row"),
    [
        ([0.0, 0.5], [0.0, 0.5], 0.0, 0),
        ([0.0, 0.5], [[0.0], [0.5]], 0.0, 0),
        ([0.0, 0.5], [0.0, 0.75], 0.25, 1),
        ([0.0, 1000.0], [0.0, 1001.0], 0.001, 1),
        ([np.nan, np.inf], [np.nan, np.inf], 0.0, 0),
        ([0.0, 0.5], [0.0, np.nan], np.inf, 1),
        ([np.inf, 0.5], [-np.inf, 0.5], np.inf, 0),
        ([np.inf, 0.5], [3.0, 0.5], np.inf, 0),
        ([0.0, 0.5], [[0.0, 1], [0.5, 1]], np.inf, None),
        ([0.0, 0.5], [0.0], np.inf, None),
        ([0.0, 0.5], ModelError("no"), np.inf, None),
        (ValueError("no"), [0.0, 0.5], np.inf, None),
    ],
)
def test_how_far_answers_are_apart(one: Any, other: Any, difference: float, row: int | None) -> None:
    parity = check_parity(Fixed(one), Fixed(other), ROWS[:2])
    assert parity.difference == pytest.approx(difference)
    assert (parity.row, parity.ok, bool(parity.reason)) == (row, difference == 0, row is None)


def test_without_rows_nothing_agrees() -> None:
    with pytest.raises(ModelError) as caught:
        require_parity(Fixed([]), Fixed([]), ROWS[:0])
    assert "no rows" in caught.value.evidence


def test_the_tolerance_is_the_callers() -> None:
    assert check_parity(Fixed([0.5]), Fixed([0.6]), ROWS[:1], tolerance=0.2).ok
