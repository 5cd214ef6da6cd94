"""One run without a service: read, merge, analyse, check."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from driftline.core.documents import (
    ModelQualityConstraints,
    Violation,
    constraints_document,
    dump,
    violations_document,
)
from driftline.core.errors import InputError
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.core.window import Window, format_time
from driftline.engine.attributes import OutputAttributes
from driftline.engine.files import list_files
from driftline.engine.local import Found, LocalEngine
from driftline.engine.rejects import Reject
from driftline.engine.tables import Columns, PredictionTable
from driftline.monitors import model_quality
from driftline.monitors.model_quality import BinaryQuality, QualityState
from driftline.storage.files import write_atomic

T = TypeVar("T")
LABEL_LOOKBACK = timedelta(days=1)
PROBLEM_TYPES = ("BinaryClassification",)


class Step(msgspec.Struct, frozen=True):
    """One step of a run: rows in and out, and its duration in seconds."""

    name: str
    rows_in: int
    rows_out: int
    seconds: float
    detail: str = ""


class ModelQualityRun(msgspec.Struct, frozen=True):
    """What to run: folders of captures and labels, how to read the output, what to check against.

    With a ``window`` only captures inside it count; with ``as_of`` too, only labels in the hour folders from a day
    before it up to that of ``as_of`` (without: all there are). ``report`` is the folder the documents go to.
    """

    captures: str
    labels: str | None
    problem_type: str
    attributes: OutputAttributes
    constraints: ModelQualityConstraints | None = None
    window: Window | None = None
    as_of: datetime | None = None
    seed: int = 0
    report: str | None = None


class RunResult(msgspec.Struct, frozen=True):
    """What a run found. ``metrics`` holds every metric by name, and its deviation as ``name_std``."""

    judgement: Judgement
    item_count: int
    statistics: dict[str, Any]
    violations: tuple[Violation, ...]
    steps: tuple[Step, ...]
    rejects: tuple[Reject, ...]
    metrics: dict[str, float | None]
    counts: dict[str, int]


class Baseline(msgspec.Struct, frozen=True):
    """What a baseline yields: the documents, and the rows of the file that could not be used."""

    statistics: dict[str, Any]
    constraints: ModelQualityConstraints
    item_count: int
    rejects: tuple[Reject, ...]


class _Recorder:
    """Keeps the steps of a run."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, name: str, rows_in: int, work: Callable[[], T], rows_out: Callable[[T], int]) -> T:
        start = time.perf_counter()
        done = work()
        self.steps.append(Step(name, rows_in, rows_out(done), time.perf_counter() - start))
        return done


def check_problem_type(problem_type: str) -> str:
    """The problem type itself when it is supported."""
    if problem_type not in PROBLEM_TYPES:
        raise InputError(f"problem type {problem_type!r} is not supported", hint=f"use {' or '.join(PROBLEM_TYPES)}")
    return problem_type


def baseline_model_quality(
    file: str | Path, columns: Columns, *, problem_type: str, threshold: float = 0.5, seed: int = 0, now: datetime
) -> Baseline:
    """Statistics and suggested constraints from a file of predictions with labels.

    ``now`` is the evaluation time written into the statistics. Raises :class:`InputError` for a file that cannot be
    read, a missing column, or a file without one usable row.
    """
    check_problem_type(problem_type)
    table = PredictionTable(file, columns)
    try:
        monitor = BinaryQuality(threshold=threshold, seed=seed)
        state = monitor.measure(table.batches())
        rejects = (*table.rejects(), *_not_a_class(state, str(file)))
        result = monitor.result(state)
        if result.item_count == 0:
            raise InputError(
                f"{file} has no row that can be used",
                evidence="; ".join(str(reject) for reject in rejects) or "it has no rows",
                hint="a baseline needs rows with a label and a prediction or probability",
            )
    finally:
        table.close()
    document = model_quality.statistics_document(result, format_time(now))
    return Baseline(document, model_quality.suggest(result), result.item_count, rejects)


def write_baseline(baseline: Baseline, folder: str | Path) -> list[Path]:
    """Write ``statistics.json`` and ``constraints.json``; returns their paths."""
    documents = {"statistics": baseline.statistics, "constraints": constraints_document(baseline.constraints)}
    return _write(documents, folder)


def run_model_quality(run: ModelQualityRun, *, now: datetime | None = None) -> RunResult:
    """Read and merge captures with labels, analyse, check, and write the report if one is asked for."""
    check_problem_type(run.problem_type)
    recorder = _Recorder()
    monitor = BinaryQuality(threshold=run.attributes.probability_threshold, seed=run.seed)
    with tempfile.TemporaryDirectory(prefix="driftline-") as spill, LocalEngine(spill=spill) as engine:
        captures, labels, state, rejects = _measure(run, engine, monitor, recorder)
    counts = _counts_of(captures, labels, state)
    result = recorder.step("analyse", counts["judged"], lambda: monitor.result(state), lambda r: r.item_count)
    judgement, violations = recorder.step(
        "check", result.item_count, lambda: _judge(run, result, counts, rejects), lambda found: len(found[1])
    )
    statistics = model_quality.statistics_document(result, format_time(now or run.as_of or datetime.now(UTC)))
    metrics = _published(result)
    finished = RunResult(
        judgement, result.item_count, statistics, violations, tuple(recorder.steps), rejects, metrics, counts
    )
    if run.report is not None:
        write_report(finished, run.report, run.constraints)
    return finished


