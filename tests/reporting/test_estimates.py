"""An estimate without labels is shown, and never taken for a measurement."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.core.documents import Constraint
from driftline.core.verdict import Reason, Verdict
from driftline.reporting.model_quality import Report, render

KEYS = [
    "estimated_binary_classification_metrics",
    "estimated_multiclass_classification_metrics",
    "estimated_regression_metrics",
]
CALIBRATION = {
    "threshold": 0.3,
    "calibrator": {"positives": [5, 745], "negatives": [2000, 250], "lowest": 0.01, "highest": 0.9625, "error": 0.007},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def estimate(**changes: Any) -> dict[str, Any]:
    """Two metrics with an estimate and one without."""
    metrics = {
        "recall": {"value": 0.625, "lower": 0.5, "upper": 0.75, "error": None},
        "auc": {"value": 0.8125, "lower": 0.8, "upper": 0.875, "error": None},
        "precision": {"value": None, "lower": None, "upper": None, "error": "there may be no predicted positives"},
    }
    document = {"is_estimate": True, "method": "estimated by a rule", "rows": 4321, "level": 0.95, "metrics": metrics}
    return document | {"conditions": []} | changes


def unlabelled(make: ModuleType, document: Any, key: str = KEYS[0], **changes: Any) -> Report:
    """A window without any label."""
    statistics = {"dataset": {"item_count": 0}, key.removeprefix("estimated_"): {}, key: document}
    reason = Reason("no_labels", "no label for any of 4321 predictions")
    report: Report = make.report(statistics, Verdict.UNKNOWN, reasons=(reason,), **changes)
    return report


def part(page: str) -> str:
    """The section of the estimate."""
    found = re.search(r'<section class="estimate">.*?</section>', page, re.DOTALL)
    assert found is not None
    return found[0]


def lines(section: str) -> dict[str, list[str]]:
    """The cells of every line of the section's tables, by the line's name."""
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th>(.*?)</tr>', section)
    return {name: re.findall(r"<td[^>]*>(.*?)</td>", row) for name, row in rows}


@pytest.mark.parametrize("key", KEYS)
def test_without_labels_the_page_leads_with_no_verdict_and_the_estimate(make: ModuleType, key: str) -> None:
    page = render(unlabelled(make, estimate(), key))
    assert make.headline(page) == "No verdict: no labels yet"
    assert page.index("Estimate, not measured: 4,321 predictions") < page.index("No label for any of 4321 predictions")
    section = part(page)
    assert "Estimated by a rule. Each 95 % interval is for the value that the labels will give." in section
    assert lines(section)["Recall"] == ["4,321", "0.6250", "0.5000 – 0.7500"]
    assert lines(section)["Precision"] == ["4,321", "no estimate: there may be no predicted positives"]
    assert page.count("<svg") == section.count("<svg") > 0


def test_an_estimate_does_not_look_like_a_measurement(make: ModuleType) -> None:
    constraints = {"auc": Constraint(0.9, "LessThanThreshold"), "f2": Constraint(0.5, "LessThanThreshold")}
    section = part(render(unlabelled(make, estimate(), constraints=constraints)))
    classes = {node.get("class") for drawing in make.drawings(section) for node in drawing.iter()}
    assert {"guess", "guess-whisker", "threshold"} <= classes
    assert not {"dot", "forbidden", "violated", "met", "truth"} & classes
    assert make.titled(section, "Estimated metrics, not measured") is not None
    assert list(lines(section)) == ["AUC", "Recall", "Precision"], (
        "the constrained one first, none that has no estimate"
    )
    assert lines(section)["AUC"][-1] == "≥ 0.9000"


def test_the_truth_is_held_against_it_once_labels_are_in(make: ModuleType) -> None:
    document = estimate(within={"recall": True, "auc": False, "precision": None})
    page = render(make.report(make.binary() | {KEYS[0]: document}))
    assert page.index("Every metric") < page.index("Estimate, not measured")
    section = part(page)
    assert "The labels are in: 1 of 2 measured values lie within the interval (95 % should)." in section
    assert lines(section)["Recall"][-2:] == ["0.4634", "✓ inside"]
    assert lines(section)["AUC"][-2:] == ["0.6946", "✕ outside"]
    assert lines(section)["Precision"][-2:] == ["–", ""]
    drawing = make.titled(section, "Estimated metrics, not measured")
    assert len([node for node in drawing.iter() if node.get("class") == "truth"]) == 1 + 2, "legend and two metrics"


def test_a_part_of_the_labels_is_no_truth(make: ModuleType) -> None:
    section = part(render(make.report(make.binary() | {KEYS[0]: estimate()})))
    assert "0.4634" not in section
    assert "The labels are in" not in section
    assert "labelled or not" in section


def test_it_says_what_it_rests_on(make: ModuleType) -> None:
    facts = lines(part(render(unlabelled(make, estimate(), calibration=CALIBRATION))))
    assert facts["labelled rows of the baseline"] == ["3,000, of which 750 are positive (25.0 %)"]
    assert facts["scores"] == ["from 0.0100 to 0.9625"]
    assert facts["decision threshold"] == ["0.3"]
    assert facts["calibration error"] == ["0.0070"]


def test_a_calibration_of_classes_says_its_rows(make: ModuleType) -> None:
    calibration = {"classes": ["a", "b"], "calibrator": {"actual": [[900, 50], [50, 1000]], "mass": [[1, 2], [3, 4]]}}
    facts = lines(part(render(unlabelled(make, estimate(), KEYS[1], calibration=calibration))))
    assert facts["labelled rows of the baseline"] == ["2,000 of 2 classes"]


def test_no_estimate_says_why(make: ModuleType) -> None:
    conditions = [
        {"code": "score_drift", "message": "scores moved", "evidence": {"distance": 0.25, "baseline_rows": 3000}},
        {"code": "too_few_rows", "message": "<b>", "evidence": {}},
    ]
    section = part(render(unlabelled(make, estimate(metrics={}, conditions=conditions))))
    assert "? UNKNOWN: the metrics cannot be estimated." in section
    assert "<h3>Scores moved</h3>" in section
    assert "Condition: score_drift" in section
    assert lines(section) == {"distance": ["0.2500"], "baseline rows": ["3,000"]}
    assert "<h3>&lt;b&gt;</h3>" in section
    assert "<svg" not in section


def test_without_an_estimate_there_is_no_section(make: ModuleType) -> None:
    assert 'class="estimate"' not in render(make.report(make.binary()))


@pytest.mark.parametrize(
    ("calibration", "said"),
    [
        (CALIBRATION, "Yes, from these scores"),
        ({"unusable": {"code": "baseline_too_small", "message": "too few rows"}}, "No: too few rows."),
    ],
)
def test_a_baseline_says_whether_windows_can_be_estimated(
    make: ModuleType, calibration: dict[str, Any], said: str
) -> None:
    page = render(make.report(make.binary(score_calibration=calibration), None))
    assert make.headline(page) == "Baseline with 0 suggested constraints"
    assert "Can metrics be estimated before labels arrive?" in page
    assert said in page
    assert "no value" not in page


@given(
    key=st.sampled_from(KEYS),
    document=JSON
    | st.fixed_dictionaries(
        {},
        optional={
            "rows": JSON,
            "level": JSON,
            "method": JSON,
            "metrics": st.dictionaries(
                st.text(max_size=5), st.fixed_dictionaries({"value": st.floats(), "lower": JSON, "upper": st.floats()})
            ),
            "conditions": st.lists(JSON, max_size=2),
            "within": JSON,
        },
    ),
    calibration=st.none() | st.fixed_dictionaries({"threshold": JSON, "calibrator": JSON}),
)
def test_whatever_stands_there_the_page_is_whole(
    make: ModuleType, key: str, document: Any, calibration: dict[str, Any] | None
) -> None:
    page = render(unlabelled(make, document, key, calibration=calibration))
    assert page.endswith("</html>\n")
    make.drawings(page)
