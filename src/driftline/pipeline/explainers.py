"""From a model file, or an endpoint, to what explains it, once it is known which columns its features are in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from driftline.core.attribution_analysis import Aggregation
from driftline.core.errors import InputError
from driftline.engine.model_columns import ModelColumns
from driftline.engine.names import by_place
from driftline.serving.explain.explainer import Explainer, explainer_of, remote_explainer
from driftline.serving.explain.wanted import Wanted, feature_names
from driftline.serving.runtime import Model, load_model

Floats = npt.NDArray[np.float64]
Predict = Callable[[Floats], npt.NDArray[Any]]
EXACT = ("tree_shap", "linear_shap")
"""Methods that give the values themselves, and so may explain every row."""


BASELINE_ROWS = 20
"""How many baseline rows are chosen. Against a single one, features that are rarely other than usual seem to weigh
nothing."""


class ExplainOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is explained. ``samples`` are the coalitions of features a row is tried with where the method is one
    of sampling (0: as many as the explainer thinks right); ``classes`` name the outputs.

    ``rows`` bounds the rows that are explained, or ``error`` asks for as many as bring every interval within ± that
    share of all attributions. ``baseline_count`` rows are chosen where a model needs baseline rows and none are given.
    """

    aggregation: Aggregation | None = None
    use_logit: bool = False
    samples: int = 0
    seed: int = 0
    classes: tuple[str, ...] = ()
    rows: int | None = None
    error: float | None = None
    baseline_count: int = BASELINE_ROWS

    def __post_init__(self) -> None:
        if self.rows is not None and self.rows < 1:
            raise InputError(f"{self.rows} rows cannot be explained", hint="give 1 or more, or leave it out")
        if self.error is not None and not 0 < self.error < 1:
            raise InputError(f"an error of {self.error:g} is no share", hint="give one between 0 and 1, such as 0.01")
        if self.rows is not None and self.error is not None:
            raise InputError("both a number of rows and an error are given", hint="give one of them: each decides both")


class FeatureColumns(msgspec.Struct, frozen=True):
    """Where the features of a model are found: their names, how many they are, or None where neither is known."""

    features: tuple[str, ...] | int | None

    def columns(self, columns: Sequence[str], source: str) -> ModelColumns:
        """Where the features are among the columns of a table; raises :class:`InputError` where they are not."""
        return ModelColumns(columns, self.features, source=source)


class ExplainedModel:
    """A model that is to be explained: the path of a file, or a function that predicts rows of numbers.

    ``known`` are the names of its features where a baseline knows them and the model does not.
    """

    def __init__(self, model: str | Path | Predict, options: ExplainOptions, known: Sequence[str] = ()) -> None:
        self._options = options
        self._predict: Predict | None = None
        self._model: Model | None = None
        self._path: Path | None = None
        if callable(model):
            self._predict = model
        else:
            self._path = Path(model)
            self._model = load_model(self._path)
        self._known = () if tuple(known) == by_place(len(known)) else tuple(known)

    def columns(self, columns: Sequence[str], source: str) -> ModelColumns:
        """Where the features are among the columns of a table; raises :class:`InputError` where they are not."""
        return self.features.columns(columns, source)

    def explainer(self, names: Sequence[str], baseline: Floats | None) -> Explainer:
        """What explains the model, against the baseline rows where it needs them.

        Raises :class:`InputError` where it needs some and there are none.
        """
        options = self._options
        if self._predict is not None:
            return remote_explainer(
                self._predict,
                features=names,
                baseline=baseline,
                samples=options.samples,
                seed=options.seed,
                use_logit=options.use_logit,
                classes=options.classes,
            )
        wanted = Wanted(
            features=tuple(names),
            samples=options.samples,
            seed=options.seed,
            use_logit=options.use_logit,
            classes=options.classes,
        )
        return explainer_of(self._loaded, wanted, baseline)

    def without_baseline(self, names: Sequence[str]) -> Explainer | None:
        """The explainer of a model that needs no baseline rows; None of one that does."""
        try:
            return None if self._predict is not None else self.explainer(names, None)
        except InputError:
            return None  # with baseline rows it says what else is wrong

    def shipped(self, names: Sequence[str], baseline: Floats | None) -> ShippedModel:
        """The model as its explainer can be made elsewhere; raises :class:`InputError` for one that is no file."""
        if self._path is None or not self._path.is_file():
            raise InputError(
                "this model cannot be explained on Spark",
                evidence="a function" if self._path is None else f"{self._path} is no file",
                hint="set rows in the options: a sample is explained here",
            )
        return ShippedModel(self._path.name, self._path.read_bytes(), self._options, tuple(names), baseline)

    @property
    def _loaded(self) -> Model:
        assert self._model is not None  # noqa: S101 - a model is a file or a function
        return self._model

    @property
    def features(self) -> FeatureColumns:
        """What is known of its features: their names, else how many there are; of a function neither may be."""
        if self._predict is not None:
            return FeatureColumns(self._known or None)
        count = self._loaded.n_features
        names, named = feature_names(Wanted(), count, self._loaded.describe().get("feature_names"))
        if named:
            return FeatureColumns(tuple(names))
        return FeatureColumns(self._known if len(self._known) == count else count)


class ShippedModel(NamedTuple):
    """A model file in the hands of whoever has to explain it elsewhere, and what its explainer needs."""

    name: str
    content: bytes
    options: ExplainOptions
    features: tuple[str, ...]
    baseline: Floats | None

    def explainer(self) -> Explainer:
        """What explains the model."""
        with TemporaryDirectory(prefix="driftline-") as folder:
            path = Path(folder, self.name)
            path.write_bytes(self.content)
            return ExplainedModel(path, self.options, self.features).explainer(self.features, self.baseline)
