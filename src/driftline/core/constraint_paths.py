"""How an edit names a setting of constraints: ``age.completeness``, ``f2.threshold``."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from driftline.core.constraint_changes import CONFIG, DISTRIBUTION, DRIFT, Section, Settings
from driftline.core.errors import InputError
from driftline.core.table_settings import (
    DISTRIBUTION_RULES,
    DRIFT_RULES,
    FEATURE_RULES,
    TABLE_RULES,
    Broken,
    known_keys,
    nearest,
)

METRIC_SETTINGS = ("threshold", "comparison_operator", "suggestion")
_GROUPS = ("num_constraints", "string_constraints", "monitoring_config_overrides", "distribution_constraints")
_NAMES = {
    (CONFIG,): tuple(TABLE_RULES),
    DISTRIBUTION: tuple(DISTRIBUTION_RULES),
    DRIFT: tuple(DRIFT_RULES),
}
_LAST = {*TABLE_RULES, *DISTRIBUTION_RULES, *DRIFT_RULES, *FEATURE_RULES, *METRIC_SETTINGS, "domains"}


class Place(NamedTuple):
    """Which setting a path leads to; all of its section where ``setting`` is None.

    ``sign`` is ``+`` where texts come into a domain, ``-`` where they go.
    """

    section: Section
    setting: str | None
    sign: str = ""


def parse_edit(text: str) -> tuple[str, Any]:
    """An edit as it is typed, ``PATH=VALUE``, as path and value. The value is JSON, and else the text itself.

    A name may hold a ``=``: the first one that comes after a setting's name divides.

    >>> parse_edit("age.completeness=0.98"), parse_edit("a=b.domain+=x"), parse_edit("f2=null")
    (('age.completeness', 0.98), ('a=b.domain+', 'x'), ('f2', None))
    """
    places = [place for place, letter in enumerate(text) if letter == "="]
    if not places:
        raise InputError(f"{text!r} is no edit", hint="write PATH=VALUE, such as age.completeness=0.98")
    known = (place for place in places if text[:place].rstrip("+- ").rpartition(".")[2] in _LAST)
    place = next(known, places[0])
    path = text[:place].strip()
    return path, parse_value(path, text[place + 1 :])


def parse_value(path: str, text: str) -> Any:
    """The value that is typed for a path: JSON, and else the text itself.

    >>> parse_value("age.completeness", "0.98"), parse_value("age.inferred_type", "String")
    (0.98, 'String')
    """
    value = text.strip()
    try:
        found = json.loads(value, parse_int=float)
    except (ValueError, RecursionError):
        return value
    # A domain holds texts: 3 is the text "3" there, whoever types it.
    of_domain = path.rstrip("+-").endswith((".domain", ".domains"))
    return value if of_domain and not isinstance(found, list | str | None) else found


def metric_place(path: str, settings: Settings) -> Place:
    """Where a path leads in constraints of model quality; :class:`InputError` where it leads nowhere."""
    name, _, setting = path.rpartition(".")
    if ("metric", path) in settings or not name:
        return Place(("metric", path), None)
    if ("metric", name) not in settings:
        names = [section[1] for section in settings]
        raise InputError(f"{path}: there is no constraint on metric {name}", hint=nearest(name, names))
    known_keys({setting: None}, METRIC_SETTINGS, _broken_at(path))
    return Place(("metric", name), setting)


def table_place(path: str, value: Any, settings: Settings) -> Place:
    """Where a path leads in constraints of data quality; :class:`InputError` where it leads nowhere.

    What is to be put there decides between a feature ``a.domain`` and the domain of a feature ``a``.
    """
    if path == CONFIG or path.startswith(f"{CONFIG}."):
        return _config_place(path)
    if ("feature", path) in settings and (value is None or isinstance(value, dict)):
        return Place(("feature", path), None)
    sign = path[-1] if path.endswith(("domain+", "domain-", "domains+", "domains-")) else ""
    name, _, setting = path.removesuffix(sign).rpartition(".")
    setting = "domain" if setting == "domains" else setting
    while ("feature", name) not in settings and name.rpartition(".")[2] in _GROUPS:
        name = name.rpartition(".")[0]
    if ("feature", name) in settings:
        known_keys({setting: None}, FEATURE_RULES, _broken_at(path))
        return Place(("feature", name), setting, sign)
    if isinstance(value, dict):
        return Place(("feature", path), None)
    names = [section[1] for section in settings if section[0] == "feature"]
    raise InputError(f"{path}: there is no feature {name or path}", hint=nearest(name or path, names[:50]))


def _config_place(path: str) -> Place:
    parts = tuple(path.split("."))
    if parts in (DISTRIBUTION, DRIFT):
        return Place(parts, None)
    section, setting = (parts[:-1], parts[-1]) if parts[:-1] in _NAMES else ((CONFIG,), ".".join(parts[1:]))
    known_keys({setting: None}, _NAMES[section], _broken_at(path))
    return Place(section, setting)


def _broken_at(path: str) -> Broken:
    def broken(setting: str | None, reason: str, place: tuple[int, ...] = ()) -> InputError:
        return InputError(f"{path}: {reason}", hint="nothing was changed")

    return broken
