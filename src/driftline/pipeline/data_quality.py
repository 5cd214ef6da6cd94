"""A run of data quality over captures: decode and analyse, check, write the report."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import msgspec

from driftline.core.table_statistics import FeatureStatistics, TableStatistics
from driftline.core.table_statistics_document import statistics_document
from driftline.core.verdict import Judgement, Verdict
from driftline.core.window import format_time
from driftline.monitors.data_quality.drift import TableDrift
from driftline.monitors.data_quality.profile import Profile
from driftline.monitors.data_quality.publish import published
from driftline.monitors.data_quality.segment_drift import ranked_drift
from driftline.monitors.segment_ranking import SegmentRank
from driftline.pipeline.documents import keep_log, write_documents
from driftline.pipeline.external.contract import Contract, variables
from driftline.pipeline.judging import Judged, documents, judge
from driftline.pipeline.no_data import no_columns
from driftline.pipeline.profiling import Profiled, Profiling
from driftline.pipeline.report import run_frame
from driftline.pipeline.result import RunResult
from driftline.pipeline.run import DataQualityRun
from driftline.pipeline.segmented import segments_document
from driftline.pipeline.steps import Progress, Recorder
from driftline.pipeline.table_report import table_report_html
from driftline.resources.metrics import StatisticSet
from driftline.scripts.errors import ScriptError
from driftline.scripts.postprocess import run_postprocessor

SHOWN_CATEGORIES = 20
"""How many categories of a column the store keeps; the report's file has all."""


def run_data_quality(
    run: DataQualityRun, *, now: datetime | None = None, progress: Progress | None = None
) -> RunResult:
    """Decode captures, measure every column, check, and write the report if one is asked for."""
    recorder = Recorder(progress)
    with ExitStack() as stack:
        return _run(run, Profiling(run, recorder, stack), recorder, now)


def _run(run: DataQualityRun, profiling: Profiling, recorder: Recorder, now: datetime | None) -> RunResult:
    try:
        profiled = profiling.all()
    except ScriptError as error:
        keep_log(run.report, "preprocess.log", f"{error.report.log}{error.trace}")
        raise
    statistics = Profile().result(profiled.state)
    judged = recorder.step(
        "check", statistics.item_count, lambda: _judged(run, statistics, profiled, profiling), _violations
    )
    evaluation_time = format_time(_now(run, now))
    finished = RunResult(
        judgement=judged.judgement,
        item_count=statistics.item_count,
        statistics=kept_document(statistics, judged.drift, evaluation_time) | _besides(run, profiling, profiled),
        violations=judged.violations,
        steps=tuple(recorder.steps),
        rejects=profiled.rejects,
        metrics=_metrics(run, statistics, judged.drift) | _custom_metrics(profiled),
        counts=profiled.counts,
    )
    if run.report is None:
        return finished
    _write(finished, run, run.report, statistics, judged.drift, evaluation_time)
    keep_log(run.report, "preprocess.log", profiled.log)
    if run.postprocessor is not None:
        recorder.step("postprocess", 0, lambda: _postprocess(run, run.postprocessor or "", run.report or ""), int)
        finished = msgspec.structs.replace(finished, steps=tuple(recorder.steps))
    return finished


def _besides(run: DataQualityRun, profiling: Profiling, profiled: Profiled) -> dict[str, Any]:
    """What custom analyzers found, and the segments that drifted most."""
    found: dict[str, Any] = {}
    if profiled.custom:
        found["custom"] = {one.name: {"error": one.error} if one.error else one.values for one in profiled.custom}
    if profiling.segmentations and run.baseline is not None and run.constraints is not None:
        profile = Profile()
        whole = profile.result(profiled.state)
        ranks: list[SegmentRank] = []
        for segmentation, states in zip(profiling.segmentations, profiled.segments, strict=True):
            parts = {name: profile.result(state) for name, state in states.items()}
            ranks += ranked_drift(segmentation.column, whole, parts, run.baseline, run.constraints)
        found["segments"] = segments_document(ranks)
    return found


def _custom_metrics(profiled: Profiled) -> dict[str, float | StatisticSet | None]:
    return {name: value for one in profiled.custom for name, value in one.metrics().items()}


def _postprocess(run: DataQualityRun, script: str, report: str) -> int:
    """The user's script after the run; what it printed is kept beside the report."""
    contract = Contract(
        dataset_source=run.captures,
        output_path=report,
        start_time=None if run.window is None else run.window.start,
        end_time=None if run.window is None else run.window.end,
        endpoint=run.endpoint,
        schedule=run.schedule,
    )
    try:
        told = run_postprocessor(script, variables(contract))
    except ScriptError as error:
        keep_log(run.report, "postprocess.log", f"{error.report.log}{error.trace}")
        raise
    keep_log(run.report, "postprocess.log", told.log)
    return 0


def _now(run: DataQualityRun, now: datetime | None) -> datetime:
    return now or run.as_of or datetime.now(UTC)


def _violations(judged: Judged) -> int:
    return len(judged.violations)


def _judged(run: DataQualityRun, statistics: TableStatistics, profiled: Profiled, profiling: Profiling) -> Judged:
    if not statistics.item_count:
        reason = no_columns(run, profiled.counts, profiled.rejects, "no captured record could be decoded")
        return Judged(Judgement(Verdict.UNKNOWN, (reason,)), (), None)
    return judge(statistics, run.baseline, run.constraints, profiling.look, minimum_sample=run.minimum_sample)


def kept_document(statistics: TableStatistics, drift: TableDrift | None, evaluation_time: str) -> dict[str, Any]:
    """What the store keeps of the statistics: all but the sketches and the rarer categories, and how far features are
    from the baseline."""
    small = TableStatistics(statistics.item_count, tuple(_small(feature) for feature in statistics.features))
    document = statistics_document(small, evaluation_time)
    if drift is not None:
        document["driftline_drift"] = [
            msgspec.to_builtins(one) | {"reason": "" if one.reason is None else one.reason.message}
            for one in drift.features
        ]
    return document


def _small(feature: FeatureStatistics) -> FeatureStatistics:
    numerical, string = feature.numerical, feature.string
    if numerical is not None:
        numerical = msgspec.structs.replace(numerical, levels=())
    if string is not None:
        whole = len(string.categories) <= SHOWN_CATEGORIES
        string = msgspec.structs.replace(
            string, categories=string.categories[:SHOWN_CATEGORIES], complete=string.complete and whole
        )
    return msgspec.structs.replace(feature, numerical=numerical, string=string)


def _metrics(
    run: DataQualityRun, statistics: TableStatistics, drift: TableDrift | None
) -> dict[str, float | StatisticSet | None]:
    if run.constraints is not None and run.constraints.emit_metrics == "Disabled":
        return {}
    if drift is None:
        return published(statistics, {}, None)
    return published(statistics, {one.name: one.distance for one in drift.features}, drift.drifted_share)


def _write(
    result: RunResult,
    run: DataQualityRun,
    folder: str,
    statistics: TableStatistics,
    drift: TableDrift | None,
    evaluation_time: str,
) -> None:
    found = documents(statistics, run.constraints, result.violations, evaluation_time)
    found["report.html"] = table_report_html(
        run_frame("Data quality", result, run.window, evaluation_time),
        current=statistics,
        baseline=run.baseline,
        constraints=run.constraints,
        drift=drift,
        segments=result.statistics.get("segments", []),
    )
    write_documents(found, folder)
