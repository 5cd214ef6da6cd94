"""scikit-learn models: the library's own numbers, the types that are trusted, damaged trees, and real servers."""

from __future__ import annotations

import io
import json
import pickle
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from driftline.core import records
from driftline.core.errors import DriftlineError, ModelError, SetupError
from driftline.serving.inspect import inspect_model
from driftline.serving.runtime import load_model

ROWS = np.random.default_rng(3).normal(size=(80, 3)).astype(np.float32)
ROWS.flags.writeable = False  # as a server's rows are
TEXTS = np.array(["low", "middle", "high"])[np.digitize(ROWS[:, 0], [-0.5, 0.5])]
BINARY = (ROWS[:, 0] > 0).astype(int)


def saved(model: Any, path: Path) -> Path:
    path.write_bytes(skops.io.dumps(model))
    return path


CLASSIFIERS = {
    "logistic": LogisticRegression(),
    "pipeline": make_pipeline(
        ColumnTransformer([("a", StandardScaler(), [0, 1])], remainder="passthrough"), GaussianNB()
    ),
    "tree": DecisionTreeClassifier(max_depth=3),
    "forest": RandomForestClassifier(5, n_jobs=2, random_state=1),
    "boosting": GradientBoostingClassifier(n_estimators=5),
    "histogram": HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=3),
    "categories": HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=3, categorical_features=[2]),
    "bagging": BaggingClassifier(n_estimators=3, max_features=2, random_state=1),
    "calibrated": CalibratedClassifierCV(LinearSVC(), cv=3),
    "process": GaussianProcessClassifier(optimizer=None),
    "neighbours": KNeighborsClassifier(algorithm="brute"),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_probabilities_are_the_librarys(name: str, tmp_path: Path) -> None:
    rows = ROWS.copy()
    rows[:, 2] = np.round(np.abs(rows[:, 2] * 3))
    for labels, problem in ((BINARY, "binary"), (TEXTS, "multiclass")):
        trained = CLASSIFIERS[name].fit(rows, labels)
        model = load_model(saved(trained, tmp_path / "no-suffix"))
        expected = trained.predict_proba(rows)
        answers = model.predict(rows)
        np.testing.assert_allclose(answers, expected[:, 1] if problem == "binary" else expected, rtol=0, atol=1e-12)
        described = model.describe()
        assert (described["objective"], described["n_features"]) == (problem, 3)
        assert described["classes"] == sorted(set(labels.tolist()))
        json.dumps(described)


@pytest.mark.parametrize("trained", [LinearRegression(), RandomForestRegressor(4), GradientBoostingRegressor()])
def test_a_regression_answers_with_its_values(trained: Any, tmp_path: Path) -> None:
    trained.fit(ROWS, ROWS[:, 0] * 3)
    model = load_model(saved(trained, tmp_path / "m"))
    np.testing.assert_allclose(model.predict(ROWS), trained.predict(ROWS), rtol=0, atol=1e-12)
    assert model.describe()["objective"] == "regression"
    assert model.predict(ROWS[:1]).shape == (1,)


def test_several_outputs(tmp_path: Path) -> None:
    trained = LinearRegression().fit(ROWS, ROWS[:, :2])
    assert load_model(saved(trained, tmp_path / "m")).predict(ROWS).shape == (80, 2)


def test_feature_names_are_described_and_do_not_warn(tmp_path: Path) -> None:
    trained = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, BINARY)
    for step in (trained[0], trained[1]):
        step.feature_names_in_ = np.array(["a", "b", "c"], dtype=object)
    model = load_model(saved(trained, tmp_path / "m"))
    assert model.describe()["feature_names"] == ["a", "b", "c"]
    assert model.predict(ROWS).shape == (80,)


def test_rows_it_does_not_take_are_refused(tmp_path: Path) -> None:
    model = load_model(saved(LogisticRegression().fit(ROWS, BINARY), tmp_path / "m"))
    for rows in (np.full((1, 3), np.nan, dtype=np.float32), ROWS[:, :2], ROWS[0]):
        with pytest.raises(ModelError, match="refused the rows"):
            model.predict(rows)


class Custom(ClassifierMixin, BaseEstimator):
    """An estimator of someone's own."""


def test_untrusted_types_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not trusted") as caught:
        load_model(saved(Custom(), tmp_path / "m"))
    assert "Custom" in caught.value.evidence
    assert "ONNX" in caught.value.hint
    with pytest.raises(ModelError, match="not trusted") as caught:
        load_model(saved(KNeighborsClassifier(algorithm="kd_tree").fit(ROWS, BINARY), tmp_path / "m"))
    assert "KDTree" in caught.value.evidence
    assert "brute" in caught.value.hint


