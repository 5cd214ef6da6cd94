"""What a form of a schedule asks for: its fields as a schedule to create, and that in other ways. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.resources.schedules import NewSchedule
from driftline.web.pages.forms import reading
from driftline.web.pages.forms.equivalents import Equivalent, command, python
from driftline.web.pages.forms.reading import Typed

DEFAULTS = {
    "name": "",
    "endpoint": "",
    "monitor": "model-quality",
    "cron": "0 * * * *",
    "baseline": "",
    "problem_type": "BinaryClassification",
    "start_offset": "PT0S",
    "end_offset": "PT0S",
    "minimum_sample": "30",
    "catch_up": "all",
    "time_limit": "1800",
    "memory_limit": "2048",
    "rejudge_step": "0.05",
}
TEXTS = ("probability_attribute", "inference_attribute", "preprocessor", "postprocessor", "program", "rule")
NUMBERS = ("probability_threshold", "threshold")
LISTS = ("classes", "names", "exclude", "segments", "analyzers")
_OPTIONS = {
    "probability_attribute": "--probability-attribute",
    "inference_attribute": "--inference-attribute",
    "probability_threshold": "--probability-threshold",
    "program": "--program",
    "minimum_sample": "--minimum-sample",
}
"""The attributes that have an option of their own; the others are told together."""
_LISTED = {"classes": "--classes", "names": "--names"}
_MEBIBYTE = 1 << 20


def wanted(typed: Typed) -> NewSchedule:
    """The schedule that a form asks for; raises :class:`InputError` for a field that cannot be read."""
    texts = ("monitor", "problem_type", "start_offset", "end_offset", "baseline", "catch_up")
    memory = reading.whole(typed, "memory_limit")
    given: dict[str, Any] = {field: reading.text(typed, field) or None for field in texts} | {
        "time_limit": reading.number(typed, "time_limit"),
        "memory_limit": None if memory is None else memory * _MEBIBYTE,
        "rejudge_step": reading.number(typed, "rejudge_step"),
    }
    kept = {field: value for field, value in given.items() if value is not None}
    name, endpoint = reading.needed(typed, "name"), reading.needed(typed, "endpoint")
    return NewSchedule(name, endpoint, reading.needed(typed, "cron"), attributes=attributes(typed), **kept)


def attributes(typed: Typed) -> dict[str, Any]:
    """The attributes that were filled in."""
    minimum, rows = reading.whole(typed, "minimum_sample"), reading.whole(typed, "rows")
    found: dict[str, Any] = {"minimum_sample": 30 if minimum is None else minimum}
    found |= {field: reading.text(typed, field) or None for field in TEXTS}
    found |= {field: reading.number(typed, field) for field in NUMBERS}
    found |= {field: list(reading.lines(typed, field)) or None for field in LISTS}
    found |= {"rows": rows, "analysis_config": reading.document(typed, "analysis_config")}
    return {field: value for field, value in found.items() if value is not None}


def equivalent(typed: Typed) -> Equivalent:
    """The schedule as a command and as Python."""
    asked = wanted(typed)
    default = NewSchedule("", "", "")
    changed = {
        field: getattr(asked, field)
        for field in NewSchedule.__struct_fields__
        if field not in ("name", "endpoint", "cron", "attributes") and getattr(asked, field) != getattr(default, field)
    }
    base = {"endpoint": asked.endpoint, "cron": asked.cron} | changed
    code = python("create_schedule", asked.name, base | {"attributes": asked.attributes})
    options: dict[str, object] = {f"--{field.replace('_', '-')}": value for field, value in base.items()}
    if "--memory-limit" in options:
        options["--memory-limit"] = asked.memory_limit // _MEBIBYTE
    return Equivalent(command(["schedule", "create"], asked.name, options | _attribute_options(asked.attributes)), code)


def _attribute_options(given: dict[str, Any]) -> dict[str, object]:
    options: dict[str, object] = {_OPTIONS[field]: given[field] for field in _OPTIONS if field in given}
    options |= {_LISTED[field]: _several(given[field]) for field in _LISTED if field in given}
    further = {field: value for field, value in given.items() if field not in _OPTIONS and field not in _LISTED}
    return options | {"--attributes": msgspec.json.encode(further).decode() if further else None}


def _several(values: list[str]) -> tuple[str, ...]:
    """Values as the option takes them: one alone would be read as a list by comma, and is quoted where it has one."""
    if len(values) > 1 or not any(sign in values[0] for sign in ',"'):
        return tuple(values)
    return ('"' + values[0].replace('"', '""') + '"',)
