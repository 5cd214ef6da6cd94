"""The checklist of "why is there no data?": each question answered by facts, with what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from driftline.core.window import HOUR
from driftline.resources.executions import ExecutionStep
from driftline.service.dashboard.data import Facts
from driftline.storage.hour_folders import HourFolder

State = Literal["yes", "no", "unknown"]
QUIET = timedelta(minutes=30)
"""So long after the last hour with requests they are said to have stopped."""
_LABELLED = ("model-quality", "bias")
# The reasons for no verdict that are the data's; the others are of constraints and failures.
_OF_DATA = ("no_captures", "no_labels", "no_matches", "no_rows", "too_few_rows")
_COUNTS_OTHERS = ("check", "postprocess")


class Answer(msgspec.Struct, frozen=True):
    """A question, its answer, the evidence in words with its numbers, and what to do where it is no.

    ``when`` is a time that ends the evidence; ``link`` leads to what it rests on.
    """

    question: str
    state: State
    evidence: str
    todo: str = ""
    when: datetime | None = None
    link: str = ""


class Finding(msgspec.Struct, frozen=True):
    """The sentence on top: words, a time between them where there is one, words."""

    state: State
    before: str
    when: datetime | None = None
    after: str = ""


def answers(facts: Facts) -> list[Answer]:
    """The checklist, in the order in which data passes the questions."""
    found = [_requests(facts), _captured(facts), _kept(facts), _files(facts), _decoded(facts)]
    if _wants_labels(facts):
        found += [_labels(facts), _matched(facts)]
    return [*found, _emptied(facts), *_schedules(facts)]


def finding(facts: Facts, checklist: list[Answer]) -> Finding:
    """What the checklist comes to: the first thing that stands in the way."""
    if facts.last is None:
        return Finding("no", f"No request of {facts.endpoint.name} was ever captured.")
    past = facts.window.end <= facts.now
    quiet = min(facts.now, facts.window.end) - (facts.last + HOUR)
    if not past and quiet >= QUIET:
        return Finding("no", "Requests stopped at ", facts.last + HOUR, ": no capture since.")
    lost = [reason.message for reason in (facts.run.reasons if facts.run else ()) if reason.code in _OF_DATA]
    if lost:
        return Finding("no", f"The last run could not judge: {lost[0]}.")
    wrong = next((answer for answer in checklist if answer.state == "no"), None)
    if wrong is not None:
        return Finding("no", f"{wrong.question} No: {wrong.evidence}", wrong.when, ".")
    if facts.run is None:
        return Finding("unknown", f"Data arrives, {files_in_words(facts.captures)}; no run has read it yet.")
    return Finding("yes", f"Data arrives and was judged: n = {facts.run.item_count or 0:,} in the last run.")


def files_in_words(folders: list[HourFolder]) -> str:
    """How many files there are.

    >>> files_in_words([]), files_in_words([HourFolder(datetime(2026, 1, 1), 1000, 5, more=True)])
    ('no file', 'more than 1,000 files')
    """
    number, more = sum(one.files for one in folders), any(one.more for one in folders)
    return f"{'more than ' if more else ''}{_counted(number, 'file')}" if number or more else "no file"


def _requests(facts: Facts) -> Answer:
    question, counts = "Did requests arrive?", facts.counts
    if facts.requests:
        said = f"{facts.requests:,} counted ({counts.captured:,} captured, {counts.sampled_out:,} sampled out, "
        said += f"{counts.dropped:,} dropped), the last in the hour of "
        return Answer(question, "yes", said, "", facts.last)
    if any(folder.files for folder in facts.captures):
        return Answer(question, "unknown", "none was counted, but there are capture files")
    last = facts.last
    said = "none was counted, nor ever before" if last is None else "none was counted; the last came in the hour of "
    return Answer(question, "no", said, _send(facts), last)


def _send(facts: Facts) -> str:
    name = facts.endpoint.name
    kinds = {
        "model": f"driftline invoke {name} < row.csv",
        "proxy": f"send requests to /endpoints/{name}/invocations, not to the server behind it",
        "external": f"driftline captures import {name} FOLDER, or log requests with driftline.capture",
    }
    return kinds[facts.endpoint.kind]


def _captured(facts: Facts) -> Answer:
    question, counts, capture = "Were they captured?", facts.counts, facts.endpoint.capture
    told = f"{counts.captured:,} of {facts.requests:,}, at {capture.percent:g} %"
    name = facts.endpoint.name
    if not (capture.input or capture.output) or capture.percent == 0:
        return Answer(question, "no", "capture is off", f"driftline endpoint capture {name} --percent 100")
    if counts.dropped:
        todo = "free some disk space; driftline doctor --data DIR looks at it"
        return Answer(question, "no", f"{told}; {counts.dropped:,} could not be written", todo)
    if not facts.requests:
        return Answer(question, "unknown", "there was nothing to capture")
    if not counts.captured:
        return Answer(question, "no", told, f"driftline endpoint capture {name} --percent 100")
    if counts.withheld:
        todo = "look at the sensitive columns: a side is withheld when they cannot be found in it"
        return Answer(question, "yes", f"{told}; of {counts.withheld:,} a side was withheld", todo)
    return Answer(question, "yes", told)


def _kept(facts: Facts) -> Answer:
    question, start = "Are captures of that time still kept?", facts.kept_from
    if start is None:
        return Answer(question, "yes", "they are kept for ever")
    length = (facts.endpoint.retention or {})["captures"]
    if start <= facts.window.start:
        return Answer(question, "yes", f"they are kept for {length}")
    todo = f"driftline retention set {facts.endpoint.name} --captures P90D"
    return Answer(question, "no", f"they are kept for {length}, so deleted before ", todo, start)


def _files(facts: Facts) -> Answer:
    size = sum(folder.bytes for folder in facts.captures)
    hours = sum(1 for folder in facts.captures if folder.files)
    places = ", ".join(facts.folders[:4]) + (" …" if len(facts.folders) > 4 else "")
    if any(folder.files or folder.more for folder in facts.captures):
        lines = f"{'' if facts.counted else 'at least '}{_counted(facts.lines, 'record')}"
        said = f"{files_in_words(facts.captures)} in {_counted(hours, 'hour')}, {_bytes(size)}, {lines}; under {places}"
        return Answer("Are there capture files?", "yes", said + _beside(facts.stored_captures))
    if facts.stored_captures:
        return Answer("Are there capture files?", "yes", "no file on this node" + _beside(facts.stored_captures))
    todo = "they were moved or deleted" if facts.counts.captured else _send(facts)
    return Answer("Are there capture files?", "no", f"no file in the hours' folders under {places}", todo)


def _beside(stored: tuple[datetime, ...] | None) -> str:
    """What is said of the store of many nodes, which runs read, beside what is on this node."""
    return "" if stored is None else f"; the store of all nodes has files of {_counted(len(stored), 'hour')}"


def _decoded(facts: Facts) -> Answer:
    question, run = "Could the last run read them?", facts.run
    if run is None:
        return Answer(question, "unknown", "no run has read any of this time", _run_it(facts))
    records = run.counts.get("capture_records", 0)
    rows = run.counts.get("predictions", run.counts.get("rows", 0))
    refused = sum(reject.count for reject in run.rejects)
    said = f"{_counted(rows, 'row')} of {_counted(records, 'record')}, {refused:,} refused"
    reasons = ", ".join(f"{one.count:,} {one.source}: {one.reason.replace('_', ' ')}" for one in run.rejects[:5])
    link = f"/runs/{run.id}"
    if not records:
        return Answer(question, "unknown", f"it found no record ({run.message or run.status})", "", None, link)
    if rows:
        return Answer(question, "yes", said + (f" ({reasons})" if reasons else ""), "", None, link)
    todo = "compare the samples below with the schedule's attributes: driftline schedule update"
    return Answer(question, "no", f"{said} ({reasons})", todo, None, link)


def _wants_labels(facts: Facts) -> bool:
    asked = any(schedule.monitor in _LABELLED for schedule in facts.schedules)
    return asked or (facts.run is not None and "labels" in facts.run.counts)


def _labels(facts: Facts) -> Answer:
    question, name = "Did labels come?", facts.endpoint.name
    hours = [folder for folder in facts.labels if folder.files or folder.more]
    if hours:
        said = f"{files_in_words(facts.labels)} in {_counted(len(hours), 'hour')} under {facts.labels_in}"
        said += f"{_beside(facts.stored_labels)}, the last of "
        return Answer(
            question, "yes", said, "", max([*(folder.hour for folder in hours), *(facts.stored_labels or ())])
        )
    if facts.stored_labels:
        said = f"no file on this node{_beside(facts.stored_labels)}, the last of "
        return Answer(question, "yes", said, "", max(facts.stored_labels))
    said = f"no label file since the window began, under {facts.labels_in}"
    return Answer(question, "no", said, f"driftline labels put {name} labels.csv")


def _matched(facts: Facts) -> Answer:
    question, run = "Do labels and predictions have the same ids?", facts.run
    if run is None or "matched" not in run.counts:
        return Answer(question, "unknown", "no run has compared them yet", _run_it(facts))
    counts, link = run.counts, f"/runs/{run.id}"
    said = f"{counts['matched']:,} of {counts.get('predictions', 0):,} predictions had a label, "
    said += f"of {counts.get('labels', 0):,} labels that were read"
    if counts["matched"]:
        return Answer(question, "yes", said, "", None, link)
    if not counts.get("labels") or not counts.get("predictions"):
        return Answer(question, "unknown", said, "", None, link)
    todo = "a label's event id must equal the prediction's inference id, or its event id where it has none"
    return Answer(question, "no", said, todo, None, link)


def _emptied(facts: Facts) -> Answer:
    question, run = "Did rows come through every step of the last run?", facts.run
    if run is None:
        return Answer(question, "unknown", "there is no run")
    # What the last steps give are violations, of which none is well.
    steps = [step for step in run.steps if step.name not in _COUNTS_OTHERS]
    link, empty = f"/runs/{run.id}", next((step for step in steps if step.rows_out == 0), None)
    if not steps:
        return Answer(question, "unknown", f"it tells of no step: {run.message or run.status}", "", None, link)
    if empty is None:
        return Answer(question, "yes", " → ".join(_step(step) for step in steps), "", None, link)
    return Answer(question, "no", f"“{empty.name}” took {empty.rows_in:,} and gave none", "", None, link)


def _step(step: ExecutionStep) -> str:
    return f"{step.name} {step.rows_out:,}"


def _schedules(facts: Facts) -> Iterator[Answer]:
    name = facts.endpoint.name
    if not facts.schedules:
        todo = f"driftline schedule create NAME --endpoint {name}"
        yield Answer("Is there a schedule?", "no", "no schedule judges this endpoint", todo)
    for schedule in facts.schedules[:20]:
        question, link = f"Does the schedule {schedule.name} go on?", f"/schedules/{schedule.name}"
        late = [one for one in facts.overdue if one.schedule == schedule.name]
        if schedule.state == "paused":
            yield Answer(question, "no", "it is paused", f"driftline schedule resume {schedule.name}", None, link)
        elif late:
            said = f"overdue: {_counted(len(late), 'window')}; the oldest was due at "
            todo = "driftline doctor --url URL, and look whether the service's scheduler runs"
            yield Answer(question, "no", said, todo, late[0].due, link)
        elif schedule.next_tick is None:
            yield Answer(question, "no", f"{schedule.cron} has no tick left", "", None, link)
        else:
            yield Answer(question, "yes", "it is active; the next tick is at ", "", schedule.next_tick, link)


def _run_it(facts: Facts) -> str:
    return f"driftline schedule run {facts.schedules[0].name}" if facts.schedules else ""


def _bytes(number: int) -> str:
    return f"{number / 1024:,.0f} KiB" if number < 1 << 20 else f"{number / (1 << 20):,.1f} MiB"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
