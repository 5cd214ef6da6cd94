"""What a baseline of attributions is, how it is kept in a folder, and how it is found again."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftline.core.analysis_documents import analysis_document, read_attribution
from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.core.errors import InputError
from driftline.engine.datasets import Dataset
from driftline.engine.rejects import Reject
from driftline.pipeline.documents import write_documents
from driftline.pipeline.explainers import ExplainedModel
from driftline.pipeline.report import framed

Floats = npt.NDArray[np.float64]
BASELINE_ROWS = "baseline_rows.csv"


class AttributionBaseline(msgspec.Struct, frozen=True):
    """The attributions of a table that is trusted. ``rows`` are how many the table has, of which the analysis says how
    many were explained, and ``refused`` that could not be, because a value of theirs was not finite;
    ``baseline_rows`` [rows, features] are what the model was explained against, where it needs that, under the names
    ``features``."""

    analysis: AttributionAnalysis
    rows: int
    evaluation_time: str
    features: tuple[str, ...] = ()
    baseline_rows: Any = None
    rejects: tuple[Reject, ...] = ()
    refused: int = 0

    def write(self, folder: str | Path) -> list[Path]:
        """Write ``analysis.json``, ``report.html``, and ``baseline_rows.csv`` where there are any; their paths."""
        found: dict[str, Any] = {"analysis": analysis_document(attribution=self.analysis), "report.html": self._page()}
        if self.baseline_rows is not None:
            found[BASELINE_ROWS] = rows_text(self.features, self.baseline_rows)
        return write_documents(found, folder)

    def _repr_html_(self) -> str:
        return framed(self._page())

    def _page(self) -> str:
        from driftline.pipeline.analysis_reports import attribution_report_html

        return attribution_report_html(
            title="Baseline of feature attribution",
            judgement=None,
            current=self.analysis,
            generated=self.evaluation_time,
            rejects=self.rejects,
        )


class Held(msgspec.Struct, frozen=True):
    """What a table is held against: the analysis, and the rows that the model was explained against, as data."""

    analysis: AttributionAnalysis
    baseline_rows: Any = None


Analysis = AttributionBaseline | AttributionAnalysis | str | Path | dict[str, Any]


def held(given: Analysis) -> Held:
    """A baseline: one of ours, an analysis, a path to ``analysis.json`` (rows are taken from beside it) or its content.

    Raises :class:`InputError` for a file that cannot be read or is none.
    """
    if isinstance(given, AttributionBaseline):
        rows = given.baseline_rows
        return Held(given.analysis, None if rows is None else table_of(given.features, rows))
    if isinstance(given, AttributionAnalysis):
        return Held(given)
    if isinstance(given, dict):
        return Held(read_attribution(msgspec.json.encode(given), "the given analysis"))
    try:
        analysis = read_attribution(Path(given).read_bytes(), str(given))
    except OSError as error:
        raise InputError(f"{given} cannot be read", evidence=str(error.strerror), hint="check the path") from None
    beside = Path(given).with_name(BASELINE_ROWS)
    return Held(analysis, beside if beside.is_file() else None)


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


def table_of(features: Sequence[str], rows: Floats) -> pa.Table:
    """Rows of numbers as a table; a missing value is null."""
    columns = [pa.array(np.ascontiguousarray(column), from_pandas=True) for column in rows.T]
    return pa.table(dict(zip(features, columns, strict=True)))


def rows_text(features: Sequence[str], rows: Floats) -> str:
    """Rows of numbers as CSV with a header; a missing value is an empty cell."""
    from pyarrow import csv

    out = io.BytesIO()
    csv.write_csv(table_of(features, rows), out)
    return out.getvalue().decode()


def called(data: Any, otherwise: str = "the table") -> str:
    """What data are called in messages."""
    return str(data) if isinstance(data, str | Path) else otherwise
