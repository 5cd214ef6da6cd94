"""ONNX models: the original library's numbers, every kind of output, files that are none, and a real server."""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from driftline.core import records
from driftline.core.errors import DriftlineError, ModelError, SetupError
from driftline.serving.inspect import inspect_model
from driftline.serving.onnx_bytes import class_labels, has_external_data, is_model
from driftline.serving.runtime import load_model

onnx = pytest.importorskip("onnx")
skl2onnx = pytest.importorskip("skl2onnx")

ROWS = np.random.default_rng(3).normal(size=(60, 3)).astype(np.float32)
ROWS.flags.writeable = False
TEXTS = np.array(["low", "middle", "high"])[np.digitize(ROWS[:, 0], [-0.5, 0.5])]
NUMBERS = (ROWS[:, 0] > 0).astype(int)
FLOAT = onnx.TensorProto.FLOAT


def converted(model: Any, zipmap: bool = False, dtype: type = np.float32) -> bytes:
    options = {} if isinstance(model, LinearRegression) else {"zipmap": zipmap}
    document = skl2onnx.to_onnx(model, ROWS[:1].astype(dtype), options=options, target_opset=15)
    result: bytes = document.SerializeToString()
    return result


def graph(nodes: list[Any], inputs: list[Any], outputs: list[Any], tensors: tuple[Any, ...] = ()) -> bytes:
    body = onnx.helper.make_graph(nodes, "g", inputs, outputs, list(tensors))
    model = onnx.helper.make_model(body, opset_imports=[onnx.helper.make_opsetid("", 15)], ir_version=8)
    result: bytes = model.SerializeToString()
    return result


def value(name: str, shape: list[Any], kind: int = FLOAT) -> Any:
    return onnx.helper.make_tensor_value_info(name, kind, shape)


def load(data: bytes, tmp_path: Path) -> Any:
    (tmp_path / "no-suffix").write_bytes(data)
    return load_model(tmp_path / "no-suffix")


