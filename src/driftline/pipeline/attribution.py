"""A run of feature attribution over captures: decode, explain, compare the ranking, write the report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa

from driftline.core.analysis_documents import attribution_document
from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.core.documents import Violation, violations_document
from driftline.core.errors import InputError
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.core.window import Window, format_time
from driftline.engine.files import list_files
from driftline.engine.payload import Reading
from driftline.engine.rejects import Reject, summed
from driftline.monitors.attribution.checks import check
from driftline.monitors.attribution.drift import RankingDrift
from driftline.monitors.attribution.publish import published
from driftline.pipeline.attribution_baselines import given_rows, read_rows
from driftline.pipeline.attribution_report import attribution_report_html, shown_drift
from driftline.pipeline.captured_features import CapturedFeatures
from driftline.pipeline.documents import write_documents
from driftline.pipeline.explainers import ExplainedModel, ExplainOptions
from driftline.pipeline.explaining import Explained, Explaining
from driftline.pipeline.hours import NO_ROWS, decoded_batches, windows_of
from driftline.pipeline.no_data import no_columns
from driftline.pipeline.report import run_frame
from driftline.pipeline.result import RunResult
from driftline.pipeline.run import AttributionRun, SparkSettings
from driftline.pipeline.steps import Progress, Recorder

ROWS = 10_000
"""How many rows of a window are explained where nothing else is asked for."""
_SHOWN = 20
_INPUTS = "the captured inputs"


class _Found(msgspec.Struct, frozen=True):
    """What a window's rows say: the analysis, and how far the rankings are from the baseline's."""

    analysis: AttributionAnalysis
    drift: tuple[RankingDrift, ...]


def run_attribution(run: AttributionRun, *, now: datetime | None = None, progress: Progress | None = None) -> RunResult:
    """Decode captures, explain their rows or a sample of them, check, and write the report if one is asked for.

    Raises :class:`InputError` where there is no model to explain.
    """
    recorder = Recorder(progress)
    reading = _Reading(run, recorder)
    explained = reading.explained()
    found = _found(run, explained)
    counts = reading.counts | {"explained_rows": found.analysis.rows}
    judgement, violations = recorder.step(
        "check", found.analysis.rows, lambda: _judged(run, found, counts, reading.rejects()), lambda two: len(two[1])
    )
    time = format_time(now or run.as_of or datetime.now(UTC))
    finished = RunResult(
        judgement=judgement,
        item_count=found.analysis.rows,
        statistics=_document(found, time),
        violations=violations,
        steps=tuple(recorder.steps),
        rejects=reading.rejects(),
        metrics={},
        counts=counts,
        dimensioned=published(found.analysis, found.drift),
    )
    if run.report is not None:
        _write(finished, run, run.report, found, time)
    return finished


class _Reading:
    """One run's captures, explained."""

    def __init__(self, run: AttributionRun, recorder: Recorder) -> None:
        self._run, self._recorder = run, recorder
        shap = run.shap
        self._options = ExplainOptions(
            aggregation=shap.aggregation if run.constraints is None else run.constraints.aggregation,
            use_logit=shap.use_logit,
            samples=shap.samples or 0,
            seed=shap.seed or 0,
            classes=run.classes,
            rows=run.rows or ROWS,
        )
        known = () if run.constraints is None or not run.constraints.labels else run.constraints.labels[0].features
        self._model = ExplainedModel(_model_of(run), self._options, tuple(one.feature for one in known) or run.names)
        self._features = CapturedFeatures(self._model.features, run.exclude)
        self._reading = Reading(run.names, of_inputs=run.names_of_inputs)
        self._rejects: tuple[Reject, ...] = ()
        self.counts: dict[str, int] = dict(NO_ROWS)

    def explained(self) -> Explained | None:
        """The attributions of the window's rows; None where there is none."""
        given = given_rows(self._run.shap.baseline)
        explaining = Explaining(
            self._model,
            self._options,
            aggregation=self._options.aggregation or "mean_abs",
            baseline_rows=None if given is None else read_rows(given, self._model, ()),
            choosing=self._run.constraints is None,
            recorder=self._recorder,
        )
        with ExitStack() as stack:
            if self._run.spark is not None:
                return self._drawn(self._run.spark, explaining, stack)
            return explaining.rows(self._features.parts(self._batches(stack)), _INPUTS)

    def _drawn(self, settings: SparkSettings, explaining: Explaining, stack: ExitStack) -> Explained | None:
        """The attributions of a sample that Spark draws."""
        from driftline.pipeline.spark.columns import SparkColumns, counted
        from driftline.pipeline.spark.sampling import DrawnRows

        run, options = self._run, self._options
        files = list_files(run.captures, run.window)
        if not files:
            return None
        columns = SparkColumns(settings, self._reading, stack)
        rows = DrawnRows(self._model.features, run.exclude, rows=options.rows or ROWS, seed=options.seed)
        drawn, found = self._recorder.step(
            "decode and sample on Spark",
            len(files),
            lambda: columns.measured(rows, files, run.window),
            lambda both: len(both[0].sample.place),
        )
        self.counts, self._rejects = counted(found, len(files)), (*found.rejects, *drawn.rejects)
        return explaining.drawn(drawn.names, rows.sampled(drawn), _INPUTS) if drawn.names else None

    def rejects(self) -> tuple[Reject, ...]:
        """What could not be used."""
        return summed([*self._rejects, *self._features.rejects()])

    def _batches(self, stack: ExitStack) -> Iterator[pa.RecordBatch]:
        # Nothing is kept of an hour but its decoding: a sample is drawn of the whole window.
        for window in windows_of(self._run, keeping=False):
            files = list_files(self._run.captures, window)
            if files:
                yield from self._hour(files, window, stack)

    def _hour(self, files: list[str], window: Window | None, stack: ExitStack) -> Iterator[pa.RecordBatch]:
        batches, found = decoded_batches(self._run, self._reading, files, window, stack)
        yield from batches
        counts, rejects = found()
        self.counts = {name: self.counts[name] + counts[name] for name in NO_ROWS}
        self._rejects += rejects


