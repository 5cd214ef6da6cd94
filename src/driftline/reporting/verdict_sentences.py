"""What is wrong with an endpoint, what could not be told, and since when: one sentence that a person would say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

import msgspec

from driftline.core.documents import Violation
from driftline.core.verdict import Reason
from driftline.reporting.text import apart, capital, count, metric_label, percent, plural, shorten

_MOST_CLAUSES = 6
_NAMES = {
    "data-quality": "data quality",
    "model-quality": "model quality",
    "bias": "bias",
    "attribution": "attribution",
}
_NUMBERS = {2: "two", 3: "three", 4: "four"}


class JudgedRun(msgspec.Struct, frozen=True):
    """What one run found of the window [start, end)."""

    start: datetime
    end: datetime
    verdict: str | None
    status: str = "Completed"
    violations: tuple[Violation, ...] = ()
    reasons: tuple[Reason, ...] = ()
    counts: Mapping[str, int] = {}


class Watching(msgspec.Struct, frozen=True):
    """A schedule with its latest runs, the newest first; ``due`` is when its oldest overdue window was to be judged."""

    monitor: str
    schedule: str
    runs: tuple[JudgedRun, ...] = ()
    paused: bool = False
    due: datetime | None = None


def endpoint_sentence(watching: Sequence[Watching], now: datetime, zone: tzinfo) -> str:
    """The state of an endpoint: what is violated, then what is unknown and why; else that all is OK, as of when.

    Times are in ``zone``; those of another day than ``now`` have their date.
    """
    if not watching:
        return "Nothing watches this endpoint yet."
    words = _Words(now, zone, [one.monitor for one in watching])
    active = [one for one in watching if not one.paused]
    bad = [clause for one in active if (clause := _violated(one, words))]
    dark = [clause for one in active if (clause := _unknown(one, words))]
    rest = [clause for clause in (_fine(active, words, bad + dark), _paused(watching, words)) if clause]
    clauses = bad + dark + rest
    left = len(clauses) - _MOST_CLAUSES
    shown = clauses if left <= 0 else [*clauses[:_MOST_CLAUSES], f"and {left} more"]
    return capital("; ".join(shown)) + "."


class _Words:
    """How times and schedules are called."""

    def __init__(self, now: datetime, zone: tzinfo, monitors: Sequence[str]) -> None:
        self._now, self._zone, self._monitors = now.astimezone(zone), zone, monitors

    def time(self, moment: datetime) -> str:
        """``14:00``, or ``23 Nov 14:00`` on another day."""
        local = moment.astimezone(self._zone)
        if local.date() == self._now.date():
            return f"{local:%H:%M}"
        year = "" if local.year == self._now.year else f" {local.year}"
        return f"{local.day} {local:%b}{year} {local:%H:%M}"

    def window(self, start: datetime, end: datetime) -> str:
        """``16:00–18:00``, with the date where it is another."""
        same = start.astimezone(self._zone).date() == end.astimezone(self._zone).date()
        last = f"{end.astimezone(self._zone):%H:%M}" if same else self.time(end)
        return f"{self.time(start)}–{last}"

    def name(self, one: Watching) -> str:
        """The monitor, with its schedule where another of the endpoint's is of the same monitor."""
        name = _NAMES.get(one.monitor, shorten(one.monitor, 40))
        return name if self._monitors.count(one.monitor) == 1 else f"{name} ({shorten(one.schedule, 40)})"


def _violated(one: Watching, words: _Words) -> str:
    """What the latest verdict that could be reached holds against the endpoint; none where it is not VIOLATED."""
    latest = next((run for run in one.runs if run.verdict in ("OK", "VIOLATED")), None)
    if latest is None or latest.verdict != "VIOLATED":
        return ""
    if not latest.violations:
        return f"{words.name(one)} is violated since {words.time(latest.start)}"
    first, *others = latest.violations
    since, whole = _since(one.runs, first)
    when = f"since {words.time(since)}" if whole else f"since {words.time(since)} or earlier"
    return f"{_what(first, changed=whole)} {when}{_beside(first, others)}"


def _since(runs: Sequence[JudgedRun], violation: Violation) -> tuple[datetime, bool]:
    """When an unbroken row of runs with this violation began, and whether its beginning is among the runs.

    Runs without a verdict neither break the row nor belong to it: they could not tell.
    """
    told = [run for run in runs if run.verdict in ("OK", "VIOLATED")]
    start = told[0].start
    for run in told:
        if not any(_same(one, violation) for one in run.violations):
            return start, True
        start = run.start
    return start, False


def _same(one: Violation, other: Violation) -> bool:
    return (one.subject, one.label, one.stage, one.constraint_check_type) == (
        other.subject,
        other.label,
        other.stage,
        other.constraint_check_type,
    )


