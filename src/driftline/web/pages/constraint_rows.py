"""Constraints as the rows of a table, each with the names by which it is edited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import msgspec

from driftline.core.constraint_changes import Section, in_words, settings_of
from driftline.core.constraint_documents import Rules
from driftline.core.documents import Operator
from driftline.core.table_statistics import InferredType

SUBJECTS = 100
"""How many columns or metrics a page shows."""
_SWITCH = ("Enabled", "Disabled")
_SAYS = {
    "inferred_type": "the type must be",
    "completeness": "present at least in this share of rows",
    "is_non_negative": "may not be negative",
    "domain": "values must be among",
    "comparison_threshold": "distance from the baseline at most",
    "categorical_comparison_threshold": "distance of categories at most",
    "numeric_threshold": "distance of numbers at most",
    "categorical_threshold": "distance of categories at most",
    "datatype_check_threshold": "values of the type at least in this share",
    "domain_content_threshold": "values of the domain at least in this share",
    "false_discovery_rate": "share of false alarms among drifted columns",
    "largest_drifted_share": "share of drifted columns at most",
    "minimum_sample": "rows needed at least",
}


class ConstraintRow(msgspec.Struct, frozen=True):
    """A constraint: what it is about, what is set and how it is judged, why it was suggested.

    ``anchor`` is where links lead, on the first of ``span`` rows of a subject. ``path`` is how an edit names the value,
    empty where it is too much for a field; ``choices`` are what it may be, where that is a list. A metric's operator is
    a field too, ``operator_path``.
    """

    subject: str
    setting: str
    value: str
    operator: str
    why: str
    path: str = ""
    choices: tuple[str, ...] = ()
    operator_path: str = ""
    anchor: str = ""
    span: int = 0


def rows_of(constraints: Rules, *, find: str = "", page: int = 1) -> tuple[list[ConstraintRow], int]:
    """The rows of a page of subjects, and how many subjects there are; with ``find`` those whose name holds it."""
    sections = [
        (section, settings)
        for section, settings in settings_of(constraints).items()
        if find.casefold() in _name(section).casefold()
    ]
    shown = sections[SUBJECTS * (page - 1) : SUBJECTS * page]
    return [row for section, settings in shown for row in _rows(section, settings)], len(sections)


def typed_of(value: Any) -> str:
    """A value as it stands in a field; what was typed is compared with this.

    >>> typed_of(0.98), typed_of(True), typed_of("String"), typed_of(30.0)
    ('0.98', 'true', 'String', '30')
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return in_words(value)


def stands(constraints: Rules) -> dict[str, str]:
    """Every field of every row as it stands, by its path."""
    found: dict[str, str] = {}
    for section, settings in settings_of(constraints).items():
        for row in _rows(section, settings):
            found |= {row.path: row.value} if row.path else {}
            found |= {row.operator_path: row.operator} if row.operator_path else {}
    return found


def _rows(section: Section, settings: Mapping[str, Any]) -> Iterator[ConstraintRow]:
    if section[0] == "metric":
        path, operator = f"{section[1]}.threshold", settings["comparison_operator"]
        value, why = typed_of(settings["threshold"]), settings.get("suggestion", "")
        to = f"{section[1]}.comparison_operator"
        yield ConstraintRow(section[1], "threshold", value, operator, why, path, (), to, section[1], 1)
        return
    reasons = settings.get("suggestion", {})
    kept = {name: value for name, value in settings.items() if name != "suggestion"}
    prefix = section[1] if section[0] == "feature" else ".".join(section)
    for place, (name, value) in enumerate(kept.items()):
        path = "" if isinstance(value, tuple) else f"{prefix}.{name}"
        first = (_name(section), len(kept)) if place == 0 else ("", 0)
        says, why = _SAYS.get(name, ""), reasons.get(name, "")
        yield ConstraintRow(_name(section), name, typed_of(value), says, why, path, _choices(name, value), "", *first)


def _name(section: Section) -> str:
    return section[1] if section[0] in ("metric", "feature") else ".".join(section)


def _choices(name: str, value: Any) -> tuple[str, ...]:
    if name == "inferred_type":
        return get_args(InferredType)
    if isinstance(value, bool):
        return ("true", "false")
    return _SWITCH if value in _SWITCH else ()


OPERATORS: tuple[str, ...] = get_args(Operator)
