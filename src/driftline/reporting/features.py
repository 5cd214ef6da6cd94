"""The features of a table, each with all that is known of it, the worst first."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from driftline.core.documents import Violation
from driftline.core.table_constraints import FeatureConstraints
from driftline.core.table_statistics import FeatureStatistics
from driftline.reporting.distributions import Categories, Histogram, categories, histogram
from driftline.reporting.report import FeatureDrift, TableReport
from driftline.reporting.statistics import finite
from driftline.reporting.text import abridge, number

STATUSES = {
    "violated": "✕ violated",
    "drifted": "~ drifted",
    "chance": "✓ within chance",
    "unknown": "? not compared",
    "met": "✓ met",
    "free": "",
}
"""What the run found of a feature, told apart without colour."""
BY_P_VALUE = frozenset({"ChiSquared"})
"""Methods whose threshold is held against the p-value, and is violated below it."""


class Drawn(msgspec.Struct, frozen=True):
    """What is drawn of a feature, as small data."""

    numbers: Histogram | None = None
    texts: Categories | None = None


class Feature(msgspec.Struct, frozen=True):
    """One column: what it is now and was, what is expected of it, and what was found wrong with it."""

    name: str
    now: FeatureStatistics | None = None
    was: FeatureStatistics | None = None
    expected: FeatureConstraints | None = None
    drift: FeatureDrift | None = None
    violations: tuple[Violation, ...] = ()
    drawn: Drawn | None = None

    @property
    def numbers(self) -> Histogram | None:
        """Its numbers on both sides, in common bins."""
        return histogram(self.now, self.was) if self.drawn is None else self.drawn.numbers

    @property
    def texts(self) -> Categories | None:
        """Its texts on both sides."""
        return categories(self.now, self.was) if self.drawn is None else self.drawn.texts

    @property
    def label(self) -> str:
        """The name as it is shown."""
        return feature_label(self.name)

    @property
    def sensitive(self) -> bool:
        """Whether its values must not be shown."""
        override = None if self.expected is None else self.expected.override
        return override is not None and bool(override.sensitive)

    @property
    def status(self) -> str:
        """One of the keys of :data:`STATUSES`."""
        if self.violations:
            return "violated"
        if self.drift is not None:
            return "drifted" if self.drift.drifted else self._undrifted(self.drift)
        return "free" if self.expected is None or self.now is None else "met"

    def _undrifted(self, drift: FeatureDrift) -> str:
        if drift.distance is None and drift.p_value is None:
            return "unknown"
        return "chance" if self.excess > 1 else "met"

    @property
    def excess(self) -> float:
        """The distance as a multiple of its threshold; -1 where there is none."""
        found, most = (None, None) if self.drift is None else measure(self.drift)
        if found is None or most is None:
            return -1.0
        if self.drift is not None and self.drift.method in BY_P_VALUE:
            found, most = most, found
        return found / most if most > 0 else float(found > 0) * 1e300


def settled(feature: Feature) -> Feature:
    """The same feature as small data: what is drawn of it in the place of sketches and lists of texts.

    Of a sensitive one no text is left, neither of its values nor of those that are expected.
    """
    drawn = Drawn(feature.numbers, None if feature.sensitive else feature.texts)
    found = msgspec.structs.replace(feature, now=_small(feature.now), was=_small(feature.was), drawn=drawn)
    return _withheld(found) if feature.sensitive else found


def _withheld(feature: Feature) -> Feature:
    violations = (msgspec.structs.replace(one, samples=(), new_categories=()) for one in feature.violations)
    limits = feature.expected
    if limits is not None and limits.domain is not None:
        limits = msgspec.structs.replace(limits, domain=("***",) * len(limits.domain))
    return msgspec.structs.replace(feature, expected=limits, violations=tuple(violations))


def _small(side: FeatureStatistics | None) -> FeatureStatistics | None:
    if side is None:
        return None
    numerical = None if side.numerical is None else msgspec.structs.replace(side.numerical, levels=(), buckets=())
    string = None if side.string is None else msgspec.structs.replace(side.string, categories=())
    return msgspec.structs.replace(side, numerical=numerical, string=string)


def feature_label(name: str) -> str:
    """The name of a feature as it is shown."""
    return abridge(name, 80) or "(no name)"


def measure(drift: FeatureDrift) -> tuple[float | None, float | None]:
    """What the threshold is held against, and the threshold."""
    found = drift.p_value if drift.method in BY_P_VALUE else drift.distance
    return finite(found), finite(drift.threshold)


def drift_limit(drift: FeatureDrift | None) -> str:
    """The threshold with its sign; a dash where there is none."""
    if drift is None or finite(drift.threshold) is None:
        return "–"
    return f"{'p ≥' if drift.method in BY_P_VALUE else '≤'} {number(drift.threshold)}"


def features_of(report: TableReport) -> list[Feature]:
    """Every feature that anything is known of: violated ones first, then by distance over threshold."""
    now = {one.name: one for one in report.current.features}
    was = {} if report.baseline is None else {one.name: one for one in report.baseline.features}
    expected = {} if report.constraints is None else {one.name: one for one in report.constraints.features}
    drift = {one.name: one for one in report.drift}
    wrong = _by_feature(report.violations)
    names = dict.fromkeys([*now, *was, *expected, *drift, *wrong])
    found = [
        Feature(name, now.get(name), was.get(name), expected.get(name), drift.get(name), tuple(wrong.get(name, ())))
        for name in names
    ]
    return sorted(found, key=lambda one: (one.status != "violated", one.status != "drifted", -one.excess))


def _by_feature(violations: Iterable[Violation]) -> dict[str, list[Violation]]:
    found: dict[str, list[Violation]] = {}
    for violation in violations:
        if violation.feature_name is not None:
            found.setdefault(violation.feature_name, []).append(violation)
    return found
