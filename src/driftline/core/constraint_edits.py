"""Changing constraints by the names of their settings: ``age.completeness``, ``f2.threshold``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

from driftline.core.constraint_changes import CONFIG, DISTRIBUTION, DRIFT, Section, Settings, settings_of, subject_of
from driftline.core.constraint_documents import Rules
from driftline.core.constraint_paths import METRIC_SETTINGS, Place, metric_place, table_place
from driftline.core.documents import Constraint, ModelQualityConstraints, constraint_of
from driftline.core.errors import InputError
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_settings import (
    TABLE_RULES,
    Broken,
    checked,
    distribution_of,
    drift_of,
    feature_of,
    known_keys,
    shown,
)

C = TypeVar("C", bound=Rules)
Edits = Mapping[str, Any] | Iterable[tuple[str, Any]]
_HINT = "nothing was changed"


def with_changes(constraints: C, edits: Edits) -> C:
    """Constraints with some settings changed, one after the other.

    A path is ``FEATURE.SETTING`` (``age.completeness``, ``age.is_non_negative``, ``age.comparison_threshold``),
    ``METRIC.threshold`` or ``METRIC.comparison_operator``, or a setting of the table
    (``monitoring_config.distribution_constraints.comparison_threshold``). ``age.domain+`` and ``age.domain-`` take
    texts in and out. None takes a setting away, or with the path ``age`` the whole feature, with
    ``monitoring_config.driftline_drift`` our comparison; an object instead puts a new one. The reason that a suggested
    rule carries goes with the change of its rule.

    Raises :class:`InputError` for a path that leads nowhere and a value that may not be.

    >>> from driftline.core.table_constraints import FeatureConstraints
    >>> given = DataQualityConstraints((FeatureConstraints("age", "Integral", 1.0),))
    >>> with_changes(given, {"age.completeness": 0.98}).features[0].completeness
    0.98
    """
    settings = settings_of(constraints)
    metrics = isinstance(constraints, ModelQualityConstraints)
    for path, value in edits.items() if isinstance(edits, Mapping) else edits:
        place = metric_place(path, settings) if metrics else table_place(path, value, settings)
        _apply(settings, place, value, path)
    if isinstance(constraints, ModelQualityConstraints):
        return cast(C, ModelQualityConstraints(constraints.problem_type, _metrics(settings)))
    return cast(C, _table(settings))


def _apply(settings: Settings, place: Place, value: Any, path: str) -> None:
    """Change one setting. It is judged afterwards, with all others: a type and a method may change in one go."""
    if place.setting is None:
        _apply_whole(settings, place.section, value, path)
        return
    kept = settings.setdefault(place.section, {})
    new = _domain(kept.get("domain", ()), value, place.sign, path) if place.setting == "domain" else _as_read(value)
    if new == kept.get(place.setting) and (place.setting in kept or place.section != DRIFT):
        return
    _forget_reason(kept, place)
    if new is None and place.section != DRIFT:
        kept.pop(place.setting, None)
    else:
        kept[place.setting] = new


def _apply_whole(settings: Settings, section: Section, value: Any, path: str) -> None:
    if isinstance(value, dict):
        settings[section] = {name: _as_read(one) for name, one in value.items()}
        return
    if value is not None:
        raise InputError(
            f"{path}: {shown(value)} is no object", hint=f"write {path}.SETTING, null to take it away, or an object"
        )
    if settings.pop(section, None) is None:
        raise InputError(f"{path}: there is no {subject_of(section)}", hint=_HINT)


def _as_read(value: Any) -> Any:
    """A whole number is a float, as in a file that was read; one that no float holds is infinite, and refused later."""
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return float(value) if abs(value) < 2**1000 else math.inf


def _forget_reason(kept: dict[str, Any], place: Place) -> None:
    """The reason of a suggestion is not that of what a person set instead."""
    if place.section[0] == "metric":
        kept.pop("suggestion", None)
    elif "suggestion" in kept and place.setting != "suggestion":
        kept["suggestion"] = {name: text for name, text in kept["suggestion"].items() if name != place.setting}


def _domain(before: tuple[str, ...], value: Any, sign: str, path: str) -> Any:
    """A domain with texts taken in or out; without a sign, the new one."""
    texts = (value,) if isinstance(value, str) else value
    if not sign:
        return texts if texts is None else tuple(texts) if isinstance(texts, list | tuple) else texts
    if not isinstance(texts, list | tuple):
        raise InputError(f"{path}: {shown(value)} is neither a text nor a list of texts", hint=_HINT)
    if sign == "+":
        return (*before, *(text for text in texts if text not in before))
    absent = [text for text in texts if text not in before]
    if absent:
        raise InputError(f"{path}: the domain does not hold {shown(absent[0])}", hint=_HINT)
    return tuple(text for text in before if text not in texts)


def _metrics(settings: Settings) -> dict[str, Constraint]:
    found = {}
    for section, entry in settings.items():
        known_keys(entry, METRIC_SETTINGS, _broken_in(section))
        found[section[1]] = constraint_of(section[1], entry, _broken_metric)
    return found


def _table(settings: Settings) -> DataQualityConstraints:
    features = tuple(
        feature_of(section[1], entry, _broken_in(section))
        for section, entry in settings.items()
        if section[0] == "feature"
    )
    return DataQualityConstraints(
        features,
        **checked(settings[CONFIG,], TABLE_RULES, _broken_in((CONFIG,))),
        distribution=distribution_of(settings.get(DISTRIBUTION, {}), _broken_in(DISTRIBUTION)),
        drift=drift_of(settings[DRIFT], _broken_in(DRIFT)) if DRIFT in settings else None,
    )


def _broken_in(section: Section) -> Broken:
    def broken(setting: str | None, reason: str, place: tuple[int, ...] = ()) -> InputError:
        return InputError(f"{subject_of(section)}: {reason}", hint=_HINT)

    return broken


def _broken_metric(name: str, field: str | None, reason: str) -> InputError:
    return InputError(f"metric {name}: {reason}", hint=_HINT)
