"""LightGBM models: the library's own numbers, damaged files, and a real server."""

from __future__ import annotations

import re
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from driftline.core import records
from driftline.core.errors import DriftlineError, ModelError, SetupError
from driftline.serving.inspect import inspect_model
from driftline.serving.runtime import load_model

ROWS = np.random.default_rng(3).normal(size=(300, 3)).astype(np.float32)
ROWS[:, 2] = np.abs(np.round(ROWS[:, 2] * 2))
CLASSES = np.digitize(ROWS[:, 0], [-0.5, 0.5])
VALUES = ROWS[:, 0] + np.isin(ROWS[:, 2], (1, 3)) * 2
BINARY = VALUES > 0.5
HOLED = ROWS.copy()
HOLED[3, 0] = HOLED[7] = np.nan
HOLED.flags.writeable = False


def train(objective: str = "binary", rounds: int = 8, **more: Any) -> Any:
    labels = {"multiclass": CLASSES, "multiclassova": CLASSES, "regression": VALUES}.get(objective, BINARY)
    classes = {"num_class": 3} if "multi" in objective else {}
    settings = {"objective": objective, "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, "num_leaves": 7}
    settings |= {
        "min_data_per_group": 5,
        "cat_smooth": 1,
        "max_cat_to_onehot": 1,
        **classes,
        **more.pop("settings", {}),
    }
    data = lightgbm.Dataset(ROWS, labels, categorical_feature=[2], params={"verbosity": -1})
    return lightgbm.train(settings, data, rounds, **more)


def saved(booster: Any, path: Path) -> Path:
    path.write_text(booster.model_to_string())
    return path


@pytest.fixture(scope="module")
def binary() -> Any:
    return train()


@pytest.mark.parametrize("objective", ["binary", "multiclass", "multiclassova", "regression", "cross_entropy"])
def test_the_numbers_are_the_librarys(objective: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    booster = train(objective)
    model = load_model(saved(booster, tmp_path / "no-suffix"))
    for block in (HOLED, HOLED[:1]):
        np.testing.assert_array_equal(model.predict(block), booster.predict(block))
    described = model.describe()
    assert described["objective"].split()[0] == objective
    assert described["classes"] == ([0, 1, 2] if "multi" in objective else None)
    assert (described["n_features"], described["boosted_rounds"]) == (3, 8)
    assert capfd.readouterr() == ("", "")


def test_the_best_iteration_is_honoured(tmp_path: Path) -> None:
    noise = lightgbm.Dataset(ROWS[::-1].copy(), BINARY, categorical_feature=[2])
    stop = lightgbm.early_stopping(2, verbose=False)
    booster = train(rounds=30, valid_sets=[noise], callbacks=[stop], keep_training_booster=True)
    assert 0 < booster.best_iteration < booster.current_iteration()
    model = load_model(saved(booster, tmp_path / "m"))
    np.testing.assert_array_equal(model.predict(HOLED), booster.predict(HOLED))
    assert model.describe()["boosted_rounds"] == booster.best_iteration


def test_linear_leaves(tmp_path: Path) -> None:
    booster = train("regression", settings={"linear_tree": True})
    np.testing.assert_array_equal(load_model(saved(booster, tmp_path / "m")).predict(HOLED), booster.predict(HOLED))
    damaged = re.sub("leaf_features=[^0-9]*[0-9]", "leaf_features=9", booster.model_to_string())
    (tmp_path / "m").write_text(re.sub("tree_sizes=.*\n", "", damaged))
    with pytest.raises(ModelError, match="not a model"):
        load_model(tmp_path / "m")


def test_windows_line_ends(binary: Any, tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(binary.model_to_string().replace("\n", "\r\n").encode())
    np.testing.assert_array_equal(load_model(path).predict(HOLED), binary.predict(HOLED))


def test_wrong_rows_are_refused(binary: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="refused the rows"):
        load_model(saved(binary, tmp_path / "m")).predict(ROWS[:, :2])


def test_a_missing_library_names_the_extra(binary: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(binary, tmp_path / "m")
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(SetupError) as caught:
        load_model(path)
    assert "driftline[lightgbm]" in caught.value.hint


def test_inside_an_archive_and_in_another_process(binary: Any, tmp_path: Path) -> None:
    path = saved(binary, tmp_path / "model.txt")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(path, path.name)
    assert inspect_model(tmp_path / "model.tar.gz") == load_model(path).describe()


DAMAGES = {
    "cut in a tree": lambda text: text[: text.index("Tree=5")],
    "cut in the header": lambda text: text[:200],
    "a child outside": lambda text: re.sub("left_child=[-0-9]+", "left_child=99999", text, count=1),
    "a leaf outside": lambda text: re.sub("right_child=[-0-9]+", "right_child=-9999", text, count=1),
    "a cycle": lambda text: re.sub("left_child=[-0-9]+", "left_child=0", text, count=1),
    "a column outside": lambda text: re.sub("split_feature=[0-9]+", "split_feature=9", text, count=1),
    "words for numbers": lambda text: re.sub("leaf_value=[-.0-9]+", "leaf_value=abc", text, count=1),
    "too many leaves": lambda text: text.replace("num_leaves=", "num_leaves=9", 1),
    "categories outside": lambda text: re.sub("cat_boundaries=0 [0-9]+", "cat_boundaries=0 9999", text, count=1),
    "no columns": lambda text: re.sub("max_feature_idx=.*", "max_feature_idx=-1", text),
    "no text": lambda text: text.replace("Tree=1", "Tree=\0"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_file_is_refused_before_the_library_sees_it(kind: str, binary: Any, tmp_path: Path) -> None:
    path, text = tmp_path / "model.txt", binary.model_to_string()
    damaged = DAMAGES[kind](text)
    assert damaged != text
    if "cut" not in kind:  # the sizes of trees are right
        blocks = re.split(r"(?=^Tree=)", damaged.partition("end of trees")[0], flags=re.MULTILINE)[1:]
        sizes = " ".join(str(len(block)) for block in blocks)
        damaged = re.sub("tree_sizes=.*", f"tree_sizes={sizes}", damaged)
    path.write_text(damaged)
    with pytest.raises(ModelError, match=re.escape(str(path))) as caught:
        load_model(path)
    assert caught.value.hint


@pytest.mark.parametrize("seed", range(3))
def test_changed_bytes_are_loaded_or_refused(seed: int, binary: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    data = bytearray(binary.model_to_string().encode())
    for position in random.integers(0, len(data), 3):
        data[position] = random.integers(32, 127)
    path = tmp_path / "damaged"
    path.write_bytes(data)
    refused: DriftlineError | None = None
    try:
        assert inspect_model(path)["runtime"] == "lightgbm"
    except DriftlineError as error:
        refused = error
    assert refused is None or refused.hint


def test_several_classes_over_http(tmp_path: Path, serve: Callable[..., Any]) -> None:
    booster = train("multiclass")
    server = serve(tmp_path / "captures", saved(booster, tmp_path / "model.txt"))
    answer = server.post("\n".join(",".join(map(repr, row)) for row in ROWS[:4].tolist()))
    found = [[float(cell) for cell in line.split(",")] for line in answer.text.splitlines()]
    assert found == booster.predict(ROWS[:4]).tolist()
    document = server.post(",,", Accept="application/json").json()
    assert document == {"predictions": [{"scores": booster.predict(np.full((1, 3), np.nan))[0].tolist()}]}
    (file,) = (tmp_path / "captures").rglob("*.jsonl")
    assert len([records.decode_capture(line) for line in file.read_bytes().splitlines()]) == 2
