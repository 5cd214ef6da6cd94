"""``constraints.json`` of a table: written in the original service's format, and read back after people edited it.

What is ours stands beside its keys: ``driftline_drift`` and ``exact_types`` in ``monitoring_config``, ``suggestion`` of
a feature, and in a feature's ``monitoring_config_overrides`` more methods and ``sensitive``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from driftline.core.errors import InputError
from driftline.core.json_text import Key, Lines, parse_object
from driftline.core.table_constraints import DataQualityConstraints, FeatureConstraints, FeatureOverride
from driftline.core.table_settings import (
    CATEGORICAL,
    COMPARISON_RULES,
    OVERRIDE_RULES,
    TABLE_RULES,
    checked,
    distribution_of,
    drift_of,
    feature_of,
    known_keys,
)

_TOP = ("version", "features", "monitoring_config")
_CONFIG = ("distribution_constraints", "driftline_drift")
_OVERRIDES = ("monitoring_config_overrides", "monitoringConfigOverrides")
_FEATURE = ("name", "inferred_type", "completeness", "num_constraints", "string_constraints", *_OVERRIDES, "suggestion")
_COMPARISON = ("perform_comparison", "comparison_threshold", "comparison_method")
# The original's documentation misspells one key, and files that follow it are about; so are files of its first
# versions, which had other names: the share of a domain stood there among the comparisons.
_MISSPELT = {"comparion_method": "comparison_method"}
_SWITCH, _DOMAIN = "enable_comparisons", "min_domain_mass"
_OF_TEXTS = {
    "categorical_comparison_threshold": "comparison_threshold",
    "categorical_drift_method": "comparison_method",
}


def table_constraints_document(constraints: DataQualityConstraints) -> dict[str, Any]:
    """The content of ``constraints.json``; a key of ours is there only where it says something."""
    config = {name: getattr(constraints, name) for name in TABLE_RULES if name != "exact_types"}
    if constraints.exact_types:
        config["exact_types"] = True
    config["distribution_constraints"] = msgspec.to_builtins(constraints.distribution)
    if constraints.drift is not None:
        config["driftline_drift"] = msgspec.to_builtins(constraints.drift)
    features = [_feature_document(feature) for feature in constraints.features]
    return {"version": 0.0, "features": features, "monitoring_config": config}


def _feature_document(feature: FeatureConstraints) -> dict[str, Any]:
    document: dict[str, Any] = {"name": feature.name, "inferred_type": feature.inferred_type}
    if feature.completeness is not None:
        document["completeness"] = feature.completeness
    if feature.is_non_negative is not None:
        document["num_constraints"] = {"is_non_negative": feature.is_non_negative}
    if feature.domain is not None:
        document["string_constraints"] = {"domains": list(feature.domain)}
    override = {} if feature.override is None else _override_document(feature.override, feature.inferred_type)
    if override:
        document["monitoring_config_overrides"] = override
    if feature.suggestion:
        document["suggestion"] = dict(feature.suggestion)
    return document


def _override_document(override: FeatureOverride, inferred_type: str) -> dict[str, Any]:
    found = {name: value for name, value in msgspec.structs.asdict(override).items() if value is not None}
    comparison = {name: found.pop(name) for name in _COMPARISON if name in found}
    if inferred_type == "String":
        for theirs, ours in _OF_TEXTS.items():
            if ours in comparison and (ours != "comparison_method" or comparison[ours] in CATEGORICAL):
                comparison[theirs] = comparison.pop(ours)
    return found | ({"distribution_constraints": comparison} if comparison else {})


def read_table_constraints(data: bytes, source: str) -> DataQualityConstraints:
    """The constraints of a data-quality ``constraints.json``, which people edit by hand.

    ``source`` names the file in messages. What is absent has its default. Raises :class:`InputError` with the line and
    the reason for a value that cannot be, a key that nobody reads, and a feature that is described twice.
    """
    document = parse_object(data, source)
    if "features" not in document:
        raise InputError(
            f"{source} holds no data-quality constraints",
            evidence=f"its keys are: {', '.join(document) or 'none'}",
            hint="expected features and monitoring_config",
        )
    top = _Part(document, (), "", Lines(data, source))
    top.known(_TOP)
    return _table(_features(top), top.part("monitoring_config"))


class _Part:
    """An object within a document, with the path that leads to it and whom it is about, for messages."""

    def __init__(self, node: dict[str, Any], path: tuple[Key, ...], subject: str, lines: Lines) -> None:
        self.node, self.path, self.subject, self._lines = node, path, subject, lines

    def broken(self, setting: str | None, reason: str, place: tuple[int, ...] = ()) -> InputError:
        """The error of one of its keys, or of all of it."""
        return self.broken_at((*self.path, *(() if setting is None else (setting,)), *place), reason)

    def broken_at(self, path: tuple[Key, ...], reason: str) -> InputError:
        """The error of what any path leads to."""
        return self._lines.broken(path, f"{self.subject}: {reason}" if self.subject else reason)

    def known(self, keys: Iterable[str]) -> None:
        """Refuse keys that are not among these."""
        known_keys(self.node, keys, self.broken)

    def part(self, key: str) -> _Part:
        """What a key holds; an empty part where it is absent or null."""
        subject = self.subject if self.subject.startswith("feature") else key
        return self._inner(self.node.get(key), (*self.path, key), subject)

    def element(self, value: Any, key: str, place: int, subject: str) -> _Part:
        """One element of the list that a key holds."""
        return self._inner({} if value is None else value, (*self.path, key, place), subject)

    def _inner(self, node: Any, path: tuple[Key, ...], subject: str) -> _Part:
        if node is not None and not isinstance(node, dict):
            key = path[-1] if isinstance(path[-1], str) else "every element"
            raise self._lines.broken(path, f"{subject}: {key} must be an object")
        return _Part(node or {}, path, subject, self._lines)


def _table(features: tuple[FeatureConstraints, ...], config: _Part) -> DataQualityConstraints:
    config.known((*TABLE_RULES, *_CONFIG))
    own = {name: value for name, value in config.node.items() if name not in _CONFIG}
    comparison, drift = config.part("distribution_constraints"), config.part("driftline_drift")
    if _DOMAIN in comparison.node:
        own.setdefault("domain_content_threshold", comparison.node[_DOMAIN])
    return DataQualityConstraints(
        features,
        **checked(own, TABLE_RULES, config.broken),
        distribution=distribution_of(_spelt(comparison), comparison.broken),
        drift=None if config.node.get("driftline_drift") is None else drift_of(drift.node, drift.broken),
    )


def _features(top: _Part) -> tuple[FeatureConstraints, ...]:
    listed = top.node["features"]
    if not isinstance(listed, list):
        raise top.broken("features", "features must be a list")
    found: dict[str, FeatureConstraints] = {}
    for place, entry in enumerate(listed):
        feature = _feature(top.element(entry, "features", place, "features"))
        if feature.name in found:
            raise top.broken_at(("features", place, "name"), f"feature {feature.name} is described twice")
        found[feature.name] = feature
    return tuple(found.values())


def _feature(part: _Part) -> FeatureConstraints:
    name = part.node.get("name")
    if not isinstance(name, str):
        raise part.broken("name", "a feature needs a name, which is text")
    part.subject = f"feature {name}"
    part.known(_FEATURE)
    numbers, texts = part.part("num_constraints"), part.part("string_constraints")
    numbers.known(("is_non_negative",))
    texts.known(("domains", *_OVERRIDES))
    settings = _Settings()
    settings.take(part, {key: key for key in ("inferred_type", "completeness", "suggestion")})
    settings.take(numbers, {"is_non_negative": "is_non_negative"})
    settings.take(texts, {"domains": "domain"})
    # Older versions of the service's own library write the overrides of a feature among its texts' constraints.
    for override in (holder.part(key) for holder in (texts, part) for key in _OVERRIDES):
        settings.take_override(override, part.node.get("inferred_type"))

    def broken(setting: str | None, reason: str, place: tuple[int, ...] = ()) -> InputError:
        path = part.path if setting is None else settings.where.get(setting, (*part.path, setting))
        return part.broken_at((*path, *place), reason)

    return feature_of(name, settings.values, broken)


class _Settings:
    """The settings of a feature that were met so far, and where they stand."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.where: dict[str, tuple[Key, ...]] = {}

    def take(self, part: _Part, names: Mapping[str, str]) -> None:
        """Take what a part has under some keys, as the settings they are."""
        for key, setting in names.items():
            if part.node.get(key) is not None:
                self.values[setting] = part.node[key]
                self.where[setting] = (*part.path, key)

    def take_override(self, part: _Part, inferred_type: Any) -> None:
        """Take what a feature does otherwise. A block of the original's may hold both kinds of comparison; only that of
        the feature's type counts."""
        part.known((*OVERRIDE_RULES, "distribution_constraints"))
        self.take(part, {key: key for key in OVERRIDE_RULES})
        comparison = part.part("distribution_constraints")
        checked(_spelt(comparison), COMPARISON_RULES, comparison.broken)
        numeric = {key: _MISSPELT.get(key, key) for key in (*_MISSPELT, *_COMPARISON)}
        self.take(comparison, numeric | (_OF_TEXTS if inferred_type == "String" else {}))


def _spelt(comparison: _Part) -> dict[str, Any]:
    """The comparisons of a table or a feature under the names they have now."""
    found = {_MISSPELT.get(key, key): value for key, value in comparison.node.items() if key != _DOMAIN}
    if isinstance(found.get(_SWITCH), bool):
        found.setdefault("perform_comparison", "Enabled" if found[_SWITCH] else "Disabled")
        del found[_SWITCH]
    return found
