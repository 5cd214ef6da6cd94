"""What a baseline of attributions is, how it is kept in a folder, and how it is found again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.analysis_config import (
    AnalysisConfig,
    Cell,
    PredictorConfig,
    ShapConfig,
    analysis_config_document,
    read_analysis_config,
)
from driftline.core.analysis_documents import analysis_document, read_attribution
from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.core.errors import InputError
from driftline.engine.datasets import Dataset
from driftline.engine.rejects import Reject
from driftline.pipeline.documents import called, content_of
from driftline.pipeline.explainers import ExplainedModel, ExplainOptions
from driftline.pipeline.found import Found
from driftline.pipeline.report import Frame

Floats = npt.NDArray[np.float64]
CONFIG = "analysis_config"


class AttributionBaseline(Found, frozen=True):
    """The attributions of a table that is trusted. ``rows`` are how many the table has, of which the analysis says how
    many were explained, and ``refused`` that could not be, because a value of theirs was not finite;
    ``baseline_rows`` [rows, features] are what the model was explained against, where it needs that, under the names
    ``features``. ``options`` are how it was explained."""

    analysis: AttributionAnalysis
    rows: int
    evaluation_time: str
    features: tuple[str, ...] = ()
    baseline_rows: Any = None
    rejects: tuple[Reject, ...] = ()
    refused: int = 0
    options: ExplainOptions | None = None

    def config(self) -> AnalysisConfig:
        """How the baseline was made, so that later data are explained alike: with the same baseline rows."""
        options = self.options or ExplainOptions()
        shap = ShapConfig(
            baseline=None if self.baseline_rows is None else cells_of(self.baseline_rows),
            samples=options.samples or None,
            aggregation=self.analysis.aggregation,
            use_logit=options.use_logit,
            seed=options.seed or None,
        )
        predictor = PredictorConfig(label_headers=options.classes)
        return AnalysisConfig(headers=self.features, attribution=shap, predictor=predictor)

    def documents(self) -> dict[str, Any]:
        """The content of every file by its name without ``.json``."""
        found: dict[str, Any] = {
            "analysis": analysis_document(attribution=self.analysis),
            CONFIG: analysis_config_document(self.config()),
        }
        return found

    def page(self) -> str:
        """The report, one self-contained HTML page."""
        from driftline.pipeline.attribution_report import attribution_report_html

        return attribution_report_html(
            Frame("Baseline of feature attribution", self.evaluation_time, rejects=self.rejects),
            current=self.analysis,
        )


class Held(msgspec.Struct, frozen=True):
    """What a table is held against: the analysis, and the rows that the model was explained against, as data."""

    analysis: AttributionAnalysis
    baseline_rows: Any = None


Analysis = AttributionBaseline | AttributionAnalysis | str | Path | dict[str, Any]


def held(given: Analysis) -> Held:
    """A baseline: one of ours, an analysis, a path to ``analysis.json`` (the configuration is taken from beside it) or
    its content.

    Raises :class:`InputError` for a file that cannot be read or is none.
    """
    if isinstance(given, AttributionBaseline):
        rows = given.baseline_rows
        return Held(given.analysis, None if rows is None else table_of(given.features, rows))
    if isinstance(given, AttributionAnalysis):
        return Held(given)
    analysis = read_attribution(*content_of(given))
    if isinstance(given, dict):
        return Held(analysis)
    beside = Path(given).with_name(f"{CONFIG}.json")
    if not beside.is_file():
        return Held(analysis)
    shap = read_analysis_config(beside.read_bytes(), str(beside)).attribution
    return Held(analysis, None if shap is None else given_rows(shap.baseline))


def read_rows(data: Any, model: ExplainedModel, exclude: Sequence[str]) -> Floats:
    """Baseline rows [rows, features] from a file or a table; raises :class:`InputError` where there are none."""
    source = called(data, "the baseline rows")
    blocks = []
    for batch in Dataset(data).batches():
        columns = model.columns([name for name in batch.schema.names if name not in exclude], source)
        blocks.append(columns.matrix(batch))
    if not sum(map(len, blocks)):
        raise InputError(f"{source} have no rows", hint="give at least one row with a value for every feature")
    return np.concatenate(blocks)


def given_rows(rows: Any) -> Any:
    """The baseline rows of a configuration as data: a path, or rows whose columns have no names."""
    if rows is None or isinstance(rows, str):
        return rows
    columns = [[None if cell is None else str(cell) for cell in column] for column in zip(*rows, strict=True)]
    return pa.table({f"_c{place}": pa.array(column, pa.string()) for place, column in enumerate(columns)})


def table_of(features: Sequence[str], rows: Floats) -> pa.Table:
    """Rows of numbers as a table; a missing value is null."""
    columns = [pa.array(np.ascontiguousarray(column), from_pandas=True) for column in rows.T]
    return pa.table(dict(zip(features, columns, strict=True)))


def cells_of(rows: Floats) -> tuple[tuple[Cell, ...], ...]:
    """Rows of numbers as a configuration holds them; a missing value is None."""
    return tuple(tuple(None if np.isnan(cell) else cell for cell in row) for row in rows.tolist())
