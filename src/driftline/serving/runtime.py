"""Models, whatever library they come from: one protocol, and one way to load a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from driftline.core.errors import ModelError, TooLargeError
from driftline.serving import lightgbm_runtime, onnx_runtime, sklearn_runtime, tensorflow_runtime, xgboost_runtime
from driftline.serving.archive import is_archive, model_member

MAX_FILE_BYTES = 2 << 30
_EXPECTED = (
    "an XGBoost model (JSON, UBJ, the legacy binary, or a pickled booster), a LightGBM text model, an ONNX model, "
    "or a scikit-learn model saved by skops, by itself or inside a model.tar.gz; or a SavedModel in a model.tar.gz"
)


class Model(Protocol):
    """A loaded model. ``n_features`` is the number of columns a row must have."""

    n_features: int
    plain_answers: bool
    """Whether answers in JSON are bare numbers, and not objects with a score."""

    def predict(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """One answer a row of a C-contiguous [n, n_features] block, NaN being missing: [n], or [n, k] for k outputs."""

    def describe(self) -> dict[str, Any]:
        """What the model is, as plain values: runtime, format, features, outputs, objective."""


class Runtime(Protocol):
    """What a module must offer for its models to be served; see :data:`RUNTIMES`."""

    def recognises(self, data: bytes) -> bool:
        """Whether these bytes look like one of this runtime's models; cheap, and never an error."""

    def load(self, data: bytes, source: str) -> Model:
        """The model; :class:`ModelError` if it is none after all, :class:`SetupError` if a library is missing."""


# Asked in this order: scikit-learn's pickles come before any pickle, and ONNX, with the weakest mark, last.
# A further runtime is one more module with the two functions of Runtime.
RUNTIMES: tuple[Runtime, ...] = (sklearn_runtime, xgboost_runtime, lightgbm_runtime, onnx_runtime)


def load_model(path: Path) -> Model:
    """The model in a file, recognised by its content; the file's name is not trusted.

    Raises :class:`ModelError` naming the file, what was expected and what to do; :class:`SetupError` when the
    library that the model needs is not installed.
    """
    data, source = _read(path), str(path)
    if tensorflow_runtime.recognises(data):  # whose archive is the model, and not one file of it
        return tensorflow_runtime.load(data, source)
    if is_archive(data):
        member = model_member(data, source)
        data, source = member.data, f"{member.name} in {path}"
    for runtime in RUNTIMES:
        if runtime.recognises(data):
            return runtime.load(data, source)
    raise ModelError(
        f"{source} is not a model",
        evidence=f"{len(data):,} bytes, beginning with {data[:40]!r}",
        hint=f"expected {_EXPECTED}",
    )


def _read(path: Path) -> bytes:
    try:
        if path.is_file() and path.stat().st_size > MAX_FILE_BYTES:
            raise TooLargeError(f"{path} is larger than {MAX_FILE_BYTES:,} bytes", hint=f"expected {_EXPECTED}")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ModelError(
            f"the model file {path} cannot be read", evidence=str(reason), hint="check the path and its permissions"
        ) from None
