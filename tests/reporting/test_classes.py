"""Classifiers of several classes: what is measured of each class, names of any kind, and metrics without an end."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import pytest

from driftline.core.documents import Constraint
from driftline.reporting.model_quality import render
from driftline.reporting.text import abridge

LONG = "n" * 190
NAMES = [
    "<script>alert(1)</script>",
    f"{LONG} first",
    f"{LONG} second",
    "\N{ARABIC LETTER MEEM}\N{ARABIC LETTER REH}",
    "",
]
FAMILY = "multiclass_classification_metrics"


def statistics(make: ModuleType, names: list[str], **family: Any) -> dict[str, Any]:
    """Ten rows of each class: nine found, one taken for the next class."""
    after = {name: names[(place + 1) % len(names)] for place, name in enumerate(names)}
    matrix = {name: {name: 9, after[name]: 1} for name in names}
    given = {"confusion_matrix": matrix, "accuracy": make.metric(0.9, 0.8, 0.95)} | family
    return {"dataset": {"item_count": 10 * len(names)}, FAMILY: given}


def class_lines(page: str) -> dict[str, list[str]]:
    """The cells of the table of classes, by class."""
    table = page.partition('aria-label="Table of classes"')[2].partition("</table>")[0]
    rows = re.findall(r'<tr><th scope="row"><bdi>(.*?)</bdi></th>(.*?)</tr>', table)
    return {name: re.findall(r"<td[^>]*>(.*?)</td>", row) for name, row in rows}


@pytest.mark.parametrize("nested", [False, True], ids=["class in metric", "metric in class"])
def test_metrics_of_single_classes_stand_beside_their_rows(make: ModuleType, nested: bool) -> None:
    areas = {name: make.metric(0.75, 0.5, 0.875) for name in ("a", "b", "value")}
    by_class = {"per_class": {name: {"roc_auc_ovr": area} for name, area in areas.items()}}
    family = by_class if nested else {"roc_auc_ovr_by_class": areas}
    page = render(make.report(statistics(make, ["a", "b", "value", "d"], **family)))
    assert '<th scope="col" class="number">ROC AUC one-vs-rest</th>' in page
    interval = '<span class="soft ends">0.5000 – 0.8750</span>'
    assert class_lines(page)["a"] == ["10", "10", "90.0 %", "90.0 %", f"0.7500 {interval}"]
    assert class_lines(page)["value"][-1].startswith("0.7500")
    assert class_lines(page)["d"][-1] == "–"


@pytest.mark.parametrize("classes", [100, 1000])
def test_of_many_classes_the_worst_are_shown(make: ModuleType, classes: int) -> None:
    names = [f"{LONG}{number:06}" for number in range(classes)]
    areas = {name: make.metric(0.75) for name in names}
    given = statistics(make, names, roc_auc_ovr_by_class=areas)
    given[FAMILY]["confusion_matrix"][names[77]] = {names[77]: 1, names[3]: 9}
    page = render(make.report(given))
    assert len(page.encode()) < 300_000
    shown = class_lines(page)
    assert len(shown) == 30
    assert next(iter(shown)) == abridge(names[77], 80)
    assert f"30 of {classes:,} classes: those with the most missed rows." in page


def test_a_matrix_of_every_pair_of_many_classes_stays_small(make: ModuleType) -> None:
    names = [f"{'&' * 200}{number}" for number in range(120)]
    matrix = {actual: dict.fromkeys(names, 10**9) for actual in names}
    page = render(make.report(statistics(make, names, confusion_matrix=matrix)))
    assert len(page.encode()) < 300_000


def test_names_are_text_and_told_apart(make: ModuleType) -> None:
    page = render(make.report(statistics(make, NAMES)))
    assert "<script" not in page
    shown = class_lines(page)
    assert len(shown) == len(NAMES)
    assert shown.keys() >= {"&lt;script&gt;alert(1)&lt;/script&gt;", "(empty)", NAMES[3]}
    assert sum(name.endswith(("first", "second")) for name in shown) == 2
    words = [node.text or "" for node in make.titled(page, "Confusion matrix").iter(f"{make.SVG}text")]
    assert {word[-3:] for word in words if word.startswith("nn")} == {"rst", "ond"}


def test_a_loss_has_an_axis_of_its_own_after_the_shares(make: ModuleType) -> None:
    family = {
        "log_loss": make.metric(0.5, 0.4, 0.6),
        "top_2_accuracy": make.metric(0.9375),
        "roc_auc_ovr": make.metric(1.0),
    }
    constraints = {
        "log_loss": Constraint(0.45, "GreaterThanThreshold", "the baseline's 0.4 & <a tolerance>"),
        "accuracy": Constraint(0.5, "LessThanThreshold"),
    }
    page = render(make.report(statistics(make, ["a", "b", "c"], **family), constraints=constraints))
    shares, _, loss, _ = (drawing for drawing in make.drawings(page) if "Metrics" in drawing[0].text)
    texts = [[node.text for node in drawing.iter(f"{make.SVG}text")] for drawing in (shares, loss)]
    assert {"Accuracy", "Top 2 accuracy", "ROC AUC one-vs-rest"} <= set(texts[0])
    assert "Log loss" not in texts[0]
    assert {"Log loss", "≤ 0.4500"} <= set(texts[1])
    assert "1.0" not in texts[1]
    assert '<td class="why soft">the baseline&#39;s 0.4 &amp; &lt;a tolerance&gt;</td>' in page


def test_without_suggestions_there_is_no_column_for_them(make: ModuleType) -> None:
    constraints = {"accuracy": Constraint(0.5, "LessThanThreshold")}
    assert "Why this threshold" not in render(make.report(statistics(make, ["a", "b", "c"]), constraints=constraints))
