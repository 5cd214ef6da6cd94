"""Baseline and check of the bias in a table: a file, a folder of files, or anything that exports an Arrow stream."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from driftline.core.analysis_config import AnalysisConfig, analysis_config_document, checked
from driftline.core.analysis_documents import analysis_document, read_bias
from driftline.core.analysis_settings import BiasConfig
from driftline.core.bias_analysis import BiasAnalysis
from driftline.core.documents import violations_document
from driftline.core.errors import InputError
from driftline.core.facets import Choice, FacetConfig, parse_facet, parse_positive
from driftline.core.window import format_time
from driftline.engine.datasets import Dataset
from driftline.engine.rejects import Reject
from driftline.monitors.bias.checks import MINIMUM_SAMPLE, check
from driftline.monitors.bias.deciding import bias_of, decided, undecided
from driftline.monitors.bias.notes import notes
from driftline.monitors.bias.recipe import Bias
from driftline.monitors.rules import Rule, checked_rule
from driftline.pipeline.bias_parts import BiasParts
from driftline.pipeline.bias_report import bias_report_html
from driftline.pipeline.documents import called, content_of
from driftline.pipeline.found import Found, Judged
from driftline.pipeline.placed import Begun
from driftline.pipeline.report import Frame
from driftline.pipeline.steps import Progress, Recorder

Analysis = BiasAnalysis | str | Path | dict[str, Any]


class BiasBaseline(Found, frozen=True):
    """The bias of a table that is trusted: what later data are held against, and how it was measured."""

    analysis: BiasAnalysis
    config: AnalysisConfig
    item_count: int
    evaluation_time: str
    notes: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()

    def documents(self) -> dict[str, Any]:
        """The content of every file by its name without ``.json``."""
        found: dict[str, Any] = {
            "analysis": analysis_document(self.analysis),
            "analysis_config": analysis_config_document(self.config),
        }
        return found

    def page(self) -> str:
        """The report, one self-contained HTML page."""
        return bias_report_html(
            Frame("Baseline of bias", self.evaluation_time, rejects=self.rejects),
            current=self.analysis,
        )


class BiasChecked(Judged, frozen=True):
    """What a check of bias found. True when the verdict is OK; renders in a notebook as the report."""

    analysis: BiasAnalysis
    baseline: BiasAnalysis
    item_count: int
    evaluation_time: str
    notes: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()

    def rows_judged(self) -> int:
        """How many rows the verdict rests on."""
        return self.item_count

    def documents(self) -> dict[str, Any]:
        """The content of every file by its name without ``.json``."""
        found: dict[str, Any] = {
            "analysis": analysis_document(self.analysis),
            "constraint_violations": violations_document(list(self.violations)),
            "constraints": analysis_document(self.baseline),
        }
        return found

    def page(self) -> str:
        """The report, one self-contained HTML page."""
        return bias_report_html(
            self.frame("Bias", self.evaluation_time, self.rejects),
            current=self.analysis,
            baseline=self.baseline,
        )


def baseline_bias(
    data: Any,
    *,
    label: str | None = None,
    positive: str | Sequence[str] | Choice | None = None,
    facets: Sequence[str | FacetConfig] = (),
    predicted: str | None = None,
    probability: str | None = None,
    threshold: float = 0.5,
    group: str | None = None,
    config: BiasConfig | AnalysisConfig | None = None,
    header: bool | None = None,
    exclude: Sequence[str] = (),
    row_id: str | None = None,
    seed: int = 0,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> BiasBaseline:
    """Every bias metric of a table, facet by facet.

    ``data`` is a path to a file or a folder of CSV, JSON lines or Parquet, to a manifest of such files, a table that
    exports an Arrow stream (pandas, Polars, DuckDB, pyarrow), or a data frame of Spark. ``label`` is the column of true
    labels and
    ``positive`` says which are positive: ``"1"``, ``"yes,maybe"``, ``">0.5"``, or a list of values. ``facets`` are
    ``"sex"`` (each value in turn), ``"plan=gold,tin"`` or ``"age>=50"``. ``predicted`` is the column of predicted
    labels; else those with a ``probability`` above ``threshold`` are positive; without either there are only metrics of
    labels. ``group`` is the column within whose values CDDL and CDDPL compare. ``config`` says all that instead.
    ``exclude`` are columns that are no features for the flip test; ``seed`` draws the intervals.
    The sample of the flip test is drawn by the column ``row_id``, or where there is none by the rows' numbers.

    Raises :class:`InputError` for data that cannot be read or has no row, and for a column that is not there.
    """
    asked = config_of(label, positive, facets, predicted, probability, threshold, group, config, exclude)
    found = _measured(data, asked, header, seed, progress, row_id)
    if not found.item_count:
        raise InputError(f"{called(data)} has no rows", hint="a baseline needs rows that can be trusted")
    return msgspec.structs.replace(found, evaluation_time=format_time(now or datetime.now(UTC)))


def check_bias(
    data: Any,
    baseline: BiasBaseline | Analysis,
    *,
    label: str | None = None,
    positive: str | Sequence[str] | Choice | None = None,
    facets: Sequence[str | FacetConfig] = (),
    predicted: str | None = None,
    probability: str | None = None,
    threshold: float = 0.5,
    group: str | None = None,
    config: BiasConfig | AnalysisConfig | None = None,
    header: bool | None = None,
    exclude: Sequence[str] = (),
    rule: Rule = "interval",
    minimum_sample: int = MINIMUM_SAMPLE,
    row_id: str | None = None,
    seed: int = 0,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> BiasChecked:
    """Measure the bias of a table and hold it against a baseline.

    ``baseline`` is a :class:`BiasBaseline`, whose configuration holds where no other is given, or an analysis, a path
    to ``analysis.json`` or its content. What a metric violates, and ``rule``, are those of
    :func:`driftline.monitors.bias.checks.check`; the others are as in :func:`baseline_bias`. With fewer than
    ``minimum_sample`` rows in a facet or beside it the facet is not checked; where none is, the verdict is UNKNOWN.
    """
    checked_rule(rule)
    if isinstance(baseline, BiasBaseline):
        config = baseline.config if config is None and label is None else config
        before = baseline.analysis
    else:
        before = _analysis_of(baseline)
    asked = config_of(label, positive, facets, predicted, probability, threshold, group, config, exclude)
    found = _measured(data, asked, header, seed, progress, row_id, before)
    judgement, violations = check(found.analysis, before, rule=rule, minimum_sample=minimum_sample)
    return BiasChecked(
        judgement,
        violations,
        found.analysis,
        before,
        found.item_count,
        format_time(now or datetime.now(UTC)),
        found.notes,
        found.rejects,
    )


def config_of(
    label: str | None,
    positive: str | Sequence[str] | Choice | None,
    facets: Sequence[str | FacetConfig],
    predicted: str | None,
    probability: str | None,
    threshold: float,
    group: str | None,
    config: BiasConfig | AnalysisConfig | None,
    exclude: Sequence[str] = (),
) -> AnalysisConfig:
    """The configuration that the arguments of :func:`baseline_bias` stand for."""
    if config is None:
        bias = BiasConfig(
            _needed(label, "the column of labels", "label"),
            _choice(_needed(positive, "which labels are positive", "positive")),
            tuple(parse_facet(facet) if isinstance(facet, str) else facet for facet in facets),
            group,
            predicted,
            probability,
            threshold,
        )
        return checked(AnalysisConfig(bias=bias, exclude=tuple(exclude)), "the bias analysis")
    if label is not None or positive is not None or facets or predicted or probability or group:
        raise InputError(
            "bias is described twice",
            evidence="there is a configuration, and columns beside it",
            hint="give either a configuration or the columns",
        )
    whole = AnalysisConfig(bias=config) if isinstance(config, BiasConfig) else config
    bias_of(whole)
    return checked(msgspec.structs.replace(whole, exclude=(*whole.exclude, *exclude)), "the bias analysis")


def _measured(
    data: Any,
    config: AnalysisConfig,
    header: bool | None,
    seed: int,
    progress: Progress | None,
    row_id: str | None,
    before: BiasAnalysis | None = None,
) -> BiasBaseline:
    """What is found in a table; without a time. What the configuration leaves open is as in the analysis ``before``."""
    dataset = Dataset(data, header=header, names=config.headers)
    bias = bias_of(config)
    begun = Begun(dataset, Recorder(progress), few=not undecided(bias))
    first = begun.first
    if first is not None:
        bias = decided(bias, first, before) if undecided(bias) else bias
        # Captures that have no names of their own are named by those of the baseline.
        config = msgspec.structs.replace(config, bias=bias, headers=config.headers or tuple(first.schema.names))
    no_features = config.not_features if row_id is None else (*config.not_features, row_id)
    monitor = Bias(bias, exclude=no_features, seed=seed)
    parts = BiasParts(monitor, row_id, workers=2 if dataset.frame is None else 1)
    state = begun.measured(parts, numbered=parts.numbered)
    told = notes(bias, state)
    return BiasBaseline(monitor.result(state), config, state.rows, "", told, dataset.rejects())


def _needed(given: Any, what: str, option: str) -> Any:
    if given is None:
        raise InputError(f"{what} must be named", hint=f"give {option}, or a configuration")
    return given


def _choice(positive: str | Sequence[str] | Choice) -> Choice:
    if isinstance(positive, Choice):
        return positive
    if isinstance(positive, str):
        return parse_positive(positive)
    return Choice(tuple(map(str, positive)))


def _analysis_of(given: Analysis) -> BiasAnalysis:
    return given if isinstance(given, BiasAnalysis) else read_bias(*content_of(given))
