"""SavedModels: answered as TensorFlow answers, and refused when their graph reaches beyond itself."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.core.errors import ModelError, SetupError
from driftline.serving import tensorflow_runtime
from driftline.serving.inspect import inspect_model
from driftline.serving.payload import JSON, format_answer, parse
from driftline.serving.runtime import load_model

ROWS = np.array([[1, 2], [3, 4.5]], dtype=np.float32)


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def saved(tensorflow: Any, folder: Path, answer: Any, *, version: str = "1", width: int = 2) -> Path:
    """A SavedModel in an archive, whose signature answers with a function of its input and a variable of 3."""

    class Module(tensorflow.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            self.factor = tensorflow.Variable(3.0)

        @tensorflow.function(input_signature=[tensorflow.TensorSpec([None, width], tensorflow.float32)])
        def serve(self, x: Any) -> Any:
            return {"y": answer(x, self.factor)}

    module = Module()
    tensorflow.saved_model.save(module, str(folder / version), signatures=module.serve)
    files = {path.relative_to(folder.parent).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}
    path = folder.parent / "model.tar.gz"
    path.write_bytes(archive(files))
    return path


def test_an_archive_with_a_saved_model_is_known_by_its_name() -> None:
    assert tensorflow_runtime.recognises(archive({"m/1/saved_model.pb": b"", "m/1/variables/x": b""}))
    assert not tensorflow_runtime.recognises(archive({"xgboost-model": b""}))
    assert not tensorflow_runtime.recognises(archive({"../saved_model.pb": b""}))
    assert not tensorflow_runtime.recognises(b"\x1f\x8bbroken")


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorflow", None)
    path = tmp_path / "model.tar.gz"
    path.write_bytes(archive({"saved_model.pb": b""}))
    with pytest.raises(SetupError, match=r"driftline\[tensorflow\]"):
        load_model(path)


def test_rows_of_one_feature_may_be_bare_numbers_in_and_out() -> None:
    assert parse(b'{"instances": [1.0, 2.0, 5]}', JSON, 1) == np.array([1, 2, 5], dtype="<f4").tobytes()
    assert format_answer([2.5, 3.0], JSON, plain=True) == b'{"predictions":[2.5,3.0]}'


def test_answers_are_those_of_the_graph(tmp_path: Path) -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="the extra tensorflow is not installed")
    path = saved(tensorflow, tmp_path / "m", lambda x, factor: tensorflow.reduce_sum(x, 1) * factor)
    assert inspect_model(path)["n_features"] == 2
    np.testing.assert_allclose(load_model(path).predict(ROWS), ROWS.sum(axis=1) * 3)


def test_of_several_versions_the_newest_answers(tmp_path: Path) -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="the extra tensorflow is not installed")
    saved(tensorflow, tmp_path / "m", lambda x, factor: x * factor, version="9")
    path = saved(tensorflow, tmp_path / "m", lambda x, factor: x * factor + 1, version="10")
    np.testing.assert_allclose(load_model(path).predict(ROWS), ROWS * 3 + 1)


@pytest.mark.parametrize("operation", ["write", "python", "print"])
def test_a_graph_that_reaches_out_is_refused_before_it_runs(tmp_path: Path, operation: str) -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="the extra tensorflow is not installed")
    target = tmp_path / "written"

    def answer(x: Any, factor: Any) -> Any:
        if operation == "write":
            tensorflow.io.write_file(str(target), "x")
        elif operation == "print":
            tensorflow.print(x, output_stream=f"file://{target}")
        else:
            return tensorflow.numpy_function(lambda rows: rows, [x], tensorflow.float32)
        return x * factor

    path = saved(tensorflow, tmp_path / "m", answer)
    with pytest.raises(ModelError, match="operations on files or Python"):
        load_model(path)
    assert not target.exists()
