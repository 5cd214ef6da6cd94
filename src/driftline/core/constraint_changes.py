"""What differs between two constraints documents, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from driftline.core.constraint_documents import Rules, monitor_of
from driftline.core.errors import InputError
from driftline.core.table_constraints import DataQualityConstraints
from driftline.core.table_settings import TABLE_RULES, settings_of_feature, shown

Section = tuple[str, ...]
Settings = dict[Section, dict[str, Any]]
CONFIG = "monitoring_config"
DISTRIBUTION, DRIFT = (CONFIG, "distribution_constraints"), (CONFIG, "driftline_drift")
# Why a rule was suggested is no rule; it is kept with the settings and not compared.
_REASONS = "suggestion"


class Change(msgspec.Struct, frozen=True):
    """One setting that is new, gone, or another; all of a feature or metric where ``setting`` is None.

    ``subject`` is what it belongs to: ``feature age``, ``metric f2``, ``monitoring_config``. ``path`` is how an edit
    names it. ``text`` says it to people.
    """

    subject: str
    setting: str | None
    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any
    after: Any
    text: str

    def __str__(self) -> str:
        return self.text


def settings_of(constraints: Rules) -> Settings:
    """Every setting by its name, in sections: those of each feature or metric, and those of the table."""
    if not isinstance(constraints, DataQualityConstraints):
        return {
            ("metric", name): {
                key: value for key, value in msgspec.structs.asdict(constraint).items() if value is not None
            }
            for name, constraint in constraints.constraints.items()
        }
    found: Settings = {("feature", one.name): settings_of_feature(one) for one in constraints.features}
    found[CONFIG,] = {name: getattr(constraints, name) for name in TABLE_RULES}
    found[DISTRIBUTION] = msgspec.structs.asdict(constraints.distribution)
    if constraints.drift is not None:
        found[DRIFT] = msgspec.structs.asdict(constraints.drift)
    return found


def subject_of(section: Section) -> str:
    """A section in words.

    >>> subject_of(("feature", "age")), subject_of(("monitoring_config", "driftline_drift"))
    ('feature age', 'monitoring_config.driftline_drift')
    """
    return " ".join(section) if section[0] in ("feature", "metric") else ".".join(section)


def diff(before: Rules, after: Rules) -> tuple[Change, ...]:
    """The changes that lead from one document to the other, features and metrics in the order they are met.

    The order of features, of a domain, and the reasons of suggestions do not count. Raises :class:`InputError` for the
    constraints of two monitors, or of two problem types.
    """
    _comparable(before, after)
    old, new = settings_of(before), settings_of(after)
    found: list[Change] = []
    for section in dict.fromkeys((*old, *new)):
        if section in old and section in new:
            found += _changes(section, old[section], new[section])
        else:
            found.append(_whole(section, old.get(section), new.get(section)))
    return tuple(found)


def _comparable(before: Rules, after: Rules) -> None:
    kinds = [getattr(one, "problem_type", monitor_of(one)) for one in (before, after)]
    if kinds[0] != kinds[1]:
        raise InputError(
            "the two are constraints of different things",
            evidence=f"the first are for {kinds[0]}, the second for {kinds[1]}",
            hint="compare documents of one monitor and problem type",
        )


def _changes(section: Section, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        if name != _REASONS and not _same(name, old, new):
            yield _change(section, name, old, new)


def _same(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if name not in old or name not in new:
        return False
    return set(old[name]) == set(new[name]) if name == "domain" else bool(old[name] == new[name])


def _change(section: Section, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
    before, after = old.get(name), new.get(name)
    if name not in old:
        kind: Literal["added", "removed", "changed"] = "added"
        said = f"{in_words(after)} (was not set)"
    elif name not in new:
        kind, said = "removed", f"{in_words(before)} removed"
    else:
        kind = "changed"
        said = _domain(before, after) if name == "domain" else f"{in_words(before)} → {in_words(after)}"
    subject = subject_of(section)
    return Change(subject, name, f"{_path(section)}.{name}", kind, before, after, f"{subject}: {name} {said}")


def _whole(section: Section, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Change:
    kind: Literal["added", "removed"] = "added" if old is None else "removed"
    before, after = (
        None if one is None else {name: value for name, value in one.items() if name != _REASONS} for one in (old, new)
    )
    parts = ", ".join(f"{name} {in_words(value)}" for name, value in (before or after or {}).items())
    subject = subject_of(section)
    return Change(subject, None, _path(section), kind, before, after, f"{subject}: {kind} ({parts})")


def _path(section: Section) -> str:
    return section[1] if section[0] in ("feature", "metric") else ".".join(section)


def _domain(before: Any, after: Any) -> str:
    """What came into a domain and what went; of many the first ones."""
    come, gone = [text for text in after if text not in before], [text for text in before if text not in after]
    signed = [f"{sign} {_listed(texts)}" for sign, texts in (("+", come), ("−", gone)) if texts]
    return " ".join(signed)


def _listed(texts: list[str]) -> str:
    more = f" and {len(texts) - 10} more" if len(texts) > 10 else ""
    return ", ".join(shown(text) for text in texts[:10]) + more


def in_words(value: Any) -> str:
    """A setting's value as people read it.

    >>> in_words(True), in_words("Robust"), in_words(("a", "b")), in_words(None)
    ('true', 'Robust', '"a", "b"', 'none')
    """
    if isinstance(value, tuple):
        return _listed(list(value))
    return value if isinstance(value, str) else "none" if value is None else shown(value)
