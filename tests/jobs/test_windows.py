"""Odd windows through a schedule with the real pipeline: hardly any rows, one class, labels at every possible time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from driftline.core.verdict import Verdict
from driftline.core.window import HOUR
from driftline.jobs.executions import Worker
from driftline.jobs.late_labels import LateLabels
from driftline.jobs.planning import plan_due
from driftline.pipeline import run_model_quality
from driftline.resources.executions import Execution
from driftline.storage.database import Store
from driftline.storage.layout import Layout
from driftline.testing import START, capture, write_captures, write_labels

END = START + HOUR
EIGHT_DAYS = timedelta(days=8)


@pytest.fixture
def judged(store: Store, layout: Layout, hourly: str) -> Judged:
    return Judged(store, layout)


class Judged:
    """The hour from START, judged by the schedule of the fixture whenever it is asked."""

    def __init__(self, store: Store, layout: Layout) -> None:
        self.store, self.layout = store, layout
        self.late = LateLabels(store, layout, lambda: 0.0)
        layout.captures("churn").mkdir()

    def captured(self, *scores: float) -> None:
        """One prediction a score, ids ``p0``, ``p1`` …"""
        records = [capture(f"{s}", f"p{i}", time=START + timedelta(minutes=i % 60)) for i, s in enumerate(scores)]
        write_captures(self.layout.captures("churn"), records)

    def labelled(self, value: str, *numbers: int, at: timedelta = timedelta(), name: str = "labels") -> None:
        """A label collected so long after the window began."""
        truth = {f"p{number}": value for number in numbers}
        write_labels(self.layout.labels("churn"), truth, collected=START + at, name=name)

    def run(self) -> Execution:
        """The window's run at its tick."""
        plan_due(self.store, self.layout, END)
        return self._work(END)

    def again(self, after: timedelta) -> Execution:
        """The window's next revision, once labels have come late."""
        now = START + after
        (added,) = self.late.look(now)
        ended = self._work(now)
        assert ended.id == added.id
        return ended

    def _work(self, now: datetime) -> Execution:
        ended = Worker(self.store, self.layout, run_model_quality, now.timestamp, owner="w").run_next()
        assert ended is not None
        return ended


def codes(run: Execution) -> list[str]:
    return [reason.code for reason in run.reasons]


def test_no_row_is_no_verdict_with_a_checklist(judged: Judged) -> None:
    run = judged.run()
    assert (run.verdict, run.item_count, codes(run)) == (Verdict.UNKNOWN, 0, ["no_captures"])
    assert ("capture records found", "0") in run.reasons[0].checklist


def test_one_row_is_too_few_to_judge(judged: Judged) -> None:
    judged.captured(0.9)
    judged.labelled("1", 0)
    run = judged.run()
    assert (run.verdict, run.item_count, codes(run)) == (Verdict.UNKNOWN, 1, ["too_few_rows"])


def test_rows_of_one_class_leave_undefined_what_needs_both(judged: Judged) -> None:
    judged.captured(*[0.1] * 40)
    judged.labelled("0", *range(40))
    run = judged.run()
    metrics = run.statistics["binary_classification_metrics"]
    assert metrics["accuracy"]["value"] == 1.0
    assert metrics["f2"]["value"] is None
    assert (run.verdict, codes(run)) == (Verdict.UNKNOWN, ["metric_undefined"])


@pytest.mark.parametrize("at", [-timedelta(hours=3), timedelta(minutes=5)])
def test_labels_before_and_with_their_predictions_count_at_the_first_run(judged: Judged, at: timedelta) -> None:
    judged.captured(*[0.9] * 40)
    judged.labelled("1", *range(40), at=at)
    assert (judged.run().verdict, judged.late.look(END)) == (Verdict.OK, [])


def test_labels_eight_days_later_judge_the_window_again(judged: Judged) -> None:
    judged.captured(*[0.9] * 40)
    first = judged.run()
    assert (first.verdict, codes(first)) == (Verdict.UNKNOWN, ["no_labels"])
    judged.labelled("1", *range(40), at=EIGHT_DAYS)
    second = judged.again(EIGHT_DAYS + HOUR)
    assert (second.verdict, second.revision, second.label_coverage) == (Verdict.OK, 2, 1.0)


def test_labels_that_come_twice_and_contradict_change_the_verdict(judged: Judged) -> None:
    judged.captured(*[0.9] * 40)
    judged.labelled("1", *range(40), at=timedelta(minutes=5), name="first")
    judged.labelled("1", *range(40), at=timedelta(minutes=6), name="repeated")
    first = judged.run()
    assert (first.verdict, first.counts["duplicate_labels"]) == (Verdict.OK, 40)
    judged.labelled("0", *range(35), at=EIGHT_DAYS, name="corrected")
    second = judged.again(EIGHT_DAYS + HOUR)
    assert (second.verdict, second.counts["matched"]) == (Verdict.VIOLATED, 40)
    assert second.violations[0].metric_name == "f2"
