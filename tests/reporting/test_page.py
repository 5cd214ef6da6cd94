"""The page as a file: complete, bounded, harmless, and readable in both schemes."""

from __future__ import annotations

import itertools
import re
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.core.documents import Constraint, Violation
from driftline.core.verdict import Reason, Verdict
from driftline.engine.rejects import Reject
from driftline.reporting.model_quality import Report, render
from driftline.reporting.styles import CHARTS

UGLY = ["", "<script>alert(1)</script>", "\"&'>", "x" * 10_000, "&" * 10_000, "\x00\ud800\u202e", "名" * 500, "]]>"]
WILD = [(place * 7919 % 10_000) / 9999 for place in range(10_000)]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(UGLY),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_every_family_gives_a_sound_page(make: ModuleType) -> None:
    for statistics in (make.binary(), make.multiclass(4), make.multiclass(30), make.multiclass(50), make.regression()):
        page = render(make.report(statistics, baseline=statistics))
        make.sound(page)
        assert page.startswith("<!DOCTYPE html>")
        assert "default-src 'none'; style-src 'unsafe-inline'" in page


def test_the_same_report_gives_the_same_page(make: ModuleType) -> None:
    assert render(make.violated("f2")) == render(make.violated("f2"))


def test_binary_shows_matrix_and_curves(make: ModuleType) -> None:
    page = render(make.report(make.binary(), baseline=make.binary()))
    titles = [drawing.findtext(f"{make.SVG}title") for drawing in make.drawings(page)]
    limits = "Metrics against their thresholds"
    assert titles == [limits, limits, "Confusion matrix", "ROC curve", "Precision–recall curve"]
    assert "this data, n 300, AUC 0.6946" in page


def test_reliability_is_drawn_where_there_is_one(make: ModuleType) -> None:
    bins = {"scores": [0.1, 0.9], "positives": [0.2, 0.7], "weights": [200, 100]}
    assert make.titled(render(make.report(make.binary(reliability_curve=bins))), "Reliability curve") is not None


def test_regression_shows_each_error_on_an_axis_of_its_own(make: ModuleType) -> None:
    page = render(make.report(make.regression()))
    assert [drawing.findtext(f"{make.SVG}title") for drawing in make.drawings(page)] == [
        "Metrics against their thresholds"
    ] * 8
    assert "Decisions and scores" not in page


def test_many_classes_become_a_table(make: ModuleType) -> None:
    page = render(make.report(make.multiclass(50)))
    assert "50 classes are too many to draw" in page
    assert '<td class="number">1</td><td class="number">10.0 %</td><td class="number">10</td>' in page
    assert "Confusion matrix" not in page
    assert make.titled(render(make.report(make.multiclass(30))), "Confusion matrix") is not None


def test_the_table_holds_the_numbers_each_with_its_n(make: ModuleType) -> None:
    page = render(make.violated("f2"))
    rows = dict(re.findall(r'<tr><th scope="row">([^<]*)</th>(.*?)</tr>', page))
    cells = {name: re.findall(r"<td[^>]*>(.*?)</td>", row) for name, row in rows.items()}
    assert cells["F2"] == ["✕ violated", "300", "0.4656", "0.3680 – 0.5660", "0.0100", "≥ 0.6958", "0.6529"]
    assert cells["Recall"] == ["", "82", "0.4634", "0.3600 – 0.5710", "0.0100", "–", "–"]
    assert cells["Precision"][1] == "80"
    assert cells["False positive rate"][1] == "218"


def test_undefined_metrics_say_why(make: ModuleType) -> None:
    undefined = {"value": None, "standard_deviation": "NaN", "error": "no actual positives"}
    constraints = {name: Constraint(0.5, "LessThanThreshold") for name in ("recall", "auc_pr")}
    page = render(make.report(make.binary(recall=undefined, f1={"value": "NaN"}), constraints=constraints))
    assert "no value: no actual positives" in page
    assert "no value: not computed for this data" in page
    assert "no value: not a number" in page
    assert page.count("? undefined") == 6


