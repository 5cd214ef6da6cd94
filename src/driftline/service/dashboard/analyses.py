"""The report of a stored run as data: what its page draws is made of the same structs as the HTML report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from driftline.core.analysis_documents import read_attribution, read_bias
from driftline.core.attribution_analysis import AttributionAnalysis
from driftline.core.attribution_document import EXPLANATIONS
from driftline.core.bias_analysis import BiasAnalysis
from driftline.core.bias_document import BIAS_SECTIONS
from driftline.core.documents import Constraint, read_constraints
from driftline.core.errors import DriftlineError, ServiceError
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_constraints_document import read_table_constraints
from driftline.core.table_statistics import TableStatistics
from driftline.core.table_statistics_reader import ListedStatistics
from driftline.core.verdict import Judgement, Verdict
from driftline.jobs.attributes import data_attributes
from driftline.monitors.attribution import drift as rankings
from driftline.pipeline.attribution_report import shown_drift
from driftline.pipeline.bias import without_flips
from driftline.pipeline.captured import read_calibration
from driftline.pipeline.report import Frame
from driftline.reporting.report import AttributionReport, BiasReport, FeatureDrift, Report, RunReport, TableReport
from driftline.resources.executions import Execution, ExecutionStatus
from driftline.resources.schedules import Schedule
from driftline.service import Service
from driftline.storage import baselines, executions, neighbours, schedules

T = TypeVar("T")
DRIFT = "driftline_drift"
"""Where the stored statistics of a run hold how far it is from its baseline."""
TITLES = {
    "model-quality": "Model quality",
    "data-quality": "Data quality",
    "bias": "Bias",
    "attribution": "Feature attribution",
}
_EMPTY, _FEW = b"{}", 16
"""What a document is that says nothing, and the length below which it is looked for."""


class RunHead(msgspec.Struct, frozen=True):
    """A run as every page of it names it. ``baseline`` is that of its schedule now."""

    id: str
    endpoint: str
    schedule: str
    monitor: str
    baseline: str | None
    window_start: datetime
    window_end: datetime
    tick: datetime
    revision: int
    status: ExecutionStatus
    verdict: Verdict | None
    item_count: int | None

    @property
    def finished(self) -> bool:
        """Whether it has a verdict."""
        return self.verdict is not None


class Analysis(msgspec.Struct, frozen=True):
    """A run with its report; ``notes`` say what could not be had, and what is shown in its place.

    The features of a :class:`TableReport` and of its baseline are known by name and type only; ``stored`` is what the
    store has of them, without sketches, and ``listed`` the baseline's whole document.
    """

    head: RunHead
    folder: Path
    schedule: Schedule
    report: RunReport
    notes: tuple[str, ...] = ()
    stored: ListedStatistics | None = None
    listed: ListedStatistics | None = None


def analysis_of(service: Service, run_id: str) -> Analysis:
    """The report of a run; raises :class:`NotFoundError` where there is no such run.

    Documents that are gone or cannot be read are left out and told of.
    """
    with service.store.read() as db:
        run = executions.get(db, run_id)
        schedule = schedules.get(db, run.schedule)
        stored = _baseline(db, schedule)
    folder, gone = _folder(service, run)
    documents = _Documents(run, schedule, folder, stored)
    documents.notes += gone
    report = _MAKERS[schedule.monitor](documents)
    notes, tables = tuple(documents.notes), documents.tables
    return Analysis(_head(run, schedule), documents.folder, schedule, report, notes, *tables)


def _folder(service: Service, run: Execution) -> tuple[Path, list[str]]:
    """The report folder of a run, and what is said where it cannot be had from the store."""
    try:
        return service.report_folder(run), []
    except ServiceError as error:
        return service.layout.data / run.report, [f"The files of this run are in the store: {error.what}."]


def _baseline(db: Any, schedule: Schedule) -> baselines.Baseline | None:
    if schedule.baseline is None:
        return None
    try:
        return baselines.get(db, schedule.baseline)
    except DriftlineError:
        return None


def _head(run: Execution, schedule: Schedule) -> RunHead:
    same = {name for name in RunHead.__struct_fields__ if name not in ("monitor", "baseline")}
    values = {name: getattr(run, name) for name in same}
    return RunHead(monitor=schedule.monitor, baseline=schedule.baseline, **values)


class _Documents:
    """What there is of a run; whatever cannot be read becomes a note."""

    def __init__(self, run: Execution, schedule: Schedule, folder: Path, stored: baselines.Baseline | None) -> None:
        self.run, self.schedule, self.folder, self.stored = run, schedule, folder, stored
        self.tables: tuple[ListedStatistics | None, ListedStatistics | None] = (None, None)
        self.notes: list[str] = []
        if schedule.baseline is not None and stored is None:
            self.notes.append(f"The baseline {schedule.baseline} is not there any longer, so nothing stands beside.")
        if data_attributes(schedule.attributes).program is not None:
            self.notes.append("A program of the operator analysed this run; only what it left is shown.")

    @property
    def source(self) -> str:
        return f"baseline {self.schedule.baseline}"

    def tried(self, read: Callable[[], T]) -> T | None:
        """What is read; None, and a note, for what cannot be."""
        try:
            return read()
        except DriftlineError as error:
            self.notes.append(f"{error.what}: it is left out.")
            return None

    def of_baseline(self, part: str, read: Callable[[bytes, str], T]) -> T | None:
        """A document of the baseline; None where there is none."""
        data: bytes = b"" if self.stored is None else getattr(self.stored, part)
        return (
            None if len(data) < _FEW and data.strip() in (b"", _EMPTY) else self.tried(lambda: read(data, self.source))
        )

    def file(self, name: str) -> bytes | None:
        """A file of the report folder; None where it is gone."""
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def frame(self) -> dict[str, Any]:
        """What every report tells."""
        run = self.run
        judgement = None if run.verdict is None else Judgement(run.verdict, run.reasons)
        frame = Frame(
            TITLES[self.schedule.monitor],
            str(run.statistics.get("dataset", {}).get("evaluation_time", "")),
            judgement,
            str(run.window),
            run.violations,
            run.counts,
        )
        return frame.fields() | {"endpoint": run.endpoint, "schedule": run.schedule}


def _model_quality(given: _Documents) -> Report:
    return Report(
        **given.frame(),
        statistics=given.run.statistics,
        constraints=_limits(given),
        baseline=given.of_baseline("statistics", lambda data, _: _document(data)),
        calibration=given.of_baseline("statistics", read_calibration),
    )


def _limits(given: _Documents) -> dict[str, Constraint]:
    """The constraints that were checked; where the report is gone those of the baseline as they are now."""
    file = given.file("constraints.json")
    if file is not None:
        found = given.tried(lambda: read_constraints(file, "constraints.json of the run"))
    else:
        found = given.of_baseline("constraints", read_constraints)
        if found is not None:
            given.notes.append("The report of this run was removed; constraints are those of the baseline today.")
    return {} if found is None else found.constraints


def _document(data: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _data_quality(given: _Documents) -> TableReport:
    statistics, stored = given.run.statistics, None
    if "features" in statistics:
        stored = given.tried(lambda: ListedStatistics(_encoded(statistics), "the statistics of the run"))
    listed = given.of_baseline("statistics", _listed)
    given.tables = (stored, listed)
    return TableReport(
        **given.frame(),
        current=TableStatistics(0) if stored is None else stored.table(),
        baseline=None if listed is None else listed.table(),
        constraints=given.of_baseline("constraints", _table_constraints),
        drift=tuple(_feature_drift(one) for one in statistics.get(DRIFT, ()) if "features" in statistics),
        segments=tuple(statistics.get("segments", ())),
    )


@lru_cache(maxsize=8)
def _table_constraints(data: bytes, source: str) -> DataQualityConstraints:
    """Read once: those of two thousand features take longer than all else on a page."""
    return read_table_constraints(data, source)


@lru_cache(maxsize=2)
def _listed(data: bytes, source: str) -> ListedStatistics:
    return ListedStatistics(data, source)


def _encoded(statistics: dict[str, Any]) -> bytes:
    """What the store holds of a run, which has no number that JSON cannot hold."""
    return msgspec.json.encode(statistics)


def _feature_drift(one: dict[str, Any]) -> FeatureDrift:
    adjusted = one.get("adjusted_p_value")
    return FeatureDrift(
        one["name"],
        one.get("method", ""),
        one.get("distance"),
        one.get("threshold"),
        one.get("p_value") if adjusted is None else adjusted,
        one.get("drifted", False),
        one.get("reason") or "",
    )


def _bias(given: _Documents) -> BiasReport:
    statistics = given.run.statistics
    found = None
    if any(section in statistics for section in BIAS_SECTIONS.values()):
        found = given.tried(lambda: read_bias(_encoded(statistics), "the statistics of the run"))
    before = given.of_baseline("constraints", read_bias)
    return BiasReport(
        **given.frame(),
        current=found or BiasAnalysis("", "", ()),
        baseline=None if before is None else without_flips(before),
    )


def _attribution(given: _Documents) -> AttributionReport:
    statistics = given.run.statistics
    found, drift = None, []
    if EXPLANATIONS in statistics:
        found = given.tried(lambda: read_attribution(_encoded(statistics), "the statistics of the run"))
        drift = msgspec.convert(statistics.get(DRIFT, []), list[rankings.RankingDrift])
    threshold = data_attributes(given.schedule.attributes).threshold
    return AttributionReport(
        **given.frame(),
        current=found or AttributionAnalysis(()),
        baseline=given.of_baseline("constraints", read_attribution),
        drift=shown_drift(drift, given.run.violations, threshold),
    )


_MAKERS: dict[str, Callable[[_Documents], RunReport]] = {
    "model-quality": _model_quality,
    "data-quality": _data_quality,
    "bias": _bias,
    "attribution": _attribution,
}


def beside(service: Service, head: RunHead) -> tuple[str | None, str | None]:
    """The ids of the runs of the schedule before and after a run."""
    with service.store.read() as db:
        return neighbours.beside(db, head.schedule, head.id, head.tick, head.window_start)
