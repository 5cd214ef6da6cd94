"""A run as the new normal: what it found becomes a baseline, and its schedule is held against that from then on."""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.core.analysis_documents import read_attribution, read_bias
from driftline.core.constraint_documents import any_constraints_document
from driftline.core.documents import FAMILIES, Constraint, Metric, dump, read_constraints
from driftline.core.errors import ConflictError, InputError, NotFoundError
from driftline.core.table_statistics_reader import read_statistics
from driftline.jobs.attributes import data_attributes
from driftline.monitors.data_quality.suggest import suggest as suggest_for_columns
from driftline.monitors.quality.checks import MINIMUM_SAMPLE, Tolerance, suggest
from driftline.monitors.quality.recipes import recipe
from driftline.monitors.quality.result import QualityResult
from driftline.resources.baselines import StoredBaseline
from driftline.resources.executions import Execution
from driftline.resources.schedules import Schedule
from driftline.service import Service
from driftline.service.dashboard.run_files import report_file
from driftline.storage import baselines, schedules

_Documents = tuple[bytes, bytes]


def why_not(run: Execution, schedule: Schedule | None) -> str:
    """Why a run cannot become a baseline, in a sentence; empty where it can."""
    if schedule is None:
        return "its schedule is gone"
    if run.status not in ("Completed", "CompletedWithViolations"):
        return "it has not been completed"
    if data_attributes(schedule.attributes).program is not None:
        return "a program of yours judged it: only that program knows what a baseline of it is"
    rows = run.item_count or 0
    if rows < MINIMUM_SAMPLE:
        return f"it rests on {rows} rows, and a baseline of fewer than {MINIMUM_SAMPLE} would mostly hold chance"
    return ""


def accept_run(service: Service, run_id: str, name: str, *, tolerance: str = "", use: bool = False) -> StoredBaseline:
    """Keep what a run found as a new baseline, and with ``use`` hold its schedule against it from now on.

    Of model quality the constrained metrics are those of the schedule's baseline (without one, those that a baseline of
    this problem type suggests), loosened by the ``tolerance``: ``0.02``, ``5%`` or ``2ci``. Of data quality the
    constraints are suggested from the statistics beside the report. Of bias and attributions the baseline is the
    analysis itself. Raises :class:`InputError` for a run that cannot become one, :class:`ConflictError` for a name that
    is taken.
    """
    run = service.get_run(run_id)
    schedule = service.get_schedule(run.schedule)
    reason = why_not(run, schedule)
    if reason:
        raise InputError(f"this run cannot become a baseline: {reason}", hint="take another run of this schedule")
    with service.store.read() as db:
        old = None if schedule.baseline is None else baselines.get(db, schedule.baseline)
    _check_free(service, name)
    constraints, statistics = _documents(service, run, schedule, old, tolerance)
    made = service.put_baseline(name, constraints, statistics)
    if use:
        service.update_schedule(schedule.name, baseline=name)
    return made


def schedule_or_none(service: Service, name: str) -> Schedule | None:
    """A schedule, or None where there is none of that name any more."""
    try:
        with service.store.read() as db:
            return schedules.get(db, name)
    except NotFoundError:
        return None


def _check_free(service: Service, name: str) -> None:
    try:
        service.get_baseline(name)
    except NotFoundError:
        return
    raise ConflictError(f"there is a baseline {name} already", hint="choose another name")


def _documents(
    service: Service, run: Execution, schedule: Schedule, old: baselines.Baseline | None, tolerance: str
) -> _Documents:
    if schedule.monitor == "data-quality":
        return _of_columns(service, run)
    if schedule.monitor == "model-quality":
        return _of_quality(run, schedule, old, tolerance)
    found = read_bias if schedule.monitor == "bias" else read_attribution
    analysis = found(dump(run.statistics), "the run")
    return dump(any_constraints_document(analysis)), _configuration(schedule, old)


def _configuration(schedule: Schedule, old: baselines.Baseline | None) -> bytes:
    """What the analysis was made with; a schedule has it itself, or from its baseline."""
    given = schedule.attributes.get("analysis_config")
    return dump(given) if given is not None else b"{}" if old is None else old.statistics


def _of_columns(service: Service, run: Execution) -> _Documents:
    # The store keeps no sketches; without them nothing could be compared with this baseline.
    statistics = report_file(service, run, "statistics.json").read_bytes()
    found = read_statistics(statistics, "the run's statistics.json")
    return dump(any_constraints_document(suggest_for_columns(found))), statistics


def _of_quality(run: Execution, schedule: Schedule, old: baselines.Baseline | None, tolerance: str) -> _Documents:
    problem: Any = schedule.problem_type
    metrics = run.statistics.get(f"{FAMILIES[problem]}_metrics", {})
    result = QualityResult(problem, run.item_count or 0, _metrics(metrics))
    wanted = _constrained(schedule, old)
    found = suggest(result, wanted, Tolerance.parse(tolerance) if tolerance.strip() else None)
    if not found.constraints:
        raise InputError(
            "this run has none of the metrics that a baseline constrains",
            evidence=f"wanted: {', '.join(wanted)}",
            hint="take a run in which they have values",
        )
    return dump(any_constraints_document(found)), dump(run.statistics)


def _constrained(schedule: Schedule, old: baselines.Baseline | None) -> dict[str, str]:
    known: dict[str, Constraint] = {}
    if old is not None:
        known = read_constraints(old.constraints, f"baseline {old.name}").constraints
    return {name: one.comparison_operator for name, one in known.items()} or recipe(schedule.problem_type).constrained


def _metrics(family: dict[str, Any]) -> dict[str, Metric]:
    single = {name: node for name, node in family.items() if isinstance(node, dict) and "value" in node}
    return {name: msgspec.convert(_plain(node), Metric) for name, node in single.items()}


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    """A metric of the document, in which a deviation that was not computed is a text."""
    return {key: None if isinstance(value, str) and key != "error" else value for key, value in node.items()}
