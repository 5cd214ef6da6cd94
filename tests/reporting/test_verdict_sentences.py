"""The verdict on an endpoint as a person says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from driftline.core.documents import Violation
from driftline.core.verdict import Reason
from driftline.reporting.verdict_sentences import JudgedRun, Watching, endpoint_sentence

NOW = datetime(2026, 11, 23, 18, 5, tzinfo=UTC)
MONITORS = ("model-quality", "data-quality", "bias", "attribution")
F2 = Violation(
    metric_name="f2", constraint_check_type="LessThanThreshold", description="d", value=0.41, threshold=0.625
)
RMSE = Violation(
    metric_name="rmse", constraint_check_type="GreaterThanThreshold", description="d", value=9.5, threshold=7.0
)


def run(hour: int, verdict: str, *violations: Violation, code: str = "", message: str = "", **more: Any) -> JudgedRun:
    """The run of the hour that begins at ``hour`` of the day; negative ones are of the day before."""
    start = NOW.replace(hour=0, minute=0) + timedelta(hours=hour)
    reasons = (Reason(code, message),) if code else ()
    return JudgedRun(start, start + timedelta(hours=1), verdict, violations=violations, reasons=reasons, **more)


def said(*runs: JudgedRun, monitor: str = "model-quality", **more: Any) -> str:
    return endpoint_sentence([Watching(monitor, "hourly", runs, **more)], NOW, UTC)


def test_nothing_watches() -> None:
    assert endpoint_sentence([], NOW, UTC) == "Nothing watches this endpoint yet."


def test_the_whole_of_it_in_one_sentence() -> None:
    few = {"predictions": 300, "matched": 36, "judged": 36}
    dark = [run(hour, "UNKNOWN", code="too_few_rows", message="36 rows", counts=few) for hour in (17, 16)]
    quality = Watching("model-quality", "a", (*dark, run(15, "VIOLATED", F2), run(14, "VIOLATED", F2), run(13, "OK")))
    bias = Watching("bias", "b", (run(17, "OK"),))
    assert endpoint_sentence([quality, bias], NOW, UTC) == (
        "F2 fell to 0.41, below its threshold 0.62, since 14:00; model quality cannot be judged for 16:00–18:00: "
        "12.0 % of labels are in (36 of 300); bias is OK as of 18:00."
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "Model quality is OK as of 18:00."),
        (2, "Both monitors are OK as of 18:00."),
        (3, "All three monitors are OK as of 18:00."),
        (4, "All four monitors are OK as of 18:00."),
    ],
)
def test_all_is_fine(number: int, words: str) -> None:
    watching = [Watching(name, name, (run(17, "OK"),)) for name in MONITORS[:number]]
    assert endpoint_sentence(watching, NOW, UTC) == words


def test_fine_is_as_old_as_the_oldest_of_them() -> None:
    watching = [Watching("bias", "a", (run(10, "OK"),)), Watching("data-quality", "b", (run(17, "OK"),))]
    assert endpoint_sentence(watching, NOW, UTC) == "Both monitors are OK as of 11:00."


def test_two_schedules_of_a_monitor_are_told_apart() -> None:
    watching = [Watching("bias", name, (run(17, verdict),)) for name, verdict in (("men", "OK"), ("age", "UNKNOWN"))]
    assert endpoint_sentence(watching, NOW, UTC) == (
        "Bias (age) cannot be judged for 17:00–18:00: no reason was recorded; bias (men) is OK as of 18:00."
    )
    both = [Watching("bias", name, (run(17, "OK"),)) for name in ("men", "age")]
    assert endpoint_sentence(both, NOW, UTC) == "All 2 schedules are OK as of 18:00."


def test_a_row_of_violations_is_followed_to_its_beginning_over_runs_that_could_not_tell() -> None:
    runs = (run(17, "VIOLATED", F2), run(16, "UNKNOWN"), run(15, "VIOLATED", RMSE, F2), run(14, "VIOLATED", RMSE))
    assert said(*runs) == "F2 fell to 0.41, below its threshold 0.62, since 15:00."


def test_a_row_without_a_beginning_is_said_to_be_older() -> None:
    assert said(run(17, "VIOLATED", F2)) == "F2 is 0.41, below its threshold 0.62, since 17:00 or earlier."


def test_an_error_rises() -> None:
    assert said(run(17, "VIOLATED", RMSE), run(16, "OK")) == "RMSE rose to 9.50, above its threshold 7.00, since 17:00."


def test_other_violations_are_named_or_counted() -> None:
    more = [
        Violation(metric_name=name, constraint_check_type="c", description="d", value=0.1, threshold=0.2)
        for name in ("recall", "precision", "auc", "f1")
    ]
    assert said(run(17, "VIOLATED", F2, more[0])).endswith("; Recall is violated too.")
    assert said(run(17, "VIOLATED", F2, *more[:3])).endswith("; Recall, Precision and AUC are violated too.")
    assert said(run(17, "VIOLATED", F2, *more)).endswith(", and 4 more violations.")


@pytest.mark.parametrize(
    ("monitor", "violation", "words"),
    [
        (
            "data-quality",
            {"feature_name": "age", "constraint_check_type": "baseline_drift_check", "value": 0.4, "threshold": 0.1},
            "The drift of age rose to 0.40, above its threshold 0.10, since 17:00.",
        ),
        (
            "data-quality",
            {"feature_name": "age", "constraint_check_type": "completeness_check", "value": 0.5, "threshold": 1.0},
            "The completeness of age fell to 0.50, below its threshold 1.00, since 17:00.",
        ),
        (
            "data-quality",
            {"constraint_check_type": "baseline_drift_check", "value": 0.5, "threshold": 0.2},
            "The share of drifted features rose to 0.50, above its threshold 0.20, since 17:00.",
        ),
        (
            "data-quality",
            {"feature_name": "age", "constraint_check_type": "data_type_check"},
            "Age: it is text., since 17:00.",
        ),
        (
            "bias",
            {
                "metric_name": "DPL", "facet": "sex", "facet_value": "F", "constraint_check_type": "bias_drift_check",
                "value": 0.31, "threshold": 0.1,
            },
            "DPL of sex F rose to 0.31, above its threshold 0.10, since 17:00.",
        ),
        (
            "attribution",
            {
                "metric_name": "shap", "label": "churned", "value": 0.71, "threshold": 0.9,
                "constraint_check_type": "feature_attribution_drift_check",
            },
            "The likeness of the ranking for churned (NDCG) fell to 0.71, below its threshold 0.90, since 17:00.",
        ),
    ],
)  # fmt: skip
def test_every_monitor_in_its_words(monitor: str, violation: dict[str, Any], words: str) -> None:
    found = Violation(description="it is text.", **violation)
    assert said(run(17, "VIOLATED", found), run(16, "OK"), monitor=monitor) == words.replace(".,", ",")


@pytest.mark.parametrize(
    ("reason", "counts", "words"),
    [
        (("no_captures", "no captured prediction"), {}, "nothing was captured"),
        (("no_labels", "x"), {"predictions": 1200, "matched": 0}, "no label is in for 1,200 predictions"),
        (("too_few_rows", "only 7 rows"), {"predictions": 7, "matched": 7}, "only 7 rows"),
        (("no_constraints", "nothing to check (2026-11-23 17:00–18:00 UTC)"), {}, "nothing to check"),
        (("", ""), {}, "no reason was recorded"),
    ],
)
def test_why_nothing_can_be_told(reason: tuple[str, str], counts: dict[str, int], words: str) -> None:
    dark = run(17, "UNKNOWN", code=reason[0], message=reason[1], counts=counts)
    assert said(dark) == f"Model quality cannot be judged for 17:00–18:00: {words}."


def test_a_failure_is_told_with_its_message() -> None:
    failed = run(17, "UNKNOWN", code="failed", message="the baseline cannot be read.", status="Failed")
    assert said(failed) == (
        "Model quality cannot be judged for 17:00–18:00: its run failed (the baseline cannot be read)."
    )


def test_overdue_paused_and_new_schedules_are_never_fine() -> None:
    late = NOW - timedelta(hours=2, minutes=5)
    assert said(run(14, "OK"), due=late) == (
        "Model quality cannot be judged: its run was due at 16:00 and has not ended."
    )
    assert said(run(14, "VIOLATED", F2), paused=True) == "Model quality is paused."
    assert said() == "No run of model quality has ended yet."


def test_times_are_those_of_the_reader_and_have_their_date_on_another_day() -> None:
    runs = (run(-2, "VIOLATED", F2), run(-3, "OK"))
    assert "since 22 Nov 22:00." in said(*runs)
    far = endpoint_sentence([Watching("bias", "a", runs)], NOW, ZoneInfo("Asia/Tokyo"))
    assert "since 23 Nov 07:00." in far, "in Tokyo it is the 24th already"
    old = NOW.replace(year=2024)
    dark = JudgedRun(old, old + timedelta(days=1), "UNKNOWN")
    assert "for 23 Nov 2024 18:05–24 Nov 2024 18:05" in said(dark)


def test_a_violation_without_any_detail() -> None:
    assert said(run(17, "VIOLATED")) == "Model quality is violated since 17:00."


def test_long_and_hostile_words_are_cut_and_kept_harmless() -> None:
    evil = Violation(feature_name="x" * 9000 + "\x00\u202e", constraint_check_type="c", description="y" * 9000)
    sentence = said(run(17, "VIOLATED", evil))
    assert len(sentence) < 400
    assert "\x00" not in sentence


def test_many_schedules_are_cut() -> None:
    watching = [Watching("bias", f"s{number}", (run(17, "UNKNOWN"),)) for number in range(50)]
    assert endpoint_sentence(watching, NOW, UTC).endswith("; and 44 more.")
