"""XGBoost models: every format, the library's own numbers, and files that are no models."""

from __future__ import annotations

import csv
import io
import pickle
import re
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from driftline.core.errors import DriftlineError, ModelError, SetupError
from driftline.serving import xgboost_runtime
from driftline.serving.inspect import inspect_model, main
from driftline.serving.runtime import load_model

ROWS = np.random.default_rng(3).normal(size=(50, 3)).astype(np.float32)
ROWS[3, 0] = ROWS[7] = np.nan


def saved(booster: Any, path: Path) -> Path:
    booster.save_model(path)
    return path


@pytest.mark.parametrize("suffix", ["json", "ubj"])
@pytest.mark.parametrize("objective", ["binary:logistic", "reg:squarederror", "multi:softprob", "binary:logitraw"])
def test_the_numbers_are_the_librarys(suffix: str, objective: str, trained: Callable[..., Any], tmp_path: Path) -> None:
    booster = trained(4, objective, **({"num_class": 3} if "multi" in objective else {}))
    model = load_model(saved(booster, tmp_path / f"model.{suffix}").rename(tmp_path / "no-suffix"))
    expected = booster.inplace_predict(ROWS)
    for block in (ROWS, ROWS[:1], ROWS[5:9]):
        assert model.predict(block).tobytes() == booster.inplace_predict(block).tobytes()
    assert model.predict(ROWS).shape == expected.shape
    assert model.describe()["format"] == suffix
    assert model.describe()["objective"] == objective
    assert model.n_features == 3


@pytest.mark.parametrize("booster_kind", ["gbtree", "gblinear", "dart"])
def test_every_kind_of_booster(booster_kind: str, trained: Callable[..., Any], tmp_path: Path) -> None:
    more = {"gbtree": {}, "gblinear": {"max_depth": None}, "dart": {"rate_drop": 0.5}}[booster_kind]
    booster = trained(4, booster=booster_kind, **more)
    rows = np.nan_to_num(ROWS)
    model = load_model(saved(booster, tmp_path / "m.json"))
    linear = booster_kind == "gblinear"  # which predicts from a DMatrix only
    expected = booster.predict(xgboost.DMatrix(rows)) if linear else booster.inplace_predict(rows)
    assert model.predict(rows).tobytes() == expected.tobytes()


def test_the_best_iteration_is_honoured(trained: Callable[..., Any], tmp_path: Path) -> None:
    booster = trained(9)
    booster.set_attr(best_iteration="3")
    model = load_model(saved(booster, tmp_path / "m.json"))
    assert model.predict(ROWS).tobytes() == booster.inplace_predict(ROWS, iteration_range=(0, 4)).tobytes()
    assert model.describe()["best_iteration"] == 3
    booster.set_attr(best_iteration="9")
    with pytest.raises(ModelError, match="best iteration"):
        load_model(saved(booster, tmp_path / "m.json"))


