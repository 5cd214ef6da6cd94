"""Executions as SageMaker tells them: their names of jobs, how they ended, where their results are."""

from __future__ import annotations

import re
from typing import NamedTuple

from driftline.core.verdict import Verdict
from driftline.core.window import partition
from driftline.resources.executions import FINISHED, Execution
from driftline.sagemaker.definitions import KINDS, Definition, Kind

LABELLED = ("ModelQuality", "ModelBias")
"""The types whose first step puts predictions and ground truth together."""
NO_DATA = "Job inputs had no data"
_MERGE = "groundtruth-merge"
_DIGITS, _FEWEST = 24, 16
_LONGEST = 63
"""Characters that the name of a job may have: of a long one the digits of its execution are fewer."""
_MOST_REASON = 1024
_WORDS = "|".join((_MERGE, *(f"{kind.word}-monitoring" for kind in KINDS.values())))
_JOB = re.compile(rf"(?P<word>{_WORDS})-[0-9]{{12}}-(?P<id>[0-9a-f]{{{_FEWEST},{_DIGITS}}})")


class Ending(NamedTuple):
    """How an execution stands: its status, why it failed, and whether it did so when ground truth was merged."""

    status: str
    reason: str | None = None
    merging: bool = False


def merge_job(execution: Execution) -> str:
    """The name of the job that merges ground truth."""
    return _name(_MERGE, execution)


def analysis_job(kind: Kind, execution: Execution) -> str:
    """The name of the job that analyses."""
    return _name(f"{kind.word}-monitoring", execution)


def _name(word: str, execution: Execution) -> str:
    return f"{word}-{execution.tick:%Y%m%d%H%M}-{execution.id[:_DIGITS]}"[:_LONGEST]


def beginning_of_id(job: str) -> str | None:
    """How the id of the execution begins whose job has this name; None for a name that no such job has.

    >>> beginning_of_id("groundtruth-merge-202105062300-0123456789abcdef01234567")
    '0123456789abcdef01234567'
    >>> beginning_of_id("baseline-suggestion-job")
    """
    found = _JOB.fullmatch(job)
    return None if found is None else found["id"]


def is_merge(job: str) -> bool:
    """Whether a job's name is that of the first step."""
    return job.startswith(f"{_MERGE}-")


def ending(execution: Execution, definition: Definition) -> Ending:
    """How an execution stands. A window without predictions, or without labels where they are needed, failed."""
    if execution.status == "Failed":
        what = (execution.message or execution.error or "the run failed").removeprefix("Failed: ")
        return Ending("Failed", what[:_MOST_REASON])
    codes = {reason.code for reason in execution.reasons} if execution.verdict == Verdict.UNKNOWN else set()
    labelled = definition.kind.type in LABELLED
    if codes & {"no_captures", "no_rows"}:
        return Ending("Failed", NO_DATA, merging=labelled)
    if labelled and "no_labels" in codes:
        where = definition.ground_truth or f"the labels of {execution.endpoint}"
        reason = f'No S3 objects found under S3 URL "{where}" given in input data source: no ground truth'
        if any(step.name == "read labels" and step.rows_in for step in execution.steps):
            reason = f'{NO_DATA}: no record of the ground truth under S3 URL "{where}" can be read'
        return Ending("Failed", reason, merging=True)
    if labelled and "no_matches" in codes:
        return Ending("Failed", f"{NO_DATA}: no ground truth has the id of a prediction", merging=True)
    return Ending(execution.status)


def shown_job(execution: Execution, definition: Definition) -> str | None:
    """The job that stands for an execution: the one that runs, that failed, or the last; none before it began."""
    state = ending(execution, definition)
    if state.status == "Pending":
        return None
    merging = definition.kind.type in LABELLED and (state.status == "InProgress" or state.merging)
    return merge_job(execution) if merging else analysis_job(definition.kind, execution)


def exit_message(execution: Execution, definition: Definition) -> str | None:
    """What the analysis says at its end; None before."""
    if execution.status not in FINISHED:
        return None
    state = ending(execution, definition)
    if state.reason is not None:
        return f"{state.status}: {state.reason}"
    return execution.message or f"{state.status}: Job ended."


def report_uri(execution: Execution, definition: Definition) -> str:
    """Where the result files of an execution are: the hour is that of the run, not of its data."""
    parts = [definition.output.rstrip("/"), execution.schedule, partition(execution.tick)]
    if not definition.batch:
        parts.insert(1, execution.endpoint)
    return "/".join(parts)


def merged_uri(execution: Execution, definition: Definition, variant: str) -> str:
    """Where predictions that were put together with their labels are: the folder with the hours."""
    merged = f"{definition.output.rstrip('/')}/merge"
    return f"{merged}/{execution.schedule}" if definition.batch else f"{merged}/{execution.endpoint}/{variant}"