def test_a_value_beyond_its_threshold_is_never_called_met(make: ModuleType) -> None:
    page = render(make.report(make.binary(), constraints={"f2": Constraint(0.9, "LessThanThreshold")}))
    assert "✓ met" not in page


def test_rejects_steps_and_counts(make: ModuleType) -> None:
    rejects = (
        Reject("captures", "broken_line", 1234, ("a.jsonl:17: {<", "a.jsonl:88: }")),
        Reject("labels", "odd_one", 1),
    )
    steps = (make.Step("merge", 300, 299, 0.0514), make.Step("check", 299, 1, float("nan")))
    page = render(make.report(make.binary(), rejects=rejects, steps=steps, counts={"capture_records": 302}))
    assert "1,234 in captures: a line is not a JSON object of the expected shape" in page
    assert '<pre tabindex="0">a.jsonl:17: {&lt;\na.jsonl:88: }</pre>' in page
    assert "1 in labels: odd one" in page
    assert (
        '<th scope="row">merge</th><td class="number">300</td><td class="number">299</td><td class="number">0.051</td>'
        in page
    )
    assert '<th scope="row">capture records</th><td class="number">302</td>' in page


def test_curves_of_ten_thousand_points_stay_small(make: ModuleType) -> None:
    steps = [index / 9999 for index in range(10_000)]
    zigzag = [index % 2 / 1 for index in range(10_000)]
    roc = {"false_positive_rates": steps, "true_positive_rates": zigzag}
    wild = {"recalls": zigzag, "precisions": steps}
    statistics = make.binary(receiver_operating_characteristic_curve=roc, precision_recall_curve=wild)
    page = render(make.report(statistics, baseline=statistics))
    make.sound(page)
    assert len(page.encode()) < 150_000


def test_a_page_of_nothing_but_ugly_text_stays_bounded(make: ModuleType) -> None:
    ugly = "&'" * 5000
    names = [f"{number}{ugly}" for number in range(100)]
    reason = Reason(ugly, ugly, {}, tuple((name, ugly) for name in names))
    given = make.violated(*names, title=ugly, endpoint=ugly, schedule=ugly, window=ugly, generated=ugly)
    family = {name: make.metric(0.1) for name in names} | {
        "confusion_matrix": {name: dict.fromkeys(names[:30], 10**9) for name in names[:30]},
        "receiver_operating_characteristic_curve": {"false_positive_rates": WILD, "true_positive_rates": WILD[::-1]},
        "precision_recall_curve": {"recalls": WILD, "precisions": WILD[::-1]},
        "reliability_curve": {"scores": WILD, "positives": WILD, "weights": WILD},
        "each": {name: dict.fromkeys(names, make.metric(0.1)) for name in names},
    }
    segment = {
        "column": ugly,
        "segment": ugly,
        "metric": names[0],
        "value": 0.5,
        "violated": names,
        "violations": 10**30,
    }
    doubt = {"code": ugly, "message": ugly, "evidence": dict.fromkeys(names, ugly)}
    estimate = {
        "rows": 10**4500,
        "method": ugly,
        "metrics": {name: {"value": 0.1, "lower": 0.0, "upper": 1.0} for name in names},
        "conditions": [doubt] * 100,
        "within": dict.fromkeys(names, False),
    }
    statistics = {
        "dataset": {"item_count": 10},
        "multiclass_classification_metrics": family,
        "estimated_multiclass_classification_metrics": estimate,
        "segments": [segment | {"place": place} for place in range(1, 21)] * 20,
    }
    page = render(
        Report(
            **{field: getattr(given, field) for field in ("title", "window", "generated", "endpoint", "schedule")},
            verdict=Verdict.UNKNOWN,
            statistics=statistics,
            baseline=statistics,
            constraints={name: Constraint(0.5, "LessThanThreshold", ugly) for name in names},
            violations=tuple(
                Violation(metric_name=name, constraint_check_type="x", description=ugly) for name in names
            ),
            reasons=(reason,) * 100,
            rejects=tuple(Reject(name, ugly, 10**30, (ugly,) * 9) for name in names),
            steps=tuple(make.Step(name, 10**30, 1, 1e300) for name in names),
            counts=dict.fromkeys(names, 10**4500),
        )
    )
    make.sound(page)
    assert "and 98 more" in page, "the smallest size of a page"


