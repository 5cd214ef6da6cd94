"""What each setting of a table's constraints may be, wherever it comes from: a file, a command line, a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, Protocol, get_args

import msgspec

from driftline.core.errors import InputError
from driftline.core.table_constraints import (
    CategoricalMethod,
    DistributionConstraints,
    DriftRules,
    FeatureConstraints,
    FeatureOverride,
    NumericMethod,
    Switch,
)
from driftline.core.table_statistics import InferredType

NUMERIC, CATEGORICAL = get_args(NumericMethod), get_args(CategoricalMethod)
_ORIGINAL = ("Robust", "Simple")
_NONE = object()


class Broken(Protocol):
    """Makes the error of a setting: its name (None: of all of them), the reason, the place within its value."""

    def __call__(self, setting: str | None, reason: str, place: tuple[int, ...] = ()) -> InputError: ...


class Rule(NamedTuple):
    """What a setting may be, in words, and how its JSON value is read; ``read`` answers ``_NONE`` for what it is not.

    Where ``nullable``, null is a value of its own; elsewhere it is as if the setting were absent.
    """

    wanted: str
    read: Callable[[Any], Any]
    nullable: bool = False


def _number(low: float, high: float, *, open_ends: bool = False) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            return _NONE
        return _NONE if open_ends and value in (low, high) else float(value)

    return read


def _whole(value: Any) -> Any:
    read = _number(1, 2.0**53)(value)
    return int(read) if read is not _NONE and read == int(read) else _NONE


def _flag(value: Any) -> Any:
    return value if isinstance(value, bool) else _NONE


def _texts(value: Any) -> Any:
    """The reader of a domain names the one element that is no text, so a list of anything passes here."""
    return tuple(value) if isinstance(value, list | tuple) else _NONE


def _words(value: Any) -> Any:
    right = isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
    return dict(value) if right else _NONE


def _one_of(options: Iterable[str], note: str = "") -> Rule:
    allowed = tuple(options)
    wanted = " or ".join(filter(None, (", ".join(allowed[:-1]), allowed[-1])))
    return Rule(wanted + note, lambda value: value if isinstance(value, str) and value in allowed else _NONE)


_SHARE = Rule("a number from 0 to 1", _number(0, 1))
_DISTANCE = Rule("a finite number from 0", _number(0, 1.7976931348623157e308))
_FLAG = Rule("true or false", _flag)
_SWITCH = _one_of(get_args(Switch))
_OTHERS = "; other methods are set in driftline_drift"

DISTRIBUTION_RULES: dict[str, Rule] = {
    "perform_comparison": _SWITCH,
    "comparison_threshold": _DISTANCE,
    "comparison_method": _one_of(_ORIGINAL, _OTHERS),
    "categorical_comparison_threshold": _DISTANCE,
    "categorical_drift_method": _one_of(("LInfinity", "ChiSquared"), _OTHERS),
}
DRIFT_RULES: dict[str, Rule] = {
    "numeric_method": _one_of(NUMERIC),
    "numeric_threshold": _DISTANCE,
    "categorical_method": _one_of(CATEGORICAL),
    "categorical_threshold": _DISTANCE,
    "false_discovery_rate": Rule("a number between 0 and 1, or null", _number(0, 1, open_ends=True), nullable=True),
    "minimum_sample": Rule("a whole number from 1", _whole),
    "largest_drifted_share": Rule("a number from 0 to 1, or null", _number(0, 1), nullable=True),
}
TABLE_RULES: dict[str, Rule] = {
    "evaluate_constraints": _SWITCH,
    "emit_metrics": _SWITCH,
    "datatype_check_threshold": _SHARE,
    "domain_content_threshold": _SHARE,
    "exact_types": _FLAG,
}
OVERRIDE_RULES: dict[str, Rule] = {
    "evaluate_constraints": _SWITCH,
    "emit_metrics": _SWITCH,
    "datatype_check_threshold": _SHARE,
    "domain_content_threshold": _SHARE,
    "perform_comparison": _SWITCH,
    "comparison_threshold": _DISTANCE,
    "comparison_method": _one_of(dict.fromkeys((*NUMERIC, *CATEGORICAL))),
    "sensitive": _FLAG,
}
COMPARISON_RULES: dict[str, Rule] = {
    "perform_comparison": _SWITCH,
    "comparison_threshold": _DISTANCE,
    "comparison_method": OVERRIDE_RULES["comparison_method"],
    "categorical_comparison_threshold": _DISTANCE,
    "categorical_drift_method": _one_of(CATEGORICAL),
}
FEATURE_RULES: dict[str, Rule] = {
    "inferred_type": _one_of(get_args(InferredType)),
    "completeness": _SHARE,
    "is_non_negative": _FLAG,
    "domain": Rule("a list of texts", _texts),
    **OVERRIDE_RULES,
    "suggestion": Rule("an object that gives each rule a text", _words),
}


def methods_of(inferred_type: str) -> tuple[str, ...]:
    """The methods by which a feature of a type may be compared. The original's Robust and Simple are also about how a
    largest difference of categories is corrected.

    >>> methods_of("String")
    ('LInfinity', 'ChiSquared', 'PSI', 'JensenShannon', 'Robust', 'Simple')
    """
    if inferred_type == "String":
        return (*CATEGORICAL, *_ORIGINAL)
    return NUMERIC if inferred_type in ("Integral", "Fractional") else tuple(dict.fromkeys((*NUMERIC, *CATEGORICAL)))


def nearest(name: str, known: Iterable[str]) -> str:
    """Which of the known names was meant, as a clause; all of them where none is near.

    >>> nearest("completness", ["completeness", "domain"])
    'did you mean completeness?'
    """
    names = list(known)
    close = get_close_matches(name.lower(), names, 1, 0.6)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(names)}"


def shown(value: Any) -> str:
    """A value as it stands in a file, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"


