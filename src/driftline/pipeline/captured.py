"""A run over captured predictions: read them, merge them with their labels, analyse, check, write the report."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from driftline.core.documents import (
    FAMILIES,
    Violation,
    constraints_document,
    violations_document,
)
from driftline.core.errors import InputError
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.core.window import format_time
from driftline.engine.rejects import Reject
from driftline.monitors.quality.checks import check
from driftline.monitors.quality.estimation import (
    CALIBRATION,
    ENOUGH_LABELS,
    estimate_document,
    estimate_key,
    held_against,
)
from driftline.monitors.quality.recipes import Recipe, recipe
from driftline.monitors.quality.result import QualityResult, statistics_document
from driftline.monitors.segment_ranking import SegmentRank
from driftline.pipeline.documents import write_documents
from driftline.pipeline.measuring import measure
from driftline.pipeline.no_data import no_data
from driftline.pipeline.quality_rows import QualityRows
from driftline.pipeline.report import report_html, run_frame
from driftline.pipeline.result import RunResult
from driftline.pipeline.run import ModelQualityRun
from driftline.pipeline.segmented import ranking, segments_document
from driftline.pipeline.steps import Progress, Recorder
from driftline.resources.metrics import StatisticSet


def run_model_quality(
    run: ModelQualityRun, *, now: datetime | None = None, progress: Progress | None = None
) -> RunResult:
    """Read and merge captures with labels, analyse, check, and write the report if one is asked for."""
    run.attributes.check(run.problem_type)
    recorder = Recorder(progress)
    estimating = run.calibration is not None and run.attributes.probability is not None
    threshold = run.attributes.probability_threshold
    monitor = recipe(
        run.problem_type, threshold=threshold, seed=run.seed, classes=run.attributes.classes, estimating=estimating
    )
    rows = QualityRows(monitor, run.segments)
    measured = measure(run, rows, recorder, rows.beside)
    state, counts, rejects = measured.state, measured.counts, measured.rejects
    result = recorder.step("analyse", counts["judged"], lambda: monitor.result(state), lambda r: r.item_count)
    judgement, violations = recorder.step(
        "check", result.item_count, lambda: _judge(run, result, counts, rejects), lambda found: len(found[1])
    )
    statistics = statistics_document(result, format_time(now or run.as_of or datetime.now(UTC)))
    estimate = _estimate(run, monitor, state, result, counts)
    if estimate is not None:
        statistics[estimate_key(run.problem_type)] = estimate
    if run.segments:
        statistics["segments"] = segments_document(_segments(run, monitor, result, rows))
    metrics = _published(result)
    finished = RunResult(
        judgement, result.item_count, statistics, violations, tuple(recorder.steps), rejects, metrics, counts, estimate
    )
    if run.report is not None:
        write_report(finished, run)
    return finished


def _segments(
    run: ModelQualityRun, monitor: Recipe, result: QualityResult, rows: QualityRows
) -> tuple[SegmentRank, ...]:
    return ranking(
        monitor,
        result,
        rows.columns,
        rows.segments,
        run.segment_metric,
        run.constraints,
        minimum_sample=run.minimum_sample,
    )


def read_calibration(statistics: bytes, source: str) -> dict[str, Any] | None:
    """The score calibration that a baseline's ``statistics.json`` holds; None where it has none."""
    try:
        document = msgspec.json.decode(statistics)
        families = (document.get(f"{family}_metrics", {}) for family in FAMILIES.values())
        found = next((family[CALIBRATION] for family in families if CALIBRATION in family), None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AttributeError, TypeError) as error:
        hint = "give the statistics.json that a baseline wrote"
        raise InputError(f"{source} is no statistics.json", evidence=str(error)[:200], hint=hint) from None
    return found if isinstance(found, dict) else None


def _estimate(
    run: ModelQualityRun, monitor: Recipe, state: Any, result: QualityResult, counts: dict[str, int]
) -> dict[str, Any] | None:
    """The metrics as they would be estimated without any label; where nearly all labels are in, held against them."""
    found = None if run.calibration is None else monitor.estimate(state, run.calibration, run.history)
    if found is None:
        return None
    document = estimate_document(found)
    if counts["predictions"] and counts["judged"] >= ENOUGH_LABELS * counts["predictions"]:
        document["within"] = held_against(document, result.metrics)
    return document


def write_report(result: RunResult, run: ModelQualityRun) -> list[Path]:
    """Write ``statistics.json``, ``constraint_violations.json``, the constraints that were checked, ``report.html``."""
    documents: dict[str, Any] = {
        "statistics": result.statistics,
        "constraint_violations": violations_document(list(result.violations)),
    }
    if run.constraints is not None:
        documents["constraints"] = constraints_document(run.constraints)
    documents["report.html"] = report_html(
        run_frame("Model quality", result, run.window, result.statistics["dataset"]["evaluation_time"]),
        statistics=result.statistics,
        constraints=run.constraints,
        calibration=run.calibration,
    )
    return write_documents(documents, run.report or ".")


def _judge(
    run: ModelQualityRun, result: QualityResult, counts: dict[str, int], rejects: tuple[Reject, ...]
) -> tuple[Judgement, tuple[Violation, ...]]:
    if result.item_count == 0:
        return Judgement(Verdict.UNKNOWN, (no_data(run, counts, rejects),)), ()
    if run.constraints is None:
        reason = Reason(
            "no_constraints", "no constraints were given: the metrics were computed and nothing was checked"
        )
        return Judgement(Verdict.UNKNOWN, (reason,)), ()
    return check(result, run.constraints, minimum_sample=run.minimum_sample)


def _published(result: QualityResult) -> dict[str, float | StatisticSet | None]:
    published: dict[str, float | StatisticSet | None] = {}
    for name, metric in result.metrics.items():
        published[name] = metric.value
        published[f"{name}_std"] = metric.standard_deviation
    return published
