"""The files of a monitor: statistics, constraints and violations, as the service writes and reads them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Literal, cast, get_args

import msgspec

from driftline.core.errors import InputError
from driftline.core.json_text import Lines, parse_object

Operator = Literal["LessThanThreshold", "GreaterThanThreshold"]
ProblemType = Literal["BinaryClassification", "MulticlassClassification", "Regression"]
FAMILIES: dict[str, str] = {
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
    "Regression": "regression",
}


class Interval(msgspec.Struct, frozen=True):
    """A confidence interval and the method that made it."""

    lower: float
    upper: float
    level: float
    method: str


class Metric(msgspec.Struct, frozen=True):
    """One metric: its value, the deviation over five 80 % samples, its interval; or why it has no value."""

    value: float | None
    standard_deviation: float | None = None
    confidence_interval: Interval | None = None
    error: str | None = None


class Constraint(msgspec.Struct, frozen=True, omit_defaults=True):
    """A metric must not be less (or greater) than a threshold; ``suggestion`` says why it was proposed."""

    threshold: float
    comparison_operator: Operator
    suggestion: str | None = None


class Violation(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One constraint that was not met, and what the judgement rests on: value, threshold, interval and rows.

    It is about a metric, or about a feature of a table. A bias metric has the ``facet`` and its value and the ``stage``
    (``pre_training``, ``post_training``), an attribution the ``label`` of the output. A feature that drifted has the
    ``p_value`` of its distance and the rows of the baseline; ``new_categories`` are values that were not expected with
    their counts, ``samples`` are some of the records that broke the rule.
    """

    metric_name: str | None = None
    feature_name: str | None = None
    constraint_check_type: str
    description: str
    value: float | None = None
    threshold: float | None = None
    confidence_interval: Interval | None = None
    item_count: int | None = None
    p_value: float | None = None
    baseline_count: int | None = None
    new_categories: tuple[tuple[str, int], ...] = ()
    samples: tuple[str, ...] = ()
    facet: str | None = None
    facet_value: str | None = None
    stage: str | None = None
    label: str | None = None

    @property
    def subject(self) -> str:
        """What it is about: the metric, the feature, or the check where it concerns neither."""
        if self.facet is not None:
            return f"{self.metric_name} of {self.facet} {self.facet_value}"
        return self.metric_name or self.feature_name or self.constraint_check_type

    @property
    def line(self) -> str:
        """The description after what it is about, unless it names that itself; of bias with what the baseline allows.

        >>> Violation(feature_name="age", constraint_check_type="c", description="It drifted").line
        'age: It drifted'
        """
        about = self.label or self.subject
        if self.facet is not None and self.threshold is not None:
            return f"{about}: {self.description} (the baseline allows {self.threshold:.6g})"
        return self.description if about in self.description.split() else f"{about}: {self.description}"


INFINITE = 2.348543e108
"""What stands for an infinite number where none can be; the original service publishes it."""


def finite(violation: Violation) -> Violation:
    """A violation as it can be stored and sent, where JSON has no infinite numbers.

    >>> finite(Violation(constraint_check_type="c", description="d", value=float("-inf"))).value
    -2.348543e+108
    """
    interval = violation.confidence_interval
    if interval is not None:
        ends = {"lower": _bounded(interval.lower), "upper": _bounded(interval.upper)}
        interval = msgspec.structs.replace(interval, **ends)
    value = None if violation.value is None else _bounded(violation.value)
    threshold = None if violation.threshold is None else _bounded(violation.threshold)
    return msgspec.structs.replace(violation, value=value, threshold=threshold, confidence_interval=interval)


def _bounded(value: float) -> float:
    return math.copysign(INFINITE, value) if math.isinf(value) else value


class ModelQualityConstraints(msgspec.Struct, frozen=True):
    """The constraints of one problem type, by metric name."""

    problem_type: ProblemType
    constraints: dict[str, Constraint]


def dump(document: Any) -> bytes:
    """A document as indented JSON with a final newline. Numbers that JSON cannot hold become their names."""
    return json.dumps(plain_values(document), indent=2, ensure_ascii=False).encode() + b"\n"


