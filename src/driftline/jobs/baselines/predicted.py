"""A dataset without predictions, with those that a model makes of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.analysis_settings import AnalysisConfig
from driftline.engine.datasets import Dataset
from driftline.engine.model_columns import ModelColumns
from driftline.pipeline.explainers import ExplainedModel, ExplainOptions
from driftline.serving.libraries import serve_only
from driftline.serving.runtime import load_model

PREDICTED = "predicted"
"""The name of the column that is added."""


class Predicted:
    """The rows of a dataset with a column :data:`PREDICTED` of what a model says to them, as an Arrow table.

    ``scores`` tells whether that column holds probabilities, or else labels: the names of classes where they are known,
    or what the model gives.
    """

    def __init__(self, dataset: Dataset, model: Path, config: AnalysisConfig, *, thresholded: bool) -> None:
        serve_only()
        self._dataset, self._config = dataset, config
        self._columns_of = ExplainedModel(model, ExplainOptions())
        self._model = load_model(model)
        self._thresholded = thresholded
        self.scores = False
        self.table = pa.concat_tables(self._tables(), promote_options="permissive")

    def _tables(self) -> Iterator[pa.Table]:
        columns: ModelColumns | None = None
        for batch in self._dataset.batches():
            names = [name for name in batch.schema.names if name not in self._config.not_features]
            columns = columns or self._columns_of.columns(names, "the dataset")
            answer = np.asarray(self._model.predict(columns.matrix(batch).astype(np.float32)))
            yield pa.Table.from_batches([batch]).append_column(PREDICTED, pa.array(self._column(answer)))

    def _column(self, answer: npt.NDArray[Any]) -> Any:
        classes = self._config.predictor.label_headers
        if answer.ndim == 2 and answer.shape[1] == 1:
            answer = answer[:, 0]
        if answer.ndim == 1:
            self.scores = self.scores or self._thresholded or _between(answer)
            return answer.astype(np.float64) if self.scores else _whole(answer)
        if answer.shape[1] == 2 and not classes:
            self.scores = True
            return answer[:, 1].astype(np.float64)
        return _chosen(answer.argmax(axis=1), classes)


def _between(answer: npt.NDArray[Any]) -> bool:
    """Whether these are probabilities: numbers from 0 to 1, some of them strictly between."""
    return bool(((answer >= 0) & (answer <= 1)).all() and ((answer > 0) & (answer < 1)).any())


def _whole(answer: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Labels that are whole numbers, as such."""
    whole = np.issubdtype(answer.dtype, np.floating) and bool((answer == np.floor(answer)).all())
    return answer.astype(np.int64) if whole else answer


def _chosen(places: npt.NDArray[Any], classes: Sequence[str]) -> npt.NDArray[Any]:
    return np.asarray(classes, dtype=object)[places] if classes else places
