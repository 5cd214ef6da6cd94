"""Reports of each problem type, small enough to check by hand."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from types import ModuleType
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest

from driftline.core.documents import Constraint, Violation
from driftline.core.verdict import Verdict
from driftline.reporting.model_quality import Report

SVG = "{http://www.w3.org/2000/svg}"
LESS, GREATER = "LessThanThreshold", "GreaterThanThreshold"


class Step(NamedTuple):
    """A step as the pipeline records it."""

    name: str
    rows_in: int
    rows_out: int
    seconds: float


def metric(value: Any, lower: float = 0.0, upper: float = 1.0, deviation: Any = 0.01) -> dict[str, Any]:
    """A metric's entry of the document."""
    interval = {"lower": lower, "upper": upper, "level": 0.95, "method": "Wilson score"}
    return {"value": value, "standard_deviation": deviation, "confidence_interval": interval}


def binary(**changes: Any) -> dict[str, Any]:
    """300 rows: 82 positives, of which 38 were found, with 42 false alarms."""
    family: dict[str, Any] = {
        "confusion_matrix": {"0": {"0": 176, "1": 42}, "1": {"0": 44, "1": 38}},
        "recall": metric(38 / 82, 0.36, 0.571),
        "precision": metric(38 / 80, 0.369, 0.583),
        "true_positive_rate": metric(38 / 82, 0.36, 0.571),
        "false_positive_rate": metric(42 / 218, 0.146, 0.25),
        "f2": metric(0.4656, 0.368, 0.566),
        "f2_best_constant_classifier": metric(0.6529, 0.59, 0.71),
        "auc": metric(0.6946, 0.626, 0.755),
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": [0.0, 0.1, 0.5, 1.0],
            "true_positive_rates": [0.0, 0.4, 0.8, 1.0],
        },
        "precision_recall_curve": {"precisions": [1.0, 0.6, 0.4, 82 / 300], "recalls": [0.0, 0.3, 0.7, 1.0]},
    }
    dataset = {"item_count": 300, "evaluation_time": "2026-11-23T00:00:01Z"}
    return {"version": 0.0, "dataset": dataset, "binary_classification_metrics": family | changes}


def multiclass(classes: int, each: int = 9) -> dict[str, Any]:
    """Classes of ten rows, one of each taken for the class after it."""
    names = [f"class {number}" for number in range(classes)]
    matrix = {name: {name: each, names[(place + 1) % classes]: 1} for place, name in enumerate(names)}
    family = {"confusion_matrix": matrix, "accuracy": metric(0.9, 0.8, 0.95), "weighted_f1": metric(0.9, 0.8, 0.95)}
    rows = {"item_count": classes * (each + 1)}
    return {"version": 0.0, "dataset": rows, "multiclass_classification_metrics": family}


def regression() -> dict[str, Any]:
    """Errors with units, each of another size."""
    family = {
        "mae": metric(18234.5, 17300.0, 19200.0),
        "mse": metric(9.1e8, 7.9e8, 1.05e9),
        "rmse": metric(30166.2, 28100.0, 32400.0),
        "r2": metric(0.853, 0.82, 0.88),
    }
    return {"version": 0.0, "dataset": {"item_count": 1460}, "regression_metrics": family}


def report(statistics: dict[str, Any], verdict: Verdict = Verdict.OK, **changes: Any) -> Report:
    """A report with everything that has no default."""
    given: dict[str, Any] = {
        "title": "Model quality of churn",
        "window": "23:00–00:00",
        "generated": "2026-11-23 00:00:01",
    }
    return Report(statistics=statistics, verdict=verdict, **(given | changes))


def violated(
    *names: str, threshold: float = 0.6958, less: bool = True, statistics: Any = None, **changes: Any
) -> Report:
    """A report in which the named metrics do not meet a threshold."""
    operator = LESS if less else GREATER
    return report(
        statistics or binary(),
        Verdict.VIOLATED,
        constraints={name: Constraint(threshold, operator) for name in names},  # type: ignore[arg-type]
        violations=tuple(
            Violation(metric_name=name, constraint_check_type=operator, description=f"{name} was {operator}")
            for name in names
        ),
        **changes,
    )


def drawings(page: str) -> list[ET.Element]:
    """Every drawing of a page, parsed as XML, which fails for one that is not well formed."""
    found = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    return [ET.fromstring(drawing) for drawing in found]  # noqa: S314


def titled(page: str, title: str) -> ET.Element:
    """The first drawing of that name."""
    return next(drawing for drawing in drawings(page) if drawing.findtext(f"{SVG}title") == title)


def headline(page: str) -> str:
    """The verdict, which stands before anything else that is shown."""
    found = re.search(r'<body>\s*<header>\s*<h1 class="\w+"><span aria-hidden="true">. </span>(.*?)</h1>', page)
    assert found is not None
    return found.group(1)


class _Outline(HTMLParser):
    """Open elements, to see that each is closed in turn; and what could reach outside."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.tags: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def sound(page: str, most: int = 300_000) -> None:
    """What holds for every page, whatever it is made from."""
    assert len(page.encode()) <= most
    outline = _Outline(page)
    assert outline.open == []
    assert not outline.tags & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "image",
        "use",
        "foreignobject",
        "a",
        "form",
    }
    for _, name, value in outline.attributes:
        assert name not in {"src", "href", "xlink:href", "style", "action"}
        assert not name.startswith("on")
        assert name == "xmlns" or "://" not in (value or "") or name == "aria-label"
    assert "@import" not in page
    assert "url(" not in page.partition("</style>")[0]
    for drawing in drawings(page):
        assert drawing.get("role") == "img"
        assert [child.tag for child in drawing][:2] == [f"{SVG}title", f"{SVG}desc"]
        assert "nan" not in (drawing.get("viewBox") or "")


@pytest.fixture(scope="session")
def make() -> ModuleType:
    """The functions of this file."""
    return sys.modules[__name__]