@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("labels", [NUMBERS, TEXTS], ids=["binary", "multiclass"])
@pytest.mark.parametrize("trained", [LogisticRegression(), RandomForestClassifier(4)], ids=["logistic", "forest"])
def test_the_probabilities_of_a_classifier(trained: Any, labels: Any, zipmap: bool, tmp_path: Path) -> None:
    trained.fit(ROWS, labels)
    model = load(converted(trained, zipmap), tmp_path)
    expected = trained.predict_proba(ROWS)
    two = expected.shape[1] == 2
    np.testing.assert_allclose(model.predict(ROWS), expected[:, 1] if two else expected, rtol=0, atol=1e-6)
    described = model.describe()
    assert described["classes"] == trained.classes_.tolist()
    assert (described["objective"], described["n_features"]) == ("binary" if two else "multiclass", 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("targets", [ROWS[:, 0] * 2, ROWS[:, :2]], ids=["one", "two"])
def test_the_values_of_a_regression(targets: Any, dtype: type, tmp_path: Path) -> None:
    trained = LinearRegression().fit(ROWS, targets)
    model = load(converted(trained, dtype=dtype), tmp_path)
    np.testing.assert_allclose(model.predict(ROWS), trained.predict(ROWS), rtol=0, atol=1e-6)
    assert model.describe()["objective"] == "regression"
    assert model.describe()["classes"] is None


def test_several_inputs_take_the_columns_in_order(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Concat", ["b", "a"], ["y"], axis=1)
    data = graph([node], [value("a", [None, 1]), value("b", ["n", 2])], [value("y", [None, 3])])
    np.testing.assert_array_equal(load(data, tmp_path).predict(ROWS), ROWS[:, [1, 2, 0]])


@pytest.mark.parametrize(
    ("shape", "kind"), [([None, None], FLOAT), ([1, 3], FLOAT), ([None], FLOAT), ([None, 3], onnx.TensorProto.INT64)]
)
def test_inputs_that_are_no_rows_of_floats(shape: list[Any], kind: int, tmp_path: Path) -> None:
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    with pytest.raises(ModelError, match="does not take rows") as caught:
        load(graph([node], [value("x", shape, kind)], [value("y", shape, kind)]), tmp_path)
    assert "input x" in caught.value.evidence


def test_outputs_that_are_no_numbers_and_of_another_length(tmp_path: Path) -> None:
    cast = onnx.helper.make_node("Cast", ["x"], ["y"], to=onnx.TensorProto.INT64)
    with pytest.raises(ModelError, match="no output of numbers"):
        load(graph([cast], [value("x", [None, 3])], [value("y", [None, 3], onnx.TensorProto.INT64)]), tmp_path)
    twice = onnx.helper.make_node("Concat", ["x", "x"], ["y"], axis=0)
    with pytest.raises(ModelError, match="can load") as caught:
        load(graph([twice], [value("x", [None, 3])], [value("y", [None, 3])]), tmp_path)
    assert "for 1 rows" in caught.value.evidence


def test_values_in_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\0" * 12)
    tensor = onnx.TensorProto(name="w", dims=[1, 3], data_type=FLOAT, data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="secret")
    node = onnx.helper.make_node("Add", ["x", "w"], ["y"])
    data = graph([node], [value("x", [None, 3])], [value("y", [None, 3])], (tensor,))
    assert has_external_data(data)
    with pytest.raises(ModelError, match="in other files"):
        load(data, tmp_path)
    inside = onnx.helper.make_node("Constant", [], ["w"], value=tensor)
    assert has_external_data(graph([inside, node], [value("x", [None, 3])], [value("y", [None, 3])]))
    plain = onnx.helper.make_node("Identity", ["location"], ["y"])
    assert not has_external_data(graph([plain], [value("location", [None, 3])], [value("y", [None, 3])]))


def test_wrong_rows_are_refused(tmp_path: Path) -> None:
    model = load(converted(LinearRegression().fit(ROWS, NUMBERS)), tmp_path)
    with pytest.raises(ModelError, match="refused the rows"):
        model.predict(ROWS[:, :2])


def test_a_missing_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = converted(LinearRegression().fit(ROWS, NUMBERS))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(SetupError) as caught:
        load(data, tmp_path)
    assert "driftline[onnx]" in caught.value.hint


def test_inside_an_archive_and_in_another_process(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(converted(LogisticRegression().fit(ROWS, TEXTS)))
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(path, path.name)
    assert inspect_model(tmp_path / "model.tar.gz") == load_model(path).describe()
    whole = path.read_bytes()
    for damaged in (whole[:-200], whole.replace(b"probabilities", b"\xa7" * 13)):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match="ONNX Runtime"):
            load_model(path)
    assert capfd.readouterr() == ("", "")


def test_bytes_that_are_no_model_are_not_recognised() -> None:
    random = np.random.default_rng(1)
    for data in (b"", b"\x08", b"\x08\x08", b"tree\n", b"{}", b"PK\x03\x04", b"\xff" * 40, b"\x3b\x00", b"\x38\x01"):
        assert not is_model(data)
        assert class_labels(data) is None
    assert sum(is_model(random.bytes(300)) for _ in range(2000)) < 100


@pytest.mark.parametrize("seed", range(3))
def test_changed_bytes_are_loaded_or_refused(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    data = bytearray(converted(RandomForestClassifier(2, random_state=1).fit(ROWS, NUMBERS)))
    for position in random.integers(0, len(data), 3):
        data[position] = random.integers(0, 256)
    path = tmp_path / "damaged"
    path.write_bytes(data)
    refused: DriftlineError | None = None
    try:
        assert inspect_model(path)["runtime"] in ("onnx", "sklearn", "xgboost")
    except DriftlineError as error:
        refused = error
    assert refused is None or refused.hint


def test_several_classes_over_http(tmp_path: Path, serve: Callable[..., Any]) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(converted(LogisticRegression().fit(ROWS, TEXTS), zipmap=True))
    server = serve(tmp_path / "captures", path)
    body = "\n".join(",".join(map(repr, row)) for row in ROWS[:4].tolist())
    expected = load_model(path).predict(ROWS[:4]).tolist()
    found = [[float(cell) for cell in line.split(",")] for line in server.post(body).text.splitlines()]
    assert found == expected
    document = server.post(body, Accept="application/json").json()
    assert document == {"predictions": [{"scores": scores} for scores in expected]}
    (file,) = (tmp_path / "captures").rglob("*.jsonl")
    assert len([records.decode_capture(line) for line in file.read_bytes().splitlines()]) == 2