def write_report(result: RunResult, folder: str | Path, constraints: ModelQualityConstraints | None) -> list[Path]:
    """Write ``statistics.json``, ``constraint_violations.json`` and the constraints that were checked."""
    documents = {
        "statistics": result.statistics,
        "constraint_violations": violations_document(list(result.violations)),
    }
    if constraints is not None:
        documents["constraints"] = constraints_document(constraints)
    return _write(documents, folder)


def _measure(
    run: ModelQualityRun, engine: LocalEngine, monitor: BinaryQuality, recorder: _Recorder
) -> tuple[Found, Found, QualityState, tuple[Reject, ...]]:
    none = Found(0, 0, 0, ())
    files = list_files(run.captures, run.window)
    captures = none
    if files:
        captures = recorder.step(
            "read captures",
            len(files),
            lambda: engine.load_captures(files, run.attributes, run.window),
            lambda f: f.usable,
        )
    labels = _load_labels(run, engine, recorder) if captures.usable else none
    state = monitor.merge([])
    if captures.usable:
        state = recorder.step(
            "merge", captures.usable, lambda: monitor.measure(engine.joined()), lambda s: s.rows - s.unlabelled
        )
    mismatched = engine.mismatches() if captures.usable else ()
    return captures, labels, state, (*captures.rejects, *labels.rejects, *mismatched, *_not_a_class(state, "labels"))


def _load_labels(run: ModelQualityRun, engine: LocalEngine, recorder: _Recorder) -> Found:
    files = list_files(run.labels, _label_window(run)) if run.labels and Path(run.labels).exists() else []
    if not files:
        engine.without_labels()
        return Found(0, 0, 0, ())
    return recorder.step("read labels", len(files), lambda: engine.load_labels(files), lambda f: f.usable)


def _label_window(run: ModelQualityRun) -> Window | None:
    """Labels are filed under the hour they were collected: from a day before the predictions up to now."""
    if run.window is None or run.as_of is None:
        return None
    return Window(run.window.start - LABEL_LOOKBACK, max(run.as_of, run.window.end) + timedelta(microseconds=1))


def _not_a_class(state: QualityState, source: str) -> tuple[Reject, ...]:
    return (Reject(source, "not_a_class", state.not_a_class),) if state.not_a_class else ()


def _counts_of(captures: Found, labels: Found, state: QualityState) -> dict[str, int]:
    return {
        "capture_records": captures.records,
        "predictions": captures.usable,
        "duplicate_events": captures.duplicates,
        "label_records": labels.records,
        "labels": labels.usable,
        "duplicate_labels": labels.duplicates,
        "matched": state.rows - state.unlabelled,
        "unlabelled": state.unlabelled,
        "judged": state.rows - state.unlabelled - state.not_a_class,
    }


def _judge(
    run: ModelQualityRun, result: model_quality.QualityResult, counts: dict[str, int], rejects: tuple[Reject, ...]
) -> tuple[Judgement, tuple[Violation, ...]]:
    if result.item_count == 0:
        return Judgement(Verdict.UNKNOWN, (no_data(run, counts, rejects),)), ()
    if run.constraints is None:
        reason = Reason(
            "no_constraints", "no constraints were given: the metrics were computed and nothing was checked"
        )
        return Judgement(Verdict.UNKNOWN, (reason,)), ()
    return model_quality.check(result, run.constraints)


def no_data(run: ModelQualityRun, counts: dict[str, int], rejects: tuple[Reject, ...]) -> Reason:
    """Why no prediction could be judged: the step that emptied the window, and the checklist answered with facts."""
    window = "all times" if run.window is None else str(run.window)
    refused = ", ".join(f"{reject.count} {reject.source} {reject.reason}" for reject in rejects) or "none"
    if counts["capture_records"] == 0:
        code, message = "no_captures", f"no captured prediction in the window ({window})"
    elif counts["predictions"] == 0:
        code, message = "no_rows", "every captured prediction was refused"
    elif counts["labels"] == 0:
        code, message = "no_labels", f"no label for any of {counts['predictions']} predictions ({window})"
    elif counts["matched"] == 0:
        code, message = "no_matches", "no label's event id equals an inference id (or event id) of a prediction"
    else:
        code, message = "no_rows", "every label was refused: a binary label is 0 or 1"
    checklist = (
        ("window", window),
        ("captures looked for in", run.captures),
        ("capture records found", str(counts["capture_records"])),
        ("predictions that could be read", str(counts["predictions"])),
        ("labels looked for in", run.labels or "nowhere: no label folder was given"),
        ("labels found", str(counts["labels"])),
        ("predictions with a label", str(counts["matched"])),
        ("records refused", refused),
    )
    return Reason(code, message, dict(counts), checklist)


def _published(result: model_quality.QualityResult) -> dict[str, float | None]:
    published: dict[str, float | None] = {}
    for name, metric in result.metrics.items():
        published[name] = metric.value
        published[f"{name}_std"] = metric.standard_deviation
    return published


def _write(documents: dict[str, Any], folder: str | Path) -> list[Path]:
    paths = {Path(folder) / f"{name}.json": document for name, document in documents.items()}
    for path, document in paths.items():
        write_atomic(path, dump(document))
    return list(paths)
