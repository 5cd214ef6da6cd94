"""scikit-learn models written by ``skops.io.dump``: no code of theirs runs, and only known types are built."""

from __future__ import annotations

import io
import logging
import warnings
import zipfile
import zlib
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from driftline.core.errors import ModelError, TooLargeError
from driftline.serving.legacy_pickle import is_pickle
from driftline.serving.libraries import block, first_line, library, refused_rows
from driftline.serving.sklearn_parts import check_trees, parts

_log = logging.getLogger(__name__)
MAX_BYTES = 2 << 30
_KERNELS = (
    "CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation Matern Product RBF RationalQuadratic Sum "
    "WhiteKernel"
)
# Types that skops leaves to its user. All are plain Python, except the two kinds of tree: their compiled code
# follows indices unchecked, so sklearn_parts checks every one before the first prediction.
TRUSTED = (
    "functools.partial",  # whose function must be trusted too
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    *(f"sklearn.gaussian_process.kernels.{kernel}" for kernel in _KERNELS.split()),
    "sklearn.multiclass._ConstantPredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)
_SAVE_HINT = "save the model with skops.io.dump(model, 'model.skops') and deploy that file"


def recognises(data: bytes) -> bool:
    """Whether the bytes look like a file of skops, or like a pickle of a scikit-learn model, which is refused."""
    return (data[:4] == b"PK\x03\x04" and b"schema.json" in data) or _is_pickled(data)


def _is_pickled(data: bytes) -> bool:
    """A pickle as ``pickle`` or ``joblib`` writes it, that names scikit-learn and no XGBoost."""
    if data[:1] == b"\x78":  # joblib with compress=True
        try:
            return is_pickle(zlib.decompressobj().decompress(data[:4096], 64))
        except zlib.error:
            return False
    pickled = is_pickle(data) or data.startswith(b"ccopy_reg\n")
    return pickled and b"sklearn" in data and b"xgboost" not in data


def load(data: bytes, source: str) -> SklearnModel:
    """The model in these bytes; ``source`` names the file in messages.

    Raises :class:`ModelError` for a pickle, for a file with types outside :data:`TRUSTED` and those of skops itself,
    for one that is damaged, and for anything but a classifier with probabilities or a regressor;
    :class:`SetupError` when skops or scikit-learn is not installed.
    """
    if data[:4] != b"PK\x03\x04":
        hint = "pickles can run code and are not loaded; " + _SAVE_HINT
        raise ModelError(f"{source} is a pickle, as pickle or joblib write it", evidence=repr(data[:40]), hint=hint)
    skops = library("skops.io", "scikit-learn and skops", "sklearn")
    _check_size(data, source)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator = _estimator(skops, data, source)
        model = SklearnModel(estimator, source)
    for warning in caught:  # such as a model of another release of scikit-learn
        _log.warning("%s: %s", source, warning.message)
    return model


def _check_size(data: bytes, source: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except Exception as error:
        raise _damaged(source, error) from None
    if size > MAX_BYTES:
        raise TooLargeError(
            f"{source} unpacks to more than {MAX_BYTES:,} bytes", evidence=f"{size:,} bytes", hint=_SAVE_HINT
        )


def _estimator(skops: Any, data: bytes, source: str) -> Any:
    try:
        foreign = sorted({str(name) for name in skops.get_untrusted_types(data=data)}.difference(TRUSTED))
        if not foreign:
            return skops.loads(data, trusted=list(TRUSTED))
    except Exception as error:  # a damaged schema makes skops fail in every way there is
        raise _damaged(source, error) from None
    hint = "only types of scikit-learn and numpy are loaded; leave out custom steps, or convert the model to ONNX"
    if any("neighbors" in name for name in foreign):
        hint += "; nearest neighbours are loaded when fitted with algorithm='brute'"
    raise ModelError(f"{source} holds types that are not trusted", evidence=", ".join(foreign)[:500], hint=hint)


def _damaged(source: str, error: Exception) -> ModelError:
    return ModelError(f"{source} is not a model that skops can load", evidence=first_line(error), hint=_SAVE_HINT)


class SklearnModel:
    """A classifier that answers with probabilities, or a regressor; on one thread wherever it can be told to."""

    plain_answers = False

    def __init__(self, estimator: Any, source: str) -> None:
        self.estimator, self.problem = estimator, _problem(estimator, source)
        try:
            self.n_features = int(estimator.n_features_in_)
            names = getattr(estimator, "feature_names_in_", None)
            self._names = None if names is None else [str(name) for name in names]
            classes = getattr(estimator, "classes_", None) if self.problem != "regression" else None
            self._classes = None if classes is None else np.asarray(classes).tolist()
            members = list(parts(estimator))
            check_trees(members)
            _prepare(members)
            self._threads = _pool(members)
            self.predict(np.zeros((1, self.n_features), dtype=np.float32))
        except Exception as error:
            evidence = first_line(error) if not isinstance(error, ModelError) else error.evidence or error.what
            hint = "deploy a fitted classifier or regressor that takes a row of numbers; " + _SAVE_HINT
            raise ModelError(f"{source} is a model that cannot predict", evidence=evidence, hint=hint) from None

    def predict(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """The positive class's probability [n], every class's [n, k], or a regression's values [n] or [n, k].

        Raises :class:`ModelError` when the model refuses the rows: many take no missing values.
        """
        rows = block(rows, self.n_features)
        regression = self.problem == "regression"
        try:
            with self._threads.limit(limits=1) if self._threads else nullcontext():
                answers = self.estimator.predict(rows) if regression else self.estimator.predict_proba(rows)
            result: npt.NDArray[Any] = np.asarray(answers, dtype=np.float64)
        except Exception as error:
            raise refused_rows(first_line(error)) from None
        if result.shape[:1] != (len(rows),) or result.ndim > 2:
            raise refused_rows(f"answers of shape {result.shape} for {len(rows)} rows")
        if self.problem == "binary" and result.ndim == 2:
            return result[:, -1]
        return result[:, 0] if result.shape[1:] == (1,) else result

    def margin(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """What the answers are made of, [n, k]: ``decision_function``, a boosting's raw sums, else the answers.

        Raises :class:`ModelError` when the model refuses the rows.
        """
        rows = block(rows, self.n_features)
        raw = getattr(self.estimator, "decision_function", None) or getattr(self.estimator, "_raw_predict", None)
        if raw is None:
            return np.asarray(self.predict(rows), dtype=np.float64).reshape(len(rows), -1)
        try:
            with self._threads.limit(limits=1) if self._threads else nullcontext():
                return np.asarray(raw(rows), dtype=np.float64).reshape(len(rows), -1)
        except Exception as error:
            raise refused_rows(first_line(error)) from None

    def describe(self) -> dict[str, Any]:
        """Runtime, library versions, features, problem (binary, multiclass, regression), classes and estimator."""
        return {
            "runtime": "sklearn",
            "library": str(library("sklearn", "scikit-learn", "sklearn").__version__),
            "format": "skops",
            "n_features": self.n_features,
            "objective": self.problem,
            "classes": self._classes,
            "estimator": type(self.estimator).__name__,
            "feature_names": self._names,
        }


def _problem(estimator: Any, source: str) -> str:
    from sklearn.base import BaseEstimator, is_classifier, is_regressor

    try:
        known = isinstance(estimator, BaseEstimator)
        if known and is_regressor(estimator):
            return "regression"
        if known and is_classifier(estimator) and hasattr(estimator, "predict_proba"):
            return "binary" if len(estimator.classes_) <= 2 else "multiclass"
    except Exception as error:
        raise _damaged(source, error) from None
    raise ModelError(
        f"{source} is neither a classifier with probabilities nor a regressor",
        evidence=type(estimator).__name__,
        hint="fit a classifier without predict_proba inside sklearn.calibration.CalibratedClassifierCV",
    )


def _prepare(members: list[Any]) -> None:
    """Rows come without names and are answered on this thread: neither is to be warned of, or to start threads."""
    for member in members:
        state = vars(member) if hasattr(member, "__dict__") else {}
        state.pop("feature_names_in_", None)
        state.pop("_sklearn_output_config", None)
        if "n_jobs" in state:
            state["n_jobs"] = 1


def _pool(members: list[Any]) -> Any:
    """The thread pools of histogram trees, which would wake for each tree of a row; None without such trees."""
    if not any("_predictors" in getattr(member, "__dict__", {}) for member in members):
        return None
    pools = library("threadpoolctl", "scikit-learn and skops", "sklearn").ThreadpoolController()
    return pools.select(user_api="openmp")
