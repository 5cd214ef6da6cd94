"""Baseline and check of a table, without captures: a file, or anything that exports an Arrow stream."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from driftline.core.documents import (
    ModelQualityConstraints,
    constraints_document,
    read_constraints,
    violations_document,
)
from driftline.core.errors import InputError
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.core.window import format_time
from driftline.engine.attributes import check_names
from driftline.engine.rejects import Reject
from driftline.engine.spark.frames import frame_of
from driftline.engine.tables import Columns
from driftline.monitors.quality.checks import MINIMUM_SAMPLE, Tolerance, check, suggest
from driftline.monitors.quality.estimation import CALIBRATION
from driftline.monitors.quality.recipes import Recipe, recipe
from driftline.monitors.quality.result import statistics_document
from driftline.monitors.segments import Segmentation
from driftline.pipeline.documents import content_of
from driftline.pipeline.found import Found, Judged
from driftline.pipeline.prediction_rows import PredictionRows, Predictions
from driftline.pipeline.report import Frame, report_html
from driftline.pipeline.segmented import ranking, segments_document
from driftline.pipeline.steps import Progress, Recorder

Constraints = ModelQualityConstraints | str | Path | dict[str, Any]


class Baseline(Found, frozen=True):
    """What a baseline yields: the two documents, and the rows that could not be used."""

    statistics: dict[str, Any]
    constraints: ModelQualityConstraints
    item_count: int
    rejects: tuple[Reject, ...] = ()

    def documents(self) -> dict[str, Any]:
        """The content of every file by its name without ``.json``."""
        return {"statistics": self.statistics, "constraints": constraints_document(self.constraints)}

    def page(self) -> str:
        """The report, one self-contained HTML page."""
        generated = str(self.statistics["dataset"]["evaluation_time"])
        return report_html(
            Frame("Baseline of model quality", generated, rejects=self.rejects),
            statistics=self.statistics,
            constraints=self.constraints,
        )


class Checked(Judged, frozen=True):
    """What a check found. True when the verdict is OK; prints as its verdict, renders in a notebook as the report."""

    statistics: dict[str, Any]
    constraints: ModelQualityConstraints
    item_count: int
    rejects: tuple[Reject, ...] = ()

    def rows_judged(self) -> int:
        """How many rows the verdict rests on."""
        return self.item_count

    def documents(self) -> dict[str, Any]:
        """The content of every file by its name without ``.json``."""
        return {
            "statistics": self.statistics,
            "constraint_violations": violations_document(list(self.violations)),
            "constraints": constraints_document(self.constraints),
        }

    def page(self) -> str:
        """The report, one self-contained HTML page."""
        return report_html(
            self.frame("Model quality", str(self.statistics["dataset"]["evaluation_time"]), self.rejects),
            statistics=self.statistics,
            constraints=self.constraints,
        )


def baseline_model_quality(
    data: Any,
    *,
    label: str = "label",
    prediction: str | None = None,
    probability: str | Sequence[str] | None = None,
    classes: Sequence[str] = (),
    weight: str | None = None,
    row_id: str | None = None,
    problem_type: str = "BinaryClassification",
    threshold: float = 0.5,
    tolerance: Tolerance | str | None = None,
    seed: int = 0,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Baseline:
    """Statistics and suggested constraints from predictions whose truth is known.

    ``data`` is a path (CSV, JSON lines, Parquet), a table that exports Arrow (pandas, Polars, DuckDB, pyarrow), or a
    data frame of Spark, which is measured on its executors; the other names are its columns. The samples that intervals
    and deviations come from are drawn by the column ``row_id``, or where there is none by the rows' numbers.
    ``threshold`` turns a probability into a decision where there is no prediction.
    Of a multiclass model ``probability`` may name one column a class, or one column of lists; ``classes`` are then the
    names of the classes in that order (by default those of the columns), and the most probable is the decision.
    ``tolerance`` loosens the suggestions: ``0.02``, ``5%`` or ``2ci`` (:class:`Tolerance`).
    Raises :class:`InputError` for data that cannot be read, a missing column, or not one usable row.
    """
    columns = _columns(problem_type, label, prediction, probability, weight, classes, row_id)
    monitor = recipe(problem_type, threshold=threshold, seed=seed, classes=columns.classes)
    found, rejects, source = _measure(data, columns, monitor, progress)
    result = monitor.result(found.state)
    calibration = monitor.calibration(found.state)
    if calibration is not None:
        result = msgspec.structs.replace(result, extras=result.extras | {CALIBRATION: calibration})
    if result.item_count == 0:
        raise InputError(
            f"{source} has no row that can be used",
            evidence="; ".join(str(reject) for reject in rejects) or "it has no rows",
            hint="a baseline needs rows with a label and a prediction or probability",
        )
    wanted = Tolerance.parse(tolerance) if isinstance(tolerance, str) else tolerance
    document = statistics_document(result, format_time(now or datetime.now(UTC)))
    return Baseline(document, suggest(result, monitor.constrained, wanted), result.item_count, rejects)


def check_model_quality(
    data: Any,
    constraints: Constraints,
    *,
    label: str = "label",
    prediction: str | None = None,
    probability: str | Sequence[str] | None = None,
    classes: Sequence[str] = (),
    weight: str | None = None,
    row_id: str | None = None,
    threshold: float = 0.5,
    minimum_sample: int = MINIMUM_SAMPLE,
    seed: int = 0,
    segments: Sequence[str] = (),
    segment_metric: str | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Measure predictions whose truth is known and hold them against constraints.

    ``constraints`` are those of a :class:`Baseline`, a path to ``constraints.json``, or its content. The other
    arguments are those of :func:`baseline_model_quality`; below ``minimum_sample`` rows the verdict is UNKNOWN.

    ``segments`` are columns that divide the rows: ``plan`` by its values, ``age:18,30,50`` by bins. The statistics then
    rank the segments by ``segment_metric`` (F2, weighted F2 or RMSE by default), worst first, in ``segments``.
    """
    wanted = constraints_of(constraints)
    divided = [Segmentation.parse(text) for text in segments]
    columns = _columns(wanted.problem_type, label, prediction, probability, weight, classes, row_id)
    columns = msgspec.structs.replace(columns, segments=tuple(one.column for one in divided))
    monitor = recipe(wanted.problem_type, threshold=threshold, seed=seed, classes=columns.classes)
    by_role = [msgspec.structs.replace(one, column=f"segment_{place}") for place, one in enumerate(divided)]
    found, rejects, source = _measure(data, columns, monitor, progress, by_role)
    result = monitor.result(found.state)
    document = statistics_document(result, format_time(now or datetime.now(UTC)))
    if result.item_count == 0:
        refused = sum(reject.count for reject in rejects)
        reason = Reason("no_rows", f"{source} has no row that can be judged", {"refused": refused})
        return Checked(Judgement(Verdict.UNKNOWN, (reason,)), (), document, wanted, 0, rejects)
    if divided:
        ranks = ranking(
            monitor, result, columns.segments, found.segments, segment_metric, wanted, minimum_sample=minimum_sample
        )
        document["segments"] = segments_document(ranks)
    judgement, violations = check(result, wanted, minimum_sample=minimum_sample)
    return Checked(judgement, violations, document, wanted, result.item_count, rejects)


