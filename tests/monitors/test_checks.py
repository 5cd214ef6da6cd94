"""From a baseline to constraints and from constraints to a verdict."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.documents import (
    Constraint,
    Interval,
    Metric,
    ModelQualityConstraints,
    constraints_document,
    dump,
    read_constraints,
)
from driftline.core.errors import InputError
from driftline.core.verdict import Verdict
from driftline.monitors.quality.binary import CONSTRAINED
from driftline.monitors.quality.checks import MINIMUM_SAMPLE, Tolerance, check, suggest
from driftline.monitors.quality.recipes import PROBLEM_TYPES, recipe
from driftline.monitors.quality.result import QualityResult
from driftline.testing import labelled_batch


def drawn(n: int, share: float, distinct: int, seed: int = 1) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    truth = random.random(n) < share
    return truth, np.floor((0.7 * random.random(n) + 0.3 * truth) * distinct) / distinct


def measured(truth: Any, scores: Any) -> QualityResult:
    monitor = recipe("BinaryClassification")
    return monitor.result(monitor.update(labelled_batch(np.where(truth, "1", "0").tolist(), scores=scores)))


def constraints(**metrics: tuple[float, str]) -> ModelQualityConstraints:
    made = {name: Constraint(value, operator) for name, (value, operator) in metrics.items()}  # type: ignore[arg-type]
    return ModelQualityConstraints("BinaryClassification", made)


def test_a_baseline_meets_its_own_constraints() -> None:
    for seed in range(5):
        truth, scores = drawn(500, 0.3, 50, seed=seed)
        result = measured(truth, scores)
        suggested = suggest(result, CONSTRAINED)
        assert {name: c.comparison_operator for name, c in suggested.constraints.items()} == CONSTRAINED
        judgement, violations = check(result, suggested)
        assert (judgement.verdict, judgement.reasons, violations) == (Verdict.OK, (), ())


def test_violations_are_worded_as_published() -> None:
    truth, scores = drawn(1000, 0.3, 50)
    result = measured(truth, scores)
    judgement, (violation,) = check(
        result, constraints(f2=(0.99, "LessThanThreshold"), recall=(0.0, "LessThanThreshold"))
    )
    metric = result.metrics["f2"]
    assert judgement.verdict is Verdict.VIOLATED
    assert (violation.metric_name, violation.constraint_check_type) == ("f2", "LessThanThreshold")
    assert violation.description == (
        f"Metric f2 with {metric.value:.6g} +/- {metric.standard_deviation:.6g} was LessThanThreshold '0.99'"
    )


@pytest.mark.parametrize(
    ("operator", "offset", "violated"),
    [
        ("LessThanThreshold", 0.0, False),
        ("LessThanThreshold", 1e-12, True),
        ("LessThanThreshold", -1e-12, False),
        ("GreaterThanThreshold", 0.0, False),
        ("GreaterThanThreshold", -1e-12, True),
        ("GreaterThanThreshold", 1e-12, False),
    ],
)
def test_a_value_equal_to_its_threshold_is_no_violation(operator: str, offset: float, violated: bool) -> None:
    truth, scores = drawn(1000, 0.3, 50)
    result = measured(truth, scores)
    value = result.metrics["accuracy"].value
    assert value is not None
    judgement, violations = check(result, constraints(accuracy=(value + offset, operator)))
    assert (judgement.verdict is Verdict.VIOLATED, bool(violations)) == (violated, violated)


def test_a_metric_without_a_value_leaves_the_verdict_open() -> None:
    result = measured(np.zeros(50, bool), np.full(50, 0.1))
    judgement, violations = check(
        result, constraints(recall=(0.5, "LessThanThreshold"), accuracy=(0.5, "LessThanThreshold"))
    )
    assert (judgement.verdict, violations) == (Verdict.UNKNOWN, ())
    assert [reason.code for reason in judgement.reasons] == ["metric_undefined"]
    assert "no actual positives" in judgement.reasons[0].message
    judgement, violations = check(
        result, constraints(recall=(0.5, "LessThanThreshold"), accuracy=(1.5, "LessThanThreshold"))
    )
    assert (judgement.verdict, len(violations)) == (Verdict.VIOLATED, 1)


def test_an_unknown_metric_and_no_constraints_leave_the_verdict_open() -> None:
    result = measured(*drawn(50, 0.5, 10))
    judgement, _ = check(result, constraints(f3=(0.5, "LessThanThreshold")))
    assert judgement.verdict is Verdict.UNKNOWN
    assert "f3" in judgement.reasons[0].message
    judgement, _ = check(result, constraints())
    assert (judgement.verdict, judgement.reasons[0].code) == (Verdict.UNKNOWN, "no_constraints")


def test_constraints_of_another_problem_are_refused() -> None:
    with pytest.raises(InputError, match="Regression"):
        check(measured(*drawn(50, 0.5, 10)), ModelQualityConstraints("Regression", {}))


def test_a_violation_says_what_it_rests_on() -> None:
    result = measured(*drawn(1000, 0.3, 50))
    _, (violation,) = check(result, constraints(f2=(0.99, "LessThanThreshold")))
    metric = result.metrics["f2"]
    assert metric.confidence_interval is not None
    found = (violation.value, violation.threshold, violation.confidence_interval, violation.item_count)
    assert found == (metric.value, 0.99, metric.confidence_interval, 1000)


@pytest.mark.parametrize(
    ("text", "amount", "kind"),
    [
        ("0", 0.0, "absolute"),
        ("0.02", 0.02, "absolute"),
        (".5", 0.5, "absolute"),
        ("5%", 0.05, "relative"),
        (" 12.5 % ", 0.125, "relative"),
        ("2ci", 2.0, "intervals"),
        ("1.5 ci", 1.5, "intervals"),
    ],
)
def test_tolerances_are_read(text: str, amount: float, kind: str) -> None:
    found = Tolerance.parse(text)
    assert (found.amount, found.kind) == (pytest.approx(amount), kind)


@pytest.mark.parametrize("text", ["", "-0.1", "five", "5%%", "ci", "%", "1e3", "nan", "inf", "1,5", "2 cis", "9" * 400])
def test_what_is_no_tolerance_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a tolerance") as caught:
        Tolerance.parse(text)
    assert caught.value.hint


VALUE, INTERVAL = 0.8, Interval(0.7, 0.95, 0.95, "some method")


@pytest.mark.parametrize(
    ("tolerance", "less", "greater"),
    [
        (Tolerance(), VALUE, VALUE),
        (Tolerance(0.05), VALUE - 0.05, VALUE + 0.05),
        (Tolerance(0.1, "relative"), VALUE - 0.08, VALUE + 0.08),
        (Tolerance(2, "intervals"), VALUE - 2 * 0.1, VALUE + 2 * 0.15),
    ],
)
def test_suggestions_are_loosened_to_the_worse_side(tolerance: Tolerance, less: float, greater: float) -> None:
    result = QualityResult("Regression", 100, {"r2": Metric(VALUE, 0.1, INTERVAL), "mae": Metric(VALUE, 0.1, INTERVAL)})
    suggested = suggest(result, {"r2": "LessThanThreshold", "mae": "GreaterThanThreshold", "mse": "x"}, tolerance)
    assert suggested.problem_type == "Regression"
    found = suggested.constraints
    assert set(found) == {"r2", "mae"}
    assert (found["r2"].threshold, found["mae"].threshold) == pytest.approx((less, greater), rel=1e-12)
    assert (found["r2"].comparison_operator, found["mae"].comparison_operator) == (
        "LessThanThreshold",
        "GreaterThanThreshold",
    )
    for constraint in found.values():
        assert (constraint.suggestion is None) == (tolerance.amount == 0)
        assert constraint.suggestion is None or "0.8" in constraint.suggestion
    assert check(result, suggested)[0].verdict is Verdict.OK


def test_a_negative_value_is_loosened_downwards_and_no_interval_loosens_nothing() -> None:
    result = QualityResult("Regression", 100, {"r2": Metric(-2.0)})
    operators = {"r2": "LessThanThreshold"}
    assert suggest(result, operators, Tolerance(0.1, "relative")).constraints["r2"].threshold == pytest.approx(-2.2)
    assert suggest(result, operators, Tolerance(3, "intervals")).constraints["r2"] == Constraint(
        -2.0, "LessThanThreshold"
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    value=st.floats(-1e6, 1e6),
    below=st.floats(0, 10),
    above=st.floats(0, 10),
    amount=st.floats(0, 10),
    kind=st.sampled_from(["absolute", "relative", "intervals"]),
)
def test_a_baseline_meets_what_it_suggests_and_the_file_reads_back(
    value: float, below: float, above: float, amount: float, kind: Any
) -> None:
    interval = Interval(value - below, value + above, 0.95, "some method")
    result = QualityResult(
        "Regression", 100, {"r2": Metric(value, None, interval), "mae": Metric(value, 0.1, interval)}
    )
    suggested = suggest(result, {"r2": "LessThanThreshold", "mae": "GreaterThanThreshold"}, Tolerance(amount, kind))
    assert check(result, suggested)[0].verdict is Verdict.OK
    assert read_constraints(dump(constraints_document(suggested)), "here") == suggested


@pytest.mark.parametrize(
    ("rows", "minimum", "judged"), [(29, 30, False), (30, 30, True), (5, 0, True), (99, 100, False)]
)
def test_below_the_minimum_sample_nothing_is_judged(rows: int, minimum: int, judged: bool) -> None:
    result = measured(*drawn(rows, 0.5, 10))
    judgement, violations = check(result, constraints(accuracy=(1.5, "LessThanThreshold")), minimum_sample=minimum)
    if judged:
        assert judgement.verdict is Verdict.VIOLATED
        return
    assert (judgement.verdict, violations) == (Verdict.UNKNOWN, ())
    (reason,) = judgement.reasons
    assert (reason.code, reason.evidence) == ("too_few_rows", {"rows": rows, "minimum_sample": minimum})


def test_the_minimum_sample_is_30_unless_told() -> None:
    assert MINIMUM_SAMPLE == 30
    result = measured(*drawn(29, 0.5, 10))
    assert check(result, constraints(accuracy=(0.0, "LessThanThreshold")))[0].reasons[0].code == "too_few_rows"


@pytest.mark.parametrize("problem_type", PROBLEM_TYPES)
def test_every_problem_type_has_a_recipe_whose_baseline_meets_itself(problem_type: str) -> None:
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, 400)
    monitor = recipe(problem_type, threshold=0.5, seed=2)
    batch = labelled_batch(
        labels.astype(str).tolist(),
        scores=np.clip(labels * 0.3 + random.random(400) * 0.7, 0, 1),
        predictions=(labels ^ (random.random(400) < 0.2)).astype(str).tolist(),
    )
    result = monitor.result(monitor.measure([batch]))
    assert result.problem_type == problem_type
    for text in ("0", "5%", "1ci", "0.01"):
        suggested = suggest(result, monitor.constrained, Tolerance.parse(text))
        assert suggested.problem_type == problem_type
        assert list(suggested.constraints) == list(monitor.constrained)
        assert {name: c.comparison_operator for name, c in suggested.constraints.items()} == monitor.constrained
        assert all(math.isfinite(constraint.threshold) for constraint in suggested.constraints.values())
        assert check(result, suggested)[0].verdict is Verdict.OK


def test_an_unknown_problem_type_is_refused() -> None:
    with pytest.raises(InputError, match="Clustering"):
        recipe("Clustering")