def _model_of(run: AttributionRun) -> Any:
    if run.model is not None:
        return run.model
    if run.url is not None:
        from driftline.serving.explain.endpoint import http_predict

        return http_predict(run.url)
    raise InputError(
        "there is no model to explain",
        evidence="the endpoint has no model here and no server behind it",
        hint="deploy the model here, or explain tables with `driftline check attribution --model FILE`",
    )


def _found(run: AttributionRun, explained: Explained | None) -> _Found:
    if explained is None:
        return _Found(AttributionAnalysis((), run.shap.aggregation), ())
    profile, state = explained.profile, explained.state
    drift = () if run.constraints is None else profile.compare(state, run.constraints)
    return _Found(profile.result(state), drift)


def _judged(
    run: AttributionRun, found: _Found, counts: dict[str, int], rejects: tuple[Reject, ...]
) -> tuple[Judgement, tuple[Violation, ...]]:
    if not found.analysis.rows:
        reason = no_columns(run, counts, rejects, "no captured input could be explained")
        return Judgement(Verdict.UNKNOWN, (reason,)), ()
    if run.constraints is None:
        message = "no baseline was given: the attributions were computed and nothing was checked"
        return Judgement(Verdict.UNKNOWN, (Reason("no_constraints", message),)), ()
    return check(
        found.drift,
        found.analysis,
        run.constraints,
        threshold=run.threshold,
        rule=run.rule,
        minimum_sample=run.minimum_sample,
    )


def _document(found: _Found, time: str) -> dict[str, Any]:
    """What the store keeps: the analysis, and what moved most."""
    document = attribution_document(found.analysis)
    document["driftline_drift"] = [
        msgspec.to_builtins(msgspec.structs.replace(one, changes=one.changes[:_SHOWN])) for one in found.drift
    ]
    return document | {"dataset": {"item_count": found.analysis.rows, "evaluation_time": time}}


def _write(result: RunResult, run: AttributionRun, folder: str, found: _Found, time: str) -> None:
    documents: dict[str, Any] = {
        "analysis": attribution_document(found.analysis),
        "constraint_violations": violations_document(list(result.violations)),
        "report.html": attribution_report_html(
            run_frame("Feature attribution", result, run.window, time),
            current=found.analysis,
            baseline=run.constraints,
            drift=shown_drift(found.drift, result.violations, run.threshold),
        ),
    }
    if run.constraints is not None:
        documents["constraints"] = attribution_document(run.constraints)
    write_documents(documents, folder)
