"""XGBoost boosters through the library's C interface, which answers a row three times faster than its Python one."""

from __future__ import annotations

import ctypes
import json
import logging
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from driftline.core.errors import ModelError, SetupError
from driftline.serving.legacy_pickle import is_pickle, read_booster
from driftline.serving.libraries import imported

_log = logging.getLogger(__name__)
_ROWS = b'{"data":[%d,true],"shape":[%d,%d],"strides":null,"typestr":"<f4","version":3}'
_LEGACY_HEADER = 136
_Predict = Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]]
_SAVE_HINT = "save the model with booster.save_model('model.json') and deploy that file"


def recognises(data: bytes) -> bool:
    """Whether the bytes look like a booster: JSON or UBJ with a learner, the legacy binary, or a pickle of one."""
    return is_pickle(data) or _is_document(data) or _is_legacy(data)


def _is_document(data: bytes) -> bool:
    return data[:64].lstrip()[:1] == b"{" and b"learner" in data


def _is_legacy(data: bytes) -> bool:
    """The legacy binary has a fixed header, then the names of the objective and of the booster with their lengths."""
    body = data[4:] if data[:4] == b"binf" else data
    try:
        (length,) = struct.unpack_from("<Q", body, _LEGACY_HEADER)
        objective = body[_LEGACY_HEADER + 8 : _LEGACY_HEADER + 8 + min(length, 64)]
        (length,) = struct.unpack_from("<Q", body, _LEGACY_HEADER + 8 + len(objective))
    except struct.error:
        return False
    start = _LEGACY_HEADER + 16 + len(objective)
    return body[start : start + min(length, 64)] in (b"gbtree", b"gblinear", b"dart")


def load(data: bytes, source: str) -> XGBoostModel:
    """The booster in these bytes; ``source`` names the file in messages.

    Raises :class:`ModelError` for bytes that XGBoost cannot load or cannot predict with, :class:`SetupError` when
    XGBoost is not installed.
    """
    best: object = None
    legacy = not _is_document(data)
    kind = "json" if data[:64].lstrip()[1:2] in (b'"', b" ", b"\n", b"\r", b"\t") else "ubj"
    if is_pickle(data):
        pickled = read_booster(data, source)
        data, best = pickled.handle, pickled.attributes.get("best_iteration")
    booster = _booster(data, source, legacy=legacy)
    model = XGBoostModel(booster, source, best, "legacy" if legacy else kind)
    model.predict(np.full((1, model.n_features), np.nan, dtype=np.float32))
    return model


def _booster(data: bytes, source: str, *, legacy: bool) -> Any:
    xgboost = _library()
    with _logged(xgboost):
        booster = xgboost.Booster()
        try:
            booster.load_model(bytearray(data))
            # One thread: a row takes microseconds, and waking a pool takes longer than that.
            booster.set_param({"nthread": 1})
        except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
            hint = "the legacy binary format needs XGBoost 3.0.5 or older: pip install 'xgboost<3.1'; or " + _SAVE_HINT
            raise ModelError(
                f"{source} is not a model that XGBoost {xgboost.__version__} can load",
                evidence=str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__,
                hint=hint if legacy else _SAVE_HINT,
            ) from None
    return booster


def _library() -> Any:
    try:
        return imported("xgboost")
    except ImportError as error:
        raise SetupError(
            "this is an XGBoost model, and XGBoost is not installed or does not start",
            evidence=str(error),
            hint="pip install 'driftline[xgboost]'",
        ) from None


@contextmanager
def _logged(xgboost: Any) -> Iterator[None]:
    """Sends what the library would print to the log; its callback belongs to the thread that sets it."""
    library = xgboost.core._LIB
    callback = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(
        lambda text: _log.info("xgboost: %s", text.decode("utf-8", "replace").strip())
    )
    library.XGBRegisterLogCallback(callback)
    try:
        yield
    finally:
        library.XGBRegisterLogCallback(library.callback)