def _what(found: Violation, *, changed: bool) -> str:
    """A violation in numbers that differ as written; else in its own words."""
    if found.value is None or found.threshold is None or not _is_plain(found):
        return shorten(found.line, 160).rstrip(".") + ","
    value, limit = apart(found.value, found.threshold)
    above = found.value > found.threshold
    name = _subject(found)
    verb = ("rose to" if above else "fell to") if changed else "is"
    return f"{name} {verb} {value}, {'above' if above else 'below'} its threshold {limit},"


def _is_plain(found: Violation) -> bool:
    """Whether value and threshold tell everything there is to tell."""
    return found.metric_name is not None or found.constraint_check_type in (
        "baseline_drift_check",
        "completeness_check",
    )


def _subject(found: Violation) -> str:
    if found.facet is not None:
        return shorten(found.subject, 80)
    if found.label is not None:
        return f"the likeness of the ranking for {shorten(found.label, 40)} (NDCG)"
    if found.metric_name is not None:
        return metric_label(found.metric_name)
    if found.feature_name is None:
        return "the share of drifted features"
    kind = "completeness" if found.constraint_check_type == "completeness_check" else "drift"
    return f"the {kind} of {shorten(found.feature_name, 60)}"


def _beside(first: Violation, others: Sequence[Violation]) -> str:
    """What is violated besides, by name where that is short."""
    names = [name for name in dict.fromkeys(map(_short, others)) if name != _short(first)]
    if not names:
        return ""
    if len(names) > 3:
        return f", and {plural(len(others), 'more violation')}"
    return f"; {_listed(names)} {'is' if len(names) == 1 else 'are'} violated too"


def _short(found: Violation) -> str:
    own = found.metric_name is not None and found.facet is None and found.label is None
    return metric_label(found.metric_name or "") if own else shorten(found.label or found.subject, 40)


def _unknown(one: Watching, words: _Words) -> str:
    """What cannot be told of the newest windows, and why; none where it can."""
    name = words.name(one)
    if one.due is not None:
        return f"{name} cannot be judged: its run was due at {words.time(one.due)} and has not ended"
    if not one.runs:
        return f"no run of {name} has ended yet"
    newest = one.runs[0]
    if newest.verdict in ("OK", "VIOLATED"):
        return ""
    row = _row(one.runs)
    window = words.window(min(run.start for run in row), max(run.end for run in row))
    if newest.status == "Failed":
        why = shorten(newest.reasons[0].message, 160).rstrip(".") if newest.reasons else "no reason was recorded"
        return f"{name} cannot be judged for {window}: its run failed ({why})"
    return f"{name} cannot be judged for {window}: {_why(newest)}"


def _row(runs: Sequence[JudgedRun]) -> list[JudgedRun]:
    """The newest runs up to the first with a verdict."""
    judged = next((place for place, run in enumerate(runs) if run.verdict in ("OK", "VIOLATED")), len(runs))
    return list(runs[:judged])


def _why(run: JudgedRun) -> str:
    if not run.reasons:
        return "no reason was recorded"
    reason, predictions, matched = run.reasons[0], run.counts.get("predictions", 0), run.counts.get("matched")
    if reason.code == "no_captures":
        return "nothing was captured"
    if reason.code in ("no_labels", "no_matches", "too_few_rows") and predictions and matched is not None:
        if matched == 0:
            return f"no label is in for {plural(predictions, 'prediction')}"
        if matched < predictions:
            return f"{percent(matched, predictions)} of labels are in ({count(matched)} of {count(predictions)})"
    # What a reason says of its window is said already.
    return shorten(reason.message.split(" (20")[0], 160).rstrip(".")


def _fine(active: Sequence[Watching], words: _Words, others: Sequence[str]) -> str:
    """That the rest is OK, as of the oldest of their newest windows."""
    fine = [one for one in active if one.due is None and one.runs and one.runs[0].verdict == "OK"]
    if not fine:
        return ""
    until = words.time(min(one.runs[0].end for one in fine))
    if others:
        return f"{_listed([words.name(one) for one in fine])} {'is' if len(fine) == 1 else 'are'} OK as of {until}"
    if len(fine) == 1:
        return f"{words.name(fine[0])} is OK as of {until}"
    monitors = {one.monitor for one in fine}
    if len(monitors) < len(fine):
        return f"all {len(fine)} schedules are OK as of {until}"
    return f"{'both' if len(fine) == 2 else f'all {_NUMBERS.get(len(fine), len(fine))}'} monitors are OK as of {until}"


def _paused(watching: Sequence[Watching], words: _Words) -> str:
    names = [words.name(one) for one in watching if one.paused]
    return f"{_listed(names)} {'is' if len(names) == 1 else 'are'} paused" if names else ""


def _listed(names: Sequence[str]) -> str:
    """Names as a person lists them.

    >>> _listed(["a"]), _listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