def known_keys(settings: Mapping[str, Any], known: Iterable[str], broken: Broken) -> None:
    """Refuse a key that nobody reads: it is a mistake of whoever wrote it."""
    names = list(known)
    for key in settings:
        if key not in names:
            raise broken(key, f"{shown(key)} is not known here; {nearest(key, names)}")


def checked(settings: Mapping[str, Any], rules: Mapping[str, Rule], broken: Broken) -> dict[str, Any]:
    """The settings as they are kept; raises what ``broken`` makes for an unknown one or a value it may not have."""
    known_keys(settings, rules, broken)
    found = {}
    for name, value in settings.items():
        rule = rules[name]
        if value is None and not rule.nullable:
            continue
        found[name] = None if value is None else rule.read(value)
        if found[name] is _NONE:
            raise broken(name, f"{name}: {shown(value)} is not {rule.wanted}")
    return found


def feature_of(name: str, settings: Mapping[str, Any], broken: Broken) -> FeatureConstraints:
    """A feature's constraints from its settings, those of its override among them."""
    found = checked(settings, FEATURE_RULES, broken)
    if "inferred_type" not in found:
        wanted = FEATURE_RULES["inferred_type"].wanted
        raise broken(None, f"inferred_type is missing; it is {wanted}")
    for place, text in enumerate(found.get("domain", ())):
        if not isinstance(text, str):
            raise broken("domain", f"domain: {shown(text)} is not a text; write it in quotes", (place,))
    method, methods = found.get("comparison_method"), methods_of(found["inferred_type"])
    if method is not None and method not in methods:
        kind = found["inferred_type"]
        raise broken(
            "comparison_method", f"comparison_method: {method} cannot compare {kind}; use {', '.join(methods)}"
        )
    own = {key: value for key, value in found.items() if key not in OVERRIDE_RULES}
    override = {key: value for key, value in found.items() if key in OVERRIDE_RULES}
    return FeatureConstraints(name, override=FeatureOverride(**override) if override else None, **own)


def distribution_of(settings: Mapping[str, Any], broken: Broken) -> DistributionConstraints:
    """The original's comparison of distributions; what is absent is the default."""
    return DistributionConstraints(**checked(settings, DISTRIBUTION_RULES, broken))


def drift_of(settings: Mapping[str, Any], broken: Broken) -> DriftRules:
    """Our comparison of distributions; what is absent is the default."""
    return DriftRules(**checked(settings, DRIFT_RULES, broken))


def settings_of_feature(feature: FeatureConstraints) -> dict[str, Any]:
    """What is set of a feature, by the names of :data:`FEATURE_RULES`."""
    override = {} if feature.override is None else msgspec.structs.asdict(feature.override)
    found = {name: override.get(name, getattr(feature, name, None)) for name in FEATURE_RULES}
    return {name: value for name, value in found.items() if value is not None and value != {}}
