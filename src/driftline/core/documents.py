"""The files of a monitor: statistics, constraints and violations, as the service writes and reads them."""

from __future__ import annotations

import json
import math
from typing import Any, Literal, cast, get_args

import msgspec

from driftline.core.errors import InputError

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

    It is about a metric, or about a feature of a table. A feature that drifted has the ``p_value`` of its distance and
    the rows of the baseline; ``new_categories`` are values that were not expected with their counts, ``samples`` are
    some of the records that broke the rule.
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

    @property
    def subject(self) -> str:
        """What it is about: the metric, the feature, or the check where it concerns neither."""
        return self.metric_name or self.feature_name or self.constraint_check_type


class ModelQualityConstraints(msgspec.Struct, frozen=True):
    """The constraints of one problem type, by metric name."""

    problem_type: ProblemType
    constraints: dict[str, Constraint]


def dump(document: Any) -> bytes:
    """A document as indented JSON with a final newline. Numbers that JSON cannot hold become their names."""
    return json.dumps(_finite(msgspec.to_builtins(document)), indent=2, ensure_ascii=False).encode() + b"\n"


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
    document = _parse(data, source)
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
    lines = _Lines(data.decode("utf-8-sig"), f"{FAMILIES[problem]}_constraints", source)
    return ModelQualityConstraints(problem, {name: _constraint(name, entry, lines) for name, entry in section.items()})


def _parse(data: bytes, source: str) -> dict[str, Any]:
    try:
        # Whole numbers are read as floats, so that one of a thousand digits is infinite and refused with its line.
        document = json.loads(data.decode("utf-8-sig"), parse_int=float)
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not UTF-8 text", evidence=str(error), hint="save it as UTF-8") from None
    except UnicodeEncodeError:
        raise InputError(
            f"{source} holds half a character",
            evidence="an escape between \\ud800 and \\udfff stands alone",
            hint="write the character itself",
        ) from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"{source}, line {error.lineno}: not valid JSON: {error.msg}",
            evidence=_shown(data.decode("utf-8-sig"), error.lineno),
            hint="mend that line; a comma too many or too few is the usual cause",
        ) from None
    except RecursionError:
        raise InputError(f"{source} is nested too deeply", hint="a constraints file has three levels") from None
    if not isinstance(document, dict):
        raise InputError(f"{source} must hold a JSON object", evidence=f"it holds a {type(document).__name__}")
    return document


def _constraint(name: str, entry: Any, lines: _Lines) -> Constraint:
    operators = get_args(Operator)
    if not isinstance(entry, dict):
        raise lines.broken(name, None, "expected an object with threshold and comparison_operator")
    operator, threshold, suggestion = (entry.get(key) for key in ("comparison_operator", "threshold", "suggestion"))
    if operator not in operators:
        raise lines.broken(
            name, "comparison_operator", f"{operator!r} is not an operator; use {' or '.join(operators)}"
        )
    if not isinstance(threshold, float) or not math.isfinite(threshold):
        raise lines.broken(name, "threshold", f"{threshold!r} is not a finite number")
    if not isinstance(suggestion, str | None):
        raise lines.broken(name, "suggestion", "suggestion must be text")
    return Constraint(threshold, cast(Operator, operator), suggestion)


class _Lines:
    """Finds the lines of a document that was read, for messages."""

    def __init__(self, text: str, section: str, source: str) -> None:
        self._text = text
        self._section = section
        self._source = source

    def broken(self, name: str, field: str | None, reason: str) -> InputError:
        """The error of ``field`` of the constraint ``name``, or of the whole entry."""
        line = self._text.count("\n", 0, self._position(name, field)) + 1
        return InputError(
            f"{self._source}, line {line}: constraint {name}: {reason}",
            evidence=_shown(self._text, line),
            hint="mend that line, or take the constraint out",
        )

    def _position(self, name: str, field: str | None) -> int:
        """Where the field's key stands; the entry's own key where the field is absent."""
        _, section = _members(self._text, self._text.index("{"))[self._section]
        key, value = _members(self._text, section)[name]
        found = _members(self._text, value).get(field) if field is not None and self._text[value] == "{" else None
        return found[0] if found else key


def _members(text: str, opening: int) -> dict[str, tuple[int, int]]:
    """The keys of the object that opens at a place of valid JSON, with where each key and its value begin."""
    decoder, members = json.JSONDecoder(parse_int=float), {}
    position = opening + 1
    while text[position := _skip(text, position)] != "}":
        key, end = decoder.raw_decode(text, position)
        value = _skip(text, end)
        members[key] = (position, value)
        position = decoder.raw_decode(text, value)[1]
    return members


def _skip(text: str, position: int) -> int:
    """The next place that is neither space nor punctuation between members."""
    while text[position] in " \t\r\n,:":
        position += 1
    return position


def _shown(text: str, line: int) -> str:
    """A line of a text as evidence."""
    return (text.split("\n")[line - 1].strip() or "the line is empty")[:200]