def test_without_the_fast_symbol_the_numbers_are_the_same(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = load_model(model_file).predict(ROWS)
    monkeypatch.setattr(xgboost_runtime, "_dense_call", lambda *_: None)
    slow = load_model(model_file)
    assert slow.predict(ROWS).tobytes() == fast.tobytes()
    with pytest.raises(ModelError, match="refused the rows"):
        slow.predict(ROWS[:, :2])


def test_wrong_rows_are_refused_not_crashed(model_file: Path) -> None:
    with pytest.raises(ModelError, match="refused the rows"):
        load_model(model_file).predict(ROWS[:, :2])
    assert load_model(model_file).predict(ROWS.T.copy().T).shape == (50,)


@pytest.mark.parametrize("name", ["xgb-churn-prediction-model.json", "xgb-churn-prediction-model.tar.gz"])
def test_the_published_probabilities(name: str, churn: Path) -> None:
    model = load_model(churn / name)
    rows = np.loadtxt(churn / "validation.csv", delimiter=",", dtype=np.float32)[:201, 1:]
    with (churn / "validation_with_predictions.csv").open() as file:
        expected = [float(row["probability"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(model.predict(np.ascontiguousarray(rows)), expected, rtol=0, atol=1e-8)


def test_nothing_is_printed_while_a_legacy_model_loads(churn: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_model(churn / "xgb-churn-prediction-model.tar.gz")
    assert capfd.readouterr() == ("", "")


def test_the_raw_legacy_binary_and_a_tar_in_a_tar(churn: Path, tmp_path: Path) -> None:
    with tarfile.open(churn / "xgb-churn-prediction-model.tar.gz") as archive:
        member = archive.extractfile("xgboost-model")
        assert member is not None
        pickled = member.read()
    from driftline.serving.legacy_pickle import read_booster

    (tmp_path / "raw").write_bytes(read_booster(pickled, "x").handle)
    assert load_model(tmp_path / "raw").n_features == 69
    outer = tmp_path / "outer.tar"
    with tarfile.open(outer, "w") as archive:
        archive.add(churn / "xgb-churn-prediction-model.tar.gz", "model.tar.gz")
    with pytest.raises(ModelError, match="is not a model"):
        load_model(outer)


NOT_MODELS = {
    "empty": b"",
    "text": b"hello, I am no model",
    "json": b'{"learner": 3}',
    "deeper": b'{"learner": {"gradient_booster": {}}, "version": [3, 0, 5]}',
    "ubj": b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{",
    "pickle": pickle.dumps({"a": 1}),
    "gzip": b"\x1f\x8bxxxxxxxxxx",
    "tar": b"\0" * 257 + b"ustar" + b"\0" * 300,
    "legacy": b"\0" * 136 + b"\x01" + b"\0" * 7 + b"x" + b"\x06" + b"\0" * 7 + b"gbtree",
}


@pytest.mark.parametrize("kind", NOT_MODELS)
def test_a_file_that_is_no_model_says_what_to_do(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.json"
    path.write_bytes(NOT_MODELS[kind])
    with pytest.raises(ModelError, match=re.escape(str(path))) as caught:
        inspect_model(path) if kind == "legacy" else load_model(path)
    assert caught.value.hint


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(ModelError, match="cannot be read"):
            load_model(path)


def test_a_missing_library_names_the_extra(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(SetupError) as caught:
        load_model(model_file)
    assert "driftline[xgboost]" in caught.value.hint


def test_a_model_is_inspected_in_another_process(model_file: Path, tmp_path: Path) -> None:
    assert inspect_model(model_file) == load_model(model_file).describe()
    (tmp_path / "bad").write_bytes(b"bad")
    with pytest.raises(ModelError, match="is not a model") as caught:
        inspect_model(tmp_path / "bad")
    assert "beginning with" in caught.value.evidence
    with pytest.raises(ModelError, match=r"within 0\.01 s"):
        inspect_model(model_file, timeout=0.01)
    with pytest.raises(DriftlineError):
        inspect_model(model_file, memory=64 << 20)


def test_a_child_that_dies_is_a_model_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nkill -SEGV $$\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(ModelError, match="crashed its library") as caught:
        inspect_model(tmp_path / "model.json")
    assert "SIGSEGV" in caught.value.evidence


def test_the_child_writes_one_line_of_json(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    assert main([str(model_file), "1"]) == 0
    assert main([str(model_file.parent)]) == 2
    assert output.getvalue().count("\n") == 2


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_model_is_loaded_or_refused(seed: int, model_file: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    data = bytearray(model_file.read_bytes())
    for position in random.integers(0, len(data), 3):
        data[position] = random.integers(32, 127)
    path = tmp_path / "damaged"
    path.write_bytes(data if seed % 2 else data[: len(data) // (seed + 2)])
    refused: DriftlineError | None = None
    try:
        assert inspect_model(path)["runtime"] == "xgboost"
    except DriftlineError as error:
        refused = error
    assert refused is None or refused.hint
