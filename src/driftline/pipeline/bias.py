"""A run of bias over captures and labels: merge, count, check, write the report."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from driftline.core.bias_analysis import BiasAnalysis
from driftline.core.bias_document import bias_document
from driftline.core.documents import Violation, violations_document
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.core.window import format_time
from driftline.engine.rejects import Reject
from driftline.monitors.bias.checks import check
from driftline.monitors.bias.publish import published
from driftline.pipeline.bias_report import bias_report_html
from driftline.pipeline.bias_rows import FLIP_TEST, BiasRows
from driftline.pipeline.documents import write_documents
from driftline.pipeline.measuring import measure
from driftline.pipeline.no_data import no_data
from driftline.pipeline.report import run_frame
from driftline.pipeline.result import RunResult
from driftline.pipeline.run import BiasRun
from driftline.pipeline.steps import Progress, Recorder


def run_bias(run: BiasRun, *, now: datetime | None = None, progress: Progress | None = None) -> RunResult:
    """Read and merge captures with labels, count, check, and write the report if one is asked for."""
    recorder = Recorder(progress)
    rows = BiasRows(run.bias, run.attributes, run.seed)
    measured = measure(run, rows, recorder, rows.beside)
    judged = measured.counts["judged"]
    analysis = recorder.step("analyse", judged, lambda: _named(run, rows.bias.result(measured.state.bias)), _metrics)
    judgement, violations = recorder.step(
        "check", judged, lambda: _judge(run, analysis, measured.counts, measured.rejects), lambda found: len(found[1])
    )
    time = format_time(now or run.as_of or datetime.now(UTC))
    baseline = None if run.constraints is None else run.constraints
    finished = RunResult(
        judgement=judgement,
        item_count=judged,
        statistics=bias_document(analysis) | {"dataset": {"item_count": judged, "evaluation_time": time}},
        violations=violations,
        steps=tuple(recorder.steps),
        rejects=measured.rejects,
        metrics={},
        counts=measured.counts,
        dimensioned=published(analysis, baseline),
    )
    if run.report is not None:
        _write(finished, run, run.report, analysis, time)
    return finished


def _named(run: BiasRun, analysis: BiasAnalysis) -> BiasAnalysis:
    """The label by its name in the configuration, whatever it was called in the joined rows."""
    return msgspec.structs.replace(analysis, label=run.bias.label)


def _metrics(analysis: BiasAnalysis) -> int:
    return sum(len(facet.metrics) for facet in analysis.facets)


def _judge(
    run: BiasRun, analysis: BiasAnalysis, counts: dict[str, int], rejects: tuple[Reject, ...]
) -> tuple[Judgement, tuple[Violation, ...]]:
    if not counts["judged"]:
        return Judgement(Verdict.UNKNOWN, (no_data(run, counts, rejects),)), ()
    if run.constraints is None:
        message = "no baseline was given: the metrics were computed and nothing was checked"
        return Judgement(Verdict.UNKNOWN, (Reason("no_constraints", message),)), ()
    return check(analysis, without_flips(run.constraints), rule=run.rule, minimum_sample=run.minimum_sample)


def without_flips(analysis: BiasAnalysis) -> BiasAnalysis:
    """An analysis without the flip test, which is not measured of captures."""
    facets = (
        msgspec.structs.replace(facet, metrics=tuple(one for one in facet.metrics if one.name != FLIP_TEST))
        for facet in analysis.facets
    )
    return msgspec.structs.replace(analysis, facets=tuple(facets))


def _write(result: RunResult, run: BiasRun, folder: str, analysis: BiasAnalysis, time: str) -> None:
    documents: dict[str, Any] = {
        "analysis": bias_document(analysis),
        "constraint_violations": violations_document(list(result.violations)),
        "report.html": bias_report_html(
            run_frame("Bias", result, run.window, time),
            current=analysis,
            baseline=None if run.constraints is None else without_flips(run.constraints),
        ),
    }
    if run.constraints is not None:
        documents["constraints"] = bias_document(run.constraints)
    write_documents(documents, folder)
