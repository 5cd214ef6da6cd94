"""Baseline and check of what weighs in a model's predictions, on a table and a model file or endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from driftline.core.analysis_documents import analysis_document
from driftline.core.attribution_analysis import AGGREGATIONS, Aggregation, AttributionAnalysis
from driftline.core.documents import violations_document
from driftline.core.errors import InputError
from driftline.core.window import format_time
from driftline.engine.datasets import Dataset
from driftline.engine.rejects import Reject
from driftline.monitors.attribution.checks import THRESHOLD, check
from driftline.monitors.attribution.drift import RankingDrift
from driftline.monitors.attribution.publish import published
from driftline.monitors.quality.checks import MINIMUM_SAMPLE
from driftline.monitors.rules import Rule, checked_rule
from driftline.pipeline.attribution_baselines import Analysis, AttributionBaseline, Held, held, read_rows
from driftline.pipeline.documents import called
from driftline.pipeline.explainers import ExplainedModel, ExplainOptions, Predict
from driftline.pipeline.explaining import Explained, Explaining
from driftline.pipeline.found import Judged
from driftline.pipeline.local_values import LocalValues
from driftline.pipeline.steps import Progress, Recorder
from driftline.resources.metrics import Dimensioned

__all__ = ["AttributionBaseline", "AttributionChecked", "ExplainOptions", "baseline_attribution", "check_attribution"]
ModelSource = str | Path | Predict


class AttributionChecked(Judged, frozen=True):
    """What a check of attributions found. True when the verdict is OK; renders in a notebook as the report.

    ``rows`` are how many the table has; ``analysis.rows`` of them were explained, ``refused`` could not be, because a
    value of theirs was not finite. ``drift`` has for every output the NDCG and the features that explain it.
    """

    analysis: AttributionAnalysis
    baseline: AttributionAnalysis
    drift: tuple[RankingDrift, ...]
    rows: int
    evaluation_time: str
    rejects: tuple[Reject, ...] = ()
    threshold: float = THRESHOLD
    refused: int = 0

    def rows_judged(self) -> int:
        """How many rows the verdict rests on."""
        return self.analysis.rows

    def metrics(self) -> tuple[Dimensioned, ...]:
        """What a run publishes of it."""
        return published(self.analysis, self.drift)

    def documents(self) -> dict[str, Any]:
        """The content of every file by its name without ``.json``."""
        found: dict[str, Any] = {
            "analysis": analysis_document(attribution=self.analysis),
            "constraint_violations": violations_document(list(self.violations)),
            "constraints": analysis_document(attribution=self.baseline),
        }
        return found

    def page(self) -> str:
        """The report, one self-contained HTML page."""
        from driftline.pipeline.attribution_report import attribution_report_html, shown_drift

        return attribution_report_html(
            self.frame("Feature attribution", self.evaluation_time, self.rejects),
            current=self.analysis,
            baseline=self.baseline,
            drift=shown_drift(self.drift, self.violations, self.threshold),
        )


def baseline_attribution(
    data: Any,
    model: ModelSource,
    *,
    baseline_rows: Any = None,
    options: ExplainOptions | None = None,
    label: str | None = None,
    exclude: Sequence[str] = (),
    header: bool | None = None,
    names: Sequence[str] = (),
    local: str | Path | None = None,
    row_id: str | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> AttributionBaseline:
    """How much every feature weighs in a model's predictions for the rows of a table.

    ``data`` is a path to a file or a folder of CSV, JSON lines or Parquet, to a manifest of such files, a table that
    exports an Arrow stream (pandas, Polars, DuckDB, pyarrow), or a data frame of Spark. ``model`` is the path of
    a model file, or a function
    of [rows, features] that gives a score a row. Columns are taken by the names of the model's features, or by place
    where it knows none; the ``label`` column and those of ``exclude`` are none of them. ``names`` are those of the
    columns of a CSV without a header.

    ``baseline_rows`` (a path or a table) stand for features that are not known; a tree needs none, and where others
    have none they are chosen from the data. ``local`` is a file, ``.parquet`` or ``.csv``, for the attributions of
    every row. Samples are drawn by the column ``row_id``, or where there is none by the rows'
    numbers. Raises :class:`InputError` for data that cannot be read, has no row, or misses a feature.
    """
    options = options or ExplainOptions()
    dataset, explained_model = Dataset(data, header=header, names=names), ExplainedModel(model, options)
    left = tuple(filter(None, (label, *exclude)))
    found = _explained(
        explained_model,
        dataset,
        data,
        left,
        options.aggregation or "mean_abs",
        baseline_rows,
        options,
        local,
        progress,
        row_id,
    )
    if found is None:
        raise InputError(f"{called(data)} has no rows", hint="a baseline needs rows that can be trusted")
    analysis = found.profile.result(found.state)
    if not analysis.rows:
        hint = "look at the values of the rows, and at what the model says to them"
        raise InputError(f"no row of {called(data)} could be explained", evidence=f"{found.seen} rows", hint=hint)
    time = format_time(now or datetime.now(UTC))
    return AttributionBaseline(
        analysis,
        found.seen,
        time,
        found.profile.features,
        found.baseline_rows,
        dataset.rejects(),
        found.state.refused,
        options,
    )


def check_attribution(
    data: Any,
    model: ModelSource,
    baseline: Analysis,
    *,
    baseline_rows: Any = None,
    options: ExplainOptions | None = None,
    threshold: float = THRESHOLD,
    rule: Rule = "interval",
    minimum_sample: int = MINIMUM_SAMPLE,
    label: str | None = None,
    exclude: Sequence[str] = (),
    header: bool | None = None,
    names: Sequence[str] = (),
    local: str | Path | None = None,
    row_id: str | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> AttributionChecked:
    """Explain a model's predictions for a table and hold the ranking of its features against a baseline.

    ``baseline`` is an :class:`AttributionBaseline`, an analysis, a path to ``analysis.json`` or its content; baseline
    rows are taken from it where none are given. The aggregation is the baseline's. What is a violation, and the two
    rules, are those of :func:`driftline.monitors.attribution.checks.check`; below ``minimum_sample`` explained rows the
    verdict is UNKNOWN. The others are as in :func:`baseline_attribution`.
    """
    checked_rule(rule)
    before = held(baseline)
    options = options or ExplainOptions()
    explained_model = ExplainedModel(model, options, _features(before.analysis))
    dataset = Dataset(data, header=header, names=names)
    left = tuple(filter(None, (label, *exclude)))
    aggregation = _aggregation(options.aggregation, before)
    found = _explained(
        explained_model,
        dataset,
        data,
        left,
        aggregation,
        before.baseline_rows if baseline_rows is None else baseline_rows,
        options,
        local,
        progress,
        row_id,
        choosing=False,
    )
    if found is None:
        analysis = AttributionAnalysis((), aggregation, before.analysis.method)
    else:
        analysis = found.profile.result(found.state)
    drift = () if found is None else found.profile.compare(found.state, before.analysis)
    judgement, violations = check(
        drift, analysis, before.analysis, threshold=threshold, rule=rule, minimum_sample=minimum_sample
    )
    return AttributionChecked(
        judgement,
        violations,
        analysis,
        before.analysis,
        drift,
        0 if found is None else found.seen,
        format_time(now or datetime.now(UTC)),
        dataset.rejects(),
        threshold,
        0 if found is None else found.state.refused,
    )


def _explained(
    model: ExplainedModel,
    dataset: Dataset,
    data: Any,
    exclude: tuple[str, ...],
    aggregation: Aggregation,
    baseline_rows: Any,
    options: ExplainOptions,
    local: str | Path | None,
    progress: Progress | None,
    row_id: str | None,
    *,
    choosing: bool = True,
) -> Explained | None:
    rows = None if baseline_rows is None else read_rows(baseline_rows, model, exclude)
    with nullcontext() if local is None else LocalValues(local) as saved:
        explaining = Explaining(
            model,
            options,
            aggregation=aggregation,
            baseline_rows=rows,
            choosing=choosing,
            recorder=Recorder(progress),
            local=saved,
        )
        return explaining.table(dataset, exclude, called(data), row_id)


def _features(analysis: AttributionAnalysis) -> tuple[str, ...]:
    """The names of the features that a baseline knows."""
    return tuple(one.feature for one in analysis.labels[0].features) if analysis.labels else ()


def _aggregation(asked: Aggregation | None, before: Held) -> Aggregation:
    """The baseline's; another one only where the baseline's file does not say how it was made."""
    made = before.analysis.aggregation
    if asked is None or asked == made or not before.analysis.rows:
        return asked or made
    raise InputError(
        f"attributions by {asked} cannot be compared with a baseline by {made}",
        evidence=f"known are {', '.join(AGGREGATIONS)}",
        hint=f"leave the aggregation out, or make the baseline again with {asked}",
    )