def plain_values(document: Any) -> Any:
    """A document as the values that :func:`dump` writes: mappings with texts as keys, lists, texts, finite numbers.

    >>> plain_values({1: (0.5, float("-inf"))})
    {'1': [0.5, '-Infinity']}
    """
    return _finite(msgspec.to_builtins(document))


def _finite(node: Any) -> Any:
    if isinstance(node, float) and not math.isfinite(node):
        return "NaN" if math.isnan(node) else ("Infinity" if node > 0 else "-Infinity")
    if isinstance(node, dict):
        return {str(key): _finite(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_finite(value) for value in node]
    return node


def metric_document(metric: Metric) -> dict[str, Any]:
    """A metric as it stands in ``statistics.json``; a deviation that was not computed is the string ``NaN``."""
    document: dict[str, Any] = {
        "value": metric.value,
        "standard_deviation": "NaN" if metric.standard_deviation is None else metric.standard_deviation,
    }
    if metric.confidence_interval is not None:
        document["confidence_interval"] = msgspec.to_builtins(metric.confidence_interval)
    if metric.error is not None:
        document["error"] = metric.error
    return document


def constraints_document(constraints: ModelQualityConstraints) -> dict[str, Any]:
    """The content of ``constraints.json``."""
    family = FAMILIES[constraints.problem_type]
    return {"version": 0.0, f"{family}_constraints": msgspec.to_builtins(constraints.constraints)}


def violations_document(violations: list[Violation]) -> dict[str, Any]:
    """The content of ``constraint_violations.json``; written even when there are none."""
    return {"violations": msgspec.to_builtins(violations)}


def read_constraints(data: bytes, source: str) -> ModelQualityConstraints:
    """The constraints of a ``constraints.json``, which people edit by hand.

    ``source`` names the file in messages. Raises :class:`InputError` with the line and the reason for a document
    that cannot be used: an operator that does not exist, a threshold that is not a number, no constraints at all.
    """
    document = parse_object(data, source)
    found = [problem for problem, family in FAMILIES.items() if f"{family}_constraints" in document]
    if len(found) != 1:
        raise InputError(
            f"{source} holds no model-quality constraints",
            evidence=f"its keys are: {', '.join(map(str, document)) or 'none'}",
            hint="expected one of " + ", ".join(f"{family}_constraints" for family in FAMILIES.values()),
        )
    problem: Any = found[0]
    section = document[f"{FAMILIES[problem]}_constraints"]
    if not isinstance(section, dict):
        raise InputError(f"{source}: {FAMILIES[problem]}_constraints must be an object", hint="see docs/files.md")
    lines = Lines(data, source)

    def broken(name: str, field: str | None, reason: str) -> InputError:
        path = (f"{FAMILIES[problem]}_constraints", name) + (() if field is None else (field,))
        return lines.broken(path, f"constraint {name}: {reason}")

    return ModelQualityConstraints(
        problem, {name: constraint_of(name, entry, broken) for name, entry in section.items()}
    )


def constraint_of(name: str, entry: Any, broken: Callable[[str, str | None, str], InputError]) -> Constraint:
    """The constraint of a metric from the JSON object that describes it.

    ``broken`` makes the error of the metric's field (None: of the whole) and the reason, which is raised for an object
    that cannot be used.
    """
    operators = get_args(Operator)
    if not isinstance(entry, dict):
        raise broken(name, None, "expected an object with threshold and comparison_operator")
    operator, threshold, suggestion = (entry.get(key) for key in ("comparison_operator", "threshold", "suggestion"))
    if operator not in operators:
        raise broken(name, "comparison_operator", f"{operator!r} is not an operator; use {' or '.join(operators)}")
    if not isinstance(threshold, float) or not math.isfinite(threshold):
        raise broken(name, "threshold", f"{threshold!r} is not a finite number")
    if not isinstance(suggestion, str | None):
        raise broken(name, "suggestion", "suggestion must be text")
    return Constraint(threshold, cast(Operator, operator), suggestion)
