"""The verdict as a person would say it."""

from __future__ import annotations

from types import ModuleType

import pytest

from driftline.core.documents import Constraint
from driftline.core.verdict import Reason, Verdict
from driftline.reporting.model_quality import render


def test_one_violation(make: ModuleType) -> None:
    page = render(make.violated("f2"))
    assert make.headline(page) == "F2 fell to 0.47, below its threshold 0.70"


def test_several_violations(make: ModuleType) -> None:
    page = render(make.violated("f2", "recall", "auc"))
    assert make.headline(page) == "F2 fell to 0.47, below its threshold 0.70, and 2 more constraints are not met"
    assert "Recall fell to 0.46, below its threshold 0.70" in page
    assert "AUC fell to 0.69, below its threshold 0.70" in page


def test_a_value_above_a_limit(make: ModuleType) -> None:
    page = render(make.violated("mae", threshold=17000.0, less=False, statistics=make.regression()))
    assert make.headline(page) == "MAE rose to 18,234, above its threshold 17,000"


def test_a_value_that_did_not_move_is_not_said_to_fall(make: ModuleType) -> None:
    page = render(make.violated("f2", threshold=0.9, baseline=make.binary(f2=make.metric(0.41))))
    assert make.headline(page) == "F2 is 0.47, below its threshold 0.90"


@pytest.mark.parametrize("value", [0.4999, 0.49999999])
def test_numbers_of_a_violation_never_look_equal(make: ModuleType, value: float) -> None:
    sentence = make.headline(render(make.violated("f2", threshold=0.5, statistics=make.binary(f2=make.metric(value)))))
    shown, threshold = sentence.split(" to ")[1].split(", below its threshold ")
    assert shown != threshold


def test_a_violation_without_numbers_keeps_its_own_words(make: ModuleType) -> None:
    page = render(make.violated("f3"))
    assert make.headline(page) == "f3 was LessThanThreshold"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("recall", "f2", "auc"), "All 3 constraints are met"),
        (("recall",), "The one constraint is met"),
        ((), "No constraint is violated"),
    ],
)
def test_ok(make: ModuleType, names: tuple[str, ...], said: str) -> None:
    constraints = {name: Constraint(0.1, "LessThanThreshold") for name in names}
    assert make.headline(render(make.report(make.binary(), constraints=constraints))) == said


def test_unknown_shows_the_checklist(make: ModuleType) -> None:
    checklist = (("captures looked for in", "/srv/captures"), ("labels found", "0"))
    reason = Reason("no_labels", "no label for any of 300 predictions", {"labels": 0}, checklist)
    empty = {"dataset": {"item_count": 0}, "binary_classification_metrics": {}}
    page = render(make.report(empty, Verdict.UNKNOWN, reasons=(reason,), counts={"predictions": 300, "matched": 0}))
    assert make.headline(page) == "No verdict: no labels yet"
    assert "<h2>No label for any of 300 predictions</h2>" in page
    assert "n = 0 predictions with a label. Label coverage 0 % (0 of 300)" in page
    assert '<th scope="row">captures looked for in</th><td>/srv/captures</td>' in page
    assert "<svg" not in page


def test_unknown_with_several_reasons_and_none(make: ModuleType) -> None:
    reasons = (Reason("metric_undefined", "recall has no value", {"rows": 7}), Reason("no_constraints", "nothing"))
    page = render(make.report(make.binary(), Verdict.UNKNOWN, reasons=reasons))
    assert make.headline(page) == "Could not tell: recall has no value, and 1 other reason"
    assert '<th scope="row">rows</th><td>7</td>' in page
    assert make.headline(render(make.report({}, Verdict.UNKNOWN))) == "Could not tell: no reason was recorded"


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"predictions": 3000, "matched": 2999}, "Label coverage &gt;99.9 % (2,999 of 3,000)"),
        ({"predictions": 400, "matched": 300}, "Label coverage 75.0 % (300 of 400)"),
        ({"predictions": 0, "matched": 0}, "Label coverage – (0 of 0)"),
    ],
)
def test_label_coverage(make: ModuleType, counts: dict[str, int], said: str) -> None:
    assert said in render(make.report(make.binary(), counts=counts))


def test_a_baseline_has_no_window(make: ModuleType) -> None:
    assert "· reads" not in render(make.report(make.binary(), window=""))
    assert "· reads 23:00–00:00</p>" in render(make.report(make.binary()))