@pytest.mark.parametrize("model", [LinearSVC().fit(ROWS, BINARY), StandardScaler().fit(ROWS), {"a": 1}, [1]])
def test_what_gives_no_probabilities_is_refused(model: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="neither a classifier with probabilities nor"):
        load_model(saved(model, tmp_path / "m"))


def test_an_unfitted_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        load_model(saved(LinearRegression(), tmp_path / "m"))


@pytest.mark.parametrize("kind", ["pickle", "old pickle", "joblib", "compressed joblib"])
def test_pickles_are_refused_with_the_way_to_save(kind: str, tmp_path: Path) -> None:
    trained, path = LogisticRegression().fit(ROWS, BINARY), tmp_path / "model.pkl"
    if "joblib" in kind:
        joblib.dump(trained, path, compress="compressed" in kind)
    else:
        path.write_bytes(pickle.dumps(trained, protocol=0 if "old" in kind else 5))
    with pytest.raises(ModelError, match="pickle") as caught:
        load_model(path)
    assert "skops.io.dump" in caught.value.hint


def test_inside_an_archive_and_in_another_process(tmp_path: Path) -> None:
    path = saved(RandomForestClassifier(3).fit(ROWS, TEXTS), tmp_path / "model.skops")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(path, path.name)
    described = inspect_model(tmp_path / "model.tar.gz")
    assert (described["runtime"], described["classes"]) == ("sklearn", ["high", "low", "middle"])


def test_a_missing_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(LogisticRegression().fit(ROWS, BINARY), tmp_path / "m")
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(SetupError) as caught:
        load_model(path)
    assert "driftline[sklearn]" in caught.value.hint


def rewritten(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The zip archive with every member passed through a function."""
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(output, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return output.getvalue()


DAMAGES = {"left_child": 10**6, "right_child": 0, "feature": 3, "left": 10**6, "right": 0, "feature_idx": 77}


@pytest.mark.parametrize("field", DAMAGES)
@pytest.mark.parametrize("name", ["tree", "forest", "boosting", "histogram"])
def test_a_tree_that_points_outside_is_refused(name: str, field: str, tmp_path: Path) -> None:
    touched = False

    def damage(member: str, content: bytes) -> bytes:
        nonlocal touched
        array = np.load(io.BytesIO(content)) if member.endswith(".npy") else np.zeros(0)
        if field not in (array.dtype.names or ()):
            return content
        array[field][0], touched = DAMAGES[field], True
        output = io.BytesIO()
        np.save(output, array)
        return output.getvalue()

    path = tmp_path / "m"
    path.write_bytes(rewritten(skops.io.dumps(CLASSIFIERS[name].fit(ROWS, BINARY)), damage))
    if touched:
        with pytest.raises(ModelError, match="cannot predict") as caught:
            load_model(path)
        assert "damaged" in caught.value.evidence or "a child" in caught.value.evidence
    else:
        assert load_model(path).n_features == 3


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_is_loaded_or_refused(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)

    def damage(member: str, content: bytes) -> bytes:
        if member != "schema.json":
            return content
        changed = bytearray(content)
        for position in random.integers(0, len(changed), 2):
            changed[position] = random.integers(32, 127)
        return bytes(changed)

    data = skops.io.dumps(LogisticRegression().fit(ROWS, BINARY))
    path = tmp_path / "m"
    path.write_bytes(rewritten(data, damage) if seed % 4 else data[: -int(random.integers(1, 3000))])
    refused: DriftlineError | None = None
    try:
        load_model(path)
    except DriftlineError as error:
        refused = error
    assert refused is None or refused.hint


def test_a_file_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftline.serving.sklearn_runtime.MAX_BYTES", 100)
    with pytest.raises(DriftlineError, match="unpacks to more"):
        load_model(saved(LogisticRegression().fit(ROWS, BINARY), tmp_path / "m"))


def test_several_classes_over_http(tmp_path: Path, serve: Callable[..., Any]) -> None:
    trained = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, TEXTS)
    server = serve(tmp_path / "captures", saved(trained, tmp_path / "model.skops"))
    body = "\n".join(",".join(map(repr, row)) for row in ROWS[:4].tolist())
    answer = server.post(body)
    expected = trained.predict_proba(ROWS[:4])
    found = [[float(cell) for cell in line.split(",")] for line in answer.text.splitlines()]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    document = server.post(body, Accept="application/json").json()
    assert [prediction["scores"] for prediction in document["predictions"]] == found
    missing = server.post("1,,2")
    assert missing.status_code >= 400
    assert "NaN" in missing.text
    (file,) = (tmp_path / "captures").rglob("*.jsonl")
    captured = [records.decode_capture(line) for line in file.read_bytes().splitlines()]
    assert len(captured) == 2
    assert answer.text in file.read_text().replace("\\n", "\n")