class XGBoostModel:
    """A booster that predicts on one thread, with the trees up to its best iteration."""

    plain_answers = False

    def __init__(self, booster: Any, source: str, best: object = None, kind: str = "json") -> None:
        self.booster, self._source, self._kind = booster, source, kind
        with _logged(_library()):
            self.n_features = int(booster.num_features())
            config = json.loads(booster.save_config())["learner"]
            self._rounds = _rounds(booster, config)
        if self.n_features < 1:
            raise ModelError(f"{source} has no features", hint=_SAVE_HINT)
        self.objective = str(config["objective"]["name"])
        self._best = _best_iteration(best if best is not None else booster.attr("best_iteration"), self._rounds, source)
        self.iterations = (0, 0 if self._best is None else self._best + 1)
        linear = self._rounds is None
        self._call = self._through_matrix if linear else _dense_call(booster, self.iterations) or self._slow

    def predict(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """What ``inplace_predict`` returns for a C-contiguous float32 block, bit for bit; [n] or [n, k].

        Raises :class:`ModelError` when XGBoost refuses the rows.
        """
        return self._call(rows)

    def _slow(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        try:
            result: npt.NDArray[Any] = self.booster.inplace_predict(rows, iteration_range=self.iterations)
        except ValueError as error:  # XGBoostError is one
            raise _refused(str(error)) from None
        return result

    def _through_matrix(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """Linear boosters cannot predict in place."""
        result: npt.NDArray[Any] = self.booster.predict(_library().DMatrix(rows, nthread=1), validate_features=False)
        return result

    def describe(self) -> dict[str, Any]:
        """Runtime, library version, file format, features, objective, rounds and best iteration (None: all)."""
        return {
            "runtime": "xgboost",
            "library": str(_library().__version__),
            "format": self._kind,
            "n_features": self.n_features,
            "objective": self.objective,
            "boosted_rounds": self._rounds,
            "best_iteration": self._best,
            "feature_names": self.booster.feature_names,
        }


def _rounds(booster: Any, config: dict[str, Any]) -> int | None:
    """How many rounds of trees there are; None for a linear booster, which has none."""
    return None if config["gradient_booster"]["name"] == "gblinear" else int(booster.num_boosted_rounds())


def _best_iteration(stated: object, rounds: int | None, source: str) -> int | None:
    if stated is None or rounds is None:
        return None
    try:
        best = int(str(stated))
    except ValueError:
        best = -1
    if not 0 <= best < rounds:
        raise ModelError(
            f"{source} states a best iteration that it does not have",
            evidence=f"best_iteration {str(stated)[:40]!r} of {rounds} rounds",
            hint=_SAVE_HINT,
        )
    return best


def _dense_call(booster: Any, iterations: tuple[int, int]) -> _Predict | None:
    """A function that predicts through ``XGBoosterPredictFromDense``, or None where the library has none."""
    library = _library().core._LIB
    try:
        function = library.XGBoosterPredictFromDense
    except AttributeError:
        return None
    handle, arguments, no_proxy = booster.handle, _arguments(iterations), ctypes.c_void_p()

    def call(rows: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        if rows.dtype != np.float32 or rows.ndim != 2 or not rows.flags.c_contiguous:
            rows = np.ascontiguousarray(rows, dtype=np.float32)
        n, k = rows.shape
        shape, dims, answers = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64(), ctypes.c_void_p()
        interface = _ROWS % (rows.__array_interface__["data"][0], n, k)
        status = function(
            handle,
            interface,
            arguments,
            no_proxy,
            ctypes.byref(shape),
            ctypes.byref(dims),
            ctypes.byref(answers),
        )
        if status != 0:
            raise _refused(library.XGBGetLastError().decode("utf-8", "replace"))
        # The buffer belongs to the library and this thread's next call overwrites it: copied at once.
        outputs = shape[1] if dims.value > 1 else 1
        result = np.frombuffer(ctypes.string_at(answers.value or 0, 4 * n * outputs), dtype=np.float32)
        return result.reshape(n, outputs) if outputs > 1 else result

    return call


def _arguments(iterations: tuple[int, int]) -> bytes:
    return json.dumps(
        {
            "type": 0,
            "training": False,
            "iteration_begin": iterations[0],
            "iteration_end": iterations[1],
            "missing": float("nan"),
            "strict_shape": False,
            "cache_id": 0,
        }
    ).encode()


def _refused(reason: str) -> ModelError:
    first = reason.strip().splitlines()[0][:300] if reason.strip() else "no reason given"
    return ModelError("the model refused the rows", evidence=first, hint="check the values against the training data")