def _columns(
    problem_type: str,
    label: str,
    prediction: str | None,
    probability: str | Sequence[str] | None,
    weight: str | None,
    classes: Sequence[str],
    identity: str | None,
) -> Columns:
    scores = probability if probability is None or isinstance(probability, str) else tuple(probability)
    columns = Columns(label, prediction, scores, weight, tuple(classes), id=identity)
    if columns.probability is not None:
        check_names(problem_type, columns.classes, given=f"probability {probability!r}")
    return columns


def constraints_of(given: Constraints) -> ModelQualityConstraints:
    """Constraints from themselves, a path to a file, or the file's content."""
    if isinstance(given, ModelQualityConstraints):
        return given
    return read_constraints(*content_of(given))


def _measure(
    data: Any,
    columns: Columns,
    monitor: Recipe,
    progress: Progress | None,
    segmentations: Sequence[Segmentation] = (),
) -> tuple[Predictions, tuple[Reject, ...], str]:
    """What is found, the rows that could not be used, and what the table is called."""
    rows, frame = PredictionRows(columns, monitor, segmentations), frame_of(data)
    recorder = Recorder(progress)
    found, source = rows.table(data, recorder) if frame is None else rows.frame(frame, recorder)
    odd = found.state.tally.not_a_class
    rejects = (*found.rejects, *((Reject(source, "not_a_class", odd),) if odd else ()))
    return found, rejects, source
