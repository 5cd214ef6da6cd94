"""ONNX models through ONNX Runtime, on the processor and on one thread."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.core.errors import ModelError
from driftline.serving.libraries import block, first_line, library, refused_rows
from driftline.serving.onnx_bytes import class_labels, has_external_data, is_model

_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}
_HINT = "convert with one input of floats [None, number of features], and save the model as one file"
_QUIET = 4


def recognises(data: bytes) -> bool:
    """Whether the bytes begin like an ONNX model."""
    return is_model(data)


def load(data: bytes, source: str) -> OnnxModel:
    """The model in these bytes; ``source`` names the file in messages.

    Raises :class:`ModelError` for one that is damaged, needs other files, or does not map rows of numbers to numbers,
    :class:`SetupError` when ONNX Runtime is not installed.
    """
    runtime = library("onnxruntime", "ONNX Runtime", "onnx")
    try:
        if has_external_data(data):
            raise ModelError(f"{source} keeps values in other files", hint=_HINT)
        providers = ["CPUExecutionProvider"]
        session = runtime.InferenceSession(data, _options(runtime), providers=providers, enable_fallback=0)
        return OnnxModel(session, source, class_labels(data))
    except ModelError:
        raise
    except Exception as error:  # the library's errors share no class of their own
        what = f"{source} is not a model that ONNX Runtime {runtime.__version__} can load"
        raise ModelError(what, evidence=first_line(error), hint=_HINT) from None


def _options(runtime: Any) -> Any:
    options = runtime.SessionOptions()
    # A row takes microseconds, and waking a pool takes longer than that.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    return options


class _Input(NamedTuple):
    name: str
    width: int
    dtype: type


def _inputs(session: Any, source: str) -> list[_Input]:
    """Every input a block of numbers [any number of rows, width]; they take the columns in their order."""
    found = []
    for entry in session.get_inputs():
        shape = entry.shape
        free_rows = len(shape) == 2 and not isinstance(shape[0], int)
        if entry.type not in _TYPES or not free_rows or not isinstance(shape[1], int) or shape[1] < 1:
            evidence = f"input {entry.name}: {entry.type} of shape {shape}"[:300]
            raise ModelError(f"{source} does not take rows of a known number of floats", evidence=evidence, hint=_HINT)
        found.append(_Input(entry.name, shape[1], _TYPES[entry.type]))
    if not found:
        raise ModelError(f"{source} has no inputs", hint=_HINT)
    return found


def _answer(session: Any, source: str) -> Any:
    """The output to answer with: probabilities if there are some, else the first one of numbers."""
    outputs = session.get_outputs()
    maps = [output for output in outputs if output.type.startswith("seq(map(")]
    numbers = [output for output in outputs if output.type in _TYPES]
    named = [output for output in numbers if "prob" in output.name.lower()]
    for output in (*maps, *named, *numbers):
        return output
    evidence = ", ".join(f"{output.name}: {output.type}" for output in outputs)[:300]
    raise ModelError(f"{source} has no output of numbers", evidence=evidence, hint=_HINT)


class OnnxModel:
    """A session. With an output of labels beside its numbers it is a classifier, and two columns are binary."""

    plain_answers = False

    def __init__(self, session: Any, source: str, classes: list[str] | list[int] | None) -> None:
        self._session, self._inputs = session, _inputs(session, source)
        self.n_features = sum(entry.width for entry in self._inputs)
        answer = _answer(session, source)
        self._maps = answer.type.startswith("seq(map(")
        labelled = any(output.type in ("tensor(int64)", "tensor(string)") for output in session.get_outputs())
        self._classifier = self._maps or (labelled and answer.type in _TYPES)
        self._wanted, self._classes = [answer.name], classes
        probe = self._run(np.zeros((1, self.n_features), dtype=np.float32))
        if self._maps:
            self._classes = list(probe[0])
        outputs = self._block(probe, 1).shape[1]
        if self._classifier:
            self._problem = "binary" if outputs <= 2 else "multiclass"
        else:
            self._problem = "regression"

    def predict(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """The positive class's probability [n], every class's [n, k], or the values [n] or [n, k].

        Raises :class:`ModelError` when ONNX Runtime refuses the rows.
        """
        rows = block(rows, self.n_features)
        try:
            answers = self._block(self._run(rows), len(rows))
        except Exception as error:
            raise refused_rows(first_line(error)) from None
        return answers[:, -1] if self._problem == "binary" or answers.shape[1] == 1 else answers

    def _run(self, rows: npt.NDArray[np.float32]) -> Any:
        start, feeds = 0, dict[str, npt.NDArray[Any]]()
        for name, width, dtype in self._inputs:
            feeds[name] = np.ascontiguousarray(rows[:, start : start + width], dtype=dtype)
            start += width
        return self._session.run(self._wanted, feeds)[0]

    def _block(self, answers: Any, count: int) -> npt.NDArray[Any]:
        if self._maps:
            answers = [[answer[label] for label in self._classes or ()] for answer in answers]
        result: npt.NDArray[Any] = np.asarray(answers)
        if result.ndim == 1:
            result = result.reshape(-1, 1)
        if result.ndim != 2 or len(result) != count or result.shape[1] < 1:
            raise ValueError(f"answers of shape {result.shape} for {count} rows")
        return result

    def describe(self) -> dict[str, Any]:
        """Runtime, library version, features, problem (binary, multiclass, regression), classes, output, producer."""
        meta = self._session.get_modelmeta()
        return {
            "runtime": "onnx",
            "library": str(library("onnxruntime", "ONNX Runtime", "onnx").__version__),
            "format": "onnx",
            "n_features": self.n_features,
            "objective": self._problem,
            "classes": self._classes if self._classifier else None,
            "output": self._wanted[0],
            "producer": str(meta.producer_name),
        }