@pytest.mark.parametrize("ugly", UGLY)
def test_names_of_any_kind(make: ModuleType, ugly: str) -> None:
    matrix = {ugly: {ugly: 3, "other": 1}, "other": {ugly: 2}}
    statistics = {
        "dataset": {"item_count": 6},
        "multiclass_classification_metrics": {
            "confusion_matrix": matrix,
            ugly: make.metric(0.5),
            "third": make.metric(2.0),
        },
    }
    page = render(make.violated(ugly, statistics=statistics, title=ugly, endpoint=ugly))
    make.sound(page)
    assert "<script" not in page


@pytest.mark.parametrize(
    "value", [None, float("nan"), float("inf"), "NaN", 10**400, -1e308, 1e308, 5e-324, True, [], {}]
)
def test_values_of_any_kind(make: ModuleType, value: Any) -> None:
    changes = {"recall": make.metric(value, value, value, value), "auc": make.metric(0.5, 0.9, 0.1)}
    for statistics in (
        make.binary(**changes),
        {"dataset": {"item_count": value}, "regression_metrics": {"mae": {"value": value}}},
    ):
        make.sound(render(make.violated("recall", "mae", statistics=statistics, baseline=statistics)))


@pytest.mark.parametrize("statistics", [{}, {"dataset": None}, {"binary_classification_metrics": None}])
def test_statistics_of_nothing(make: ModuleType, statistics: dict[str, Any]) -> None:
    page = render(make.report(statistics))
    make.sound(page)
    assert "n = 0 predictions with a label" in page


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_document_gives_a_sound_page(make: ModuleType, data: st.DataObject) -> None:
    family = data.draw(st.sampled_from(["binary_classification", "multiclass_classification", "regression"]))
    names = ["recall", "auc", "f2", "confusion_matrix", "receiver_operating_characteristic_curve", "reliability_curve"]
    entry = JSON | st.fixed_dictionaries({"value": st.floats() | st.none(), "confidence_interval": JSON})
    metrics = data.draw(st.dictionaries(st.sampled_from(names) | st.text(), entry, max_size=6))
    curve = data.draw(st.lists(st.floats(-0.1, 1.1), max_size=30))
    metrics["precision_recall_curve"] = {"precisions": curve, "recalls": curve[::-1]}
    statistics = {"dataset": {"item_count": data.draw(st.integers() | JSON)}, f"{family}_metrics": metrics}
    threshold = data.draw(st.floats())
    given = make.report(
        statistics,
        data.draw(st.sampled_from(Verdict)),
        title=data.draw(st.text()),
        baseline=data.draw(st.none() | st.just(statistics)),
        constraints={name: Constraint(threshold, "GreaterThanThreshold") for name in itertools.islice(metrics, 3)},
        violations=tuple(
            Violation(metric_name=name, constraint_check_type="x", description=name)
            for name in itertools.islice(metrics, 2)
        ),
        counts=data.draw(st.dictionaries(st.text(), st.integers(), max_size=3)),
    )
    make.sound(render(given))


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _mixed(over: str, under: str, opacity: float) -> str:
    pairs = [(int(over[place : place + 2], 16), int(under[place : place + 2], 16)) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(opacity * a + (1 - opacity) * b):02x}" for a, b in pairs)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_every_text_has_enough_contrast(scheme: int) -> None:
    block = re.findall(r":root \{(.*?)\}", CHARTS, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--(\w+): (#\w{6})", block))
    for name in ("ink", "soft", "ok", "bad", "unknown"):
        assert _contrast(colours[name], colours["paper"]) >= 4.5
    for name in ("accent", "wrong"):
        assert _contrast(colours["ink"], _mixed(colours[name], colours["paper"], 0.4)) >= 4.5, "counts on shaded cells"
    for name in ("accent", "bad", "soft"):
        assert _contrast(colours[name], colours["paper"]) >= 3
