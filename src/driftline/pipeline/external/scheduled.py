"""A run whose analysis is a program of the operator's: its folders, the program, and what becomes of what it left."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from driftline.core.documents import violations_document
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.pipeline.documents import keep_log, write_documents
from driftline.pipeline.external.contract import CAPTURES, MERGED, Contract
from driftline.pipeline.external.folders import LOG, Folders, folders, lay_out
from driftline.pipeline.external.published import told
from driftline.pipeline.external.running import ExternalResult, ProgramError, run_external
from driftline.pipeline.result import RunResult
from driftline.pipeline.run import ProgramRun
from driftline.pipeline.steps import Progress, Recorder

_LEAST_SECONDS = 0.1
MOST_STATISTICS = 256 << 10
"""Bytes of a program's statistics that the store keeps; the report's file has all."""


def run_program(run: ProgramRun, *, progress: Progress | None = None) -> RunResult:
    """Lay the window's records out, run the program by the contract, and judge by the violations it leaves.

    In the report's folder are then ``output/`` with all it left, ``program.log`` with what it printed, and the
    documents. Without any record it is not run, and there is no verdict. Raises :class:`ProgramError` where it fails.
    """
    recorder, began = Recorder(progress), time.monotonic()
    with folders(run.report) as places:
        counts = recorder.step("gather", 0, lambda: lay_out(run, places.data), _records)
        if not _records(counts):
            return _nothing(run, counts, recorder)
        left = max(_LEAST_SECONDS, run.seconds - (time.monotonic() - began))
        found = recorder.step(
            f"program {run.name}",
            _records(counts),
            lambda: _ran(run, places, left),
            lambda it: len(it.violations or ()),
        )
        result = _result(run, found, counts, recorder)
        write_documents(_documents(found), places.report)
    return result


def _ran(run: ProgramRun, places: Folders, left: float) -> ExternalResult:
    program, window = run.program, run.window
    contract = Contract(
        dataset_source=str(places.data),
        output_path=str(places.output),
        dataset_format=CAPTURES if run.labels is None else MERGED,
        start_time=None if window is None else window.start,
        end_time=None if window is None else window.end,
        baseline_constraints=places.document("constraints.json", run.constraints),
        baseline_statistics=places.document("statistics.json", run.statistics),
        publish_metrics=run.publish_metrics,
        endpoint=run.endpoint,
        schedule=run.schedule,
    )
    limits = msgspec.structs.replace(program.limits, seconds=min(program.time_limit, round(left, 1)))
    try:
        found = run_external(program.run, contract, limits, environment=program.environment)
    except ProgramError as error:
        keep_log(places.report, LOG, error.log)
        raise
    keep_log(places.report, LOG, found.log)
    return found


def _result(run: ProgramRun, found: ExternalResult, counts: dict[str, int], recorder: Recorder) -> RunResult:
    metrics, dimensioned = told(found.metrics) if run.publish_metrics else ({}, ())
    said = (Reason("message", found.message),) if found.message else ()
    return RunResult(
        judgement=Judgement(found.judgement.verdict, (*found.judgement.reasons, *said)),
        item_count=_records(counts),
        statistics={"program": _kept(run, found)},
        violations=found.violations or (),
        steps=tuple(recorder.steps),
        rejects=(),
        metrics=metrics,
        counts=counts,
        dimensioned=dimensioned,
    )


def _kept(run: ProgramRun, found: ExternalResult) -> dict[str, Any]:
    """What the store keeps. The program's statistics stand below a name of their own: whoever reads ours must not take
    them for such."""
    kept: dict[str, Any] = {"name": run.name, "seconds": found.seconds, "peak_memory": found.peak_memory}
    if found.statistics is not None and len(msgspec.json.encode(found.statistics)) <= MOST_STATISTICS:
        kept["statistics"] = found.statistics
    return kept


def _documents(found: ExternalResult) -> dict[str, Any]:
    left = {"statistics": found.statistics, "constraints": found.constraints}
    if found.violations is not None:
        left["constraint_violations"] = violations_document(list(found.violations))
    return {name: document for name, document in left.items() if document is not None}


def _nothing(run: ProgramRun, counts: dict[str, int], recorder: Recorder) -> RunResult:
    window = "all times" if run.window is None else str(run.window)
    captured = bool(counts["capture_files"]) and run.labels is not None
    code = "no_labels" if captured else "no_captures"
    what = "no captured prediction with a label" if captured else "no captured prediction"
    checklist = (
        ("window", window),
        ("captures looked for in", run.captures),
        ("capture files found", str(counts["capture_files"])),
    )
    reason = Reason(code, f"{what} in the window ({window}): the program was not run", dict(counts), checklist)
    judgement = Judgement(Verdict.UNKNOWN, (reason,))
    return RunResult(judgement, 0, {}, (), tuple(recorder.steps), (), {}, counts)


def _records(counts: dict[str, int]) -> int:
    return counts.get("merged_records", 0) + counts.get("capture_records", 0)
