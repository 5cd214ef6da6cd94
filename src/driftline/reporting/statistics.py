"""The statistics document as charts and tables need it: read once, forgiving of whatever stands in it."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from driftline.core.documents import FAMILIES
from driftline.reporting.matrix import Matrix, read_matrix
from driftline.reporting.text import shorten

ROC = "receiver_operating_characteristic_curve"
PRECISION_RECALL = "precision_recall_curve"
RELIABILITY = "reliability_curve"
CALIBRATION = "score_calibration"
_WORDS = {"nan": "not a number", "infinity": "infinite", "-infinity": "infinite"}


class Entry(msgspec.Struct, frozen=True):
    """One metric: its value or why there is none, its deviation, and its interval with level and method."""

    value: float | None
    deviation: float | None = None
    lower: float | None = None
    upper: float | None = None
    level: float | None = None
    method: str = ""
    error: str = ""


class Statistics(msgspec.Struct, frozen=True):
    """What a statistics document says: its problem type, rows, metrics, matrix and curves (as lists of equal length).

    A reliability curve is the mean score of each bin, the share of positives in it, and its number of rows. ``classes``
    holds metrics of single classes, by the metric and then the class. ``calibration`` is that of a baseline's scores.
    """

    problem: str = ""
    rows: int = 0
    metrics: dict[str, Entry] = {}
    matrix: Matrix = Matrix()
    roc: tuple[list[float], list[float]] | None = None
    precision_recall: tuple[list[float], list[float]] | None = None
    reliability: tuple[list[float], list[float], list[float]] | None = None
    classes: dict[str, dict[str, Entry]] = {}
    calibration: dict[str, Any] = {}


def read_statistics(document: Mapping[str, Any]) -> Statistics:
    """Whatever can be used of a ``statistics.json``; what cannot is left out and never raises."""
    problem = next((name for name, family in FAMILIES.items() if f"{family}_metrics" in document), "")
    family = mapping(document.get(f"{FAMILIES.get(problem, '')}_metrics"))
    matrix = read_matrix(family.get("confusion_matrix"))
    rows = whole(mapping(document.get("dataset")).get("item_count"))
    metrics = {str(name): read_entry(node) for name, node in family.items() if is_metric(node)}
    roc = columns(family.get(ROC), "false_positive_rates", "true_positive_rates")
    precision_recall = columns(family.get(PRECISION_RECALL), "recalls", "precisions")
    bins = columns(family.get(RELIABILITY), "scores", "positives", "weights")
    return Statistics(
        problem,
        matrix.total if rows is None else rows,
        metrics,
        matrix,
        None if roc is None else (roc[0], roc[1]),
        None if precision_recall is None else (precision_recall[0], precision_recall[1]),
        None if bins is None else (bins[0], bins[1], bins[2]),
        read_classes(family),
        dict(mapping(family.get(CALIBRATION))),
    )


def is_metric(node: object) -> bool:
    """Whether a part of a document is a metric: it has a value, or says that it has none."""
    # A class may be called "value": then there is an object where a metric has its number.
    return isinstance(node, Mapping) and "value" in node and not isinstance(node["value"], Mapping)


def read_classes(family: Mapping[Any, Any]) -> dict[str, dict[str, Entry]]:
    """Metrics of single classes, whether written as class in metric or as metric in class in a table."""
    found: dict[str, dict[str, Entry]] = {}
    for name, node in family.items():
        for one, entry in mapping(node).items() if name != "confusion_matrix" and not is_metric(node) else ():
            inner = [(str(name), entry)] if is_metric(entry) else list(mapping(entry).items())
            for metric, given in inner:
                if is_metric(given):
                    found.setdefault(str(metric), {})[str(one)] = read_entry(given)
    return found


def finite(value: object) -> float | None:
    """A finite number as a float; None for anything else, such as the string ``NaN``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def whole(value: object) -> int | None:
    """A count: a number of at least 0, without its fraction."""
    found = finite(value)
    return None if found is None or found < 0 else int(found)


def mapping(value: object) -> Mapping[Any, Any]:
    """A mapping itself; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def columns(node: object, *names: str) -> tuple[list[float], ...] | None:
    """Lists of one object side by side, without the places where one of them is not a share from 0 up.

    All but a list named ``weights`` hold shares of at most 1. None where fewer than one place is left.
    """
    lists = [mapping(node).get(name) for name in names]
    if not all(isinstance(values, list | tuple) for values in lists):
        return None
    most = [sys.float_info.max if name == "weights" else 1.0 for name in names]
    rows = zip(*(_known(values or (), top) for values, top in zip(lists, most, strict=True)), strict=False)
    kept = [row for row in rows if None not in row]
    return tuple(list(column) for column in zip(*kept, strict=True)) if kept else None


def _known(values: Sequence[object], most: float) -> list[Any]:
    """The numbers from 0 to ``most`` as floats, None in the place of anything else."""
    return [
        float(value)
        if isinstance(value, float | int) and 0 <= value <= most and value is not True and value is not False
        else None
        for value in values
    ]


def read_entry(node: Mapping[Any, Any]) -> Entry:
    """A metric of a document."""
    value, interval = finite(node.get("value")), mapping(node.get("confidence_interval"))
    lower, upper = finite(interval.get("lower")), finite(interval.get("upper"))
    error = shorten(node.get("error") or _why(node.get("value")), 100) if value is None else ""
    if lower is None or upper is None or lower > upper:
        lower = upper = None
    level, method = finite(interval.get("level")), shorten(interval.get("method") or "", 60)
    return Entry(value, finite(node.get("standard_deviation")), lower, upper, level, method, error)


def _why(value: object) -> str:
    return "undefined" if value is None else _WORDS.get(str(value)[:20].lower(), "not a finite number")
