"""What a baseline job is told: a dataset in a bucket, how it is read, what of it is measured, and where that goes."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from driftline.core.errors import InputError
from driftline.resources.batch_jobs import BatchLimits
from driftline.resources.endpoints import ModelDescription

Monitor = Literal["data-quality", "model-quality", "bias", "attribution"]


class TableFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the files of a dataset are read. ``header`` says whether a CSV's first line has the names; None looks.

    ``lines`` is whether JSON is a record a line, else it is one document: a record, or a list of them.
    """

    kind: Literal["csv", "json", "parquet"] = "csv"
    header: bool | None = None
    lines: bool = True


class PredictionColumns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The columns of predictions with their truth, by name or by number from 0, and the threshold of a positive."""

    problem_type: str
    label: str
    prediction: str | None = None
    probability: str | None = None
    threshold: float = 0.5


class BaselineSettings(BatchLimits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A baseline of a dataset, or its check against one.

    ``dataset`` is the URI of an object, or of a prefix with many. ``output`` is the URI below which the documents are
    written. ``preprocessor`` is the URI of a script that makes the rows of data quality, ``postprocessor`` of one that
    is called once all is measured.

    Of model quality ``columns`` are needed; of bias and attribution ``analysis_config``, as the original writes it or
    as we do, or its URI, and ``model``, a model's path in the data folder, where the dataset has no predictions or
    where attributions are asked for. ``model_description`` is what that model was found to be.

    ``categorical_drift_method`` is what the suggested constraints of data quality compare categories by.

    With ``constraints``, and ``statistics`` for distributions, URIs both, the dataset is checked against those instead.
    """

    monitor: Monitor
    dataset: str
    output: str
    format: TableFormat = TableFormat()
    columns: PredictionColumns | None = None
    preprocessor: str | None = None
    postprocessor: str | None = None
    analysis_config: dict[str, Any] | str | None = None
    model: str | None = None
    model_description: ModelDescription | None = None
    constraints: str | None = None
    statistics: str | None = None
    categorical_drift_method: Literal["LInfinity", "ChiSquared"] = "LInfinity"

    def __post_init__(self) -> None:
        if self.monitor == "model-quality" and self.columns is None:
            raise InputError("a baseline of model quality names no columns", hint="give columns: problem_type, label")
        if self.monitor in ("bias", "attribution") and self.analysis_config is None:
            raise InputError(f"a baseline of {self.monitor} has no configuration", hint="give analysis_config")
