"""How often data quality cries wolf, and what it finds: simulated windows against a baseline.

    python bench/false_alarms.py [--windows 1000] [--found 200] [--seed 1]

prints three tables: the share of windows without any drift in which at least one of fifty features is said to have
drifted; the share of windows in which one changed feature among fifty is found; and what is found of twenty columns, of
which three have changed. Samples are kept whole, so no sketch plays a part.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from driftline.core.table_constraints import DataQualityConstraints, DriftRules, FeatureConstraints
from driftline.core.table_statistics import FeatureStatistics, NumericalStatistics, StringStatistics, TableStatistics
from driftline.monitors.data_quality.drift import TableDrift, compare, significant
from driftline.monitors.data_quality.drift_rules import table_rule
from driftline.monitors.data_quality.feature_drift import compare_feature

SIZES = (200, 2_000, 20_000)
Draw = Callable[[np.random.Generator, int], Any]


class Column(NamedTuple):
    """A feature: its name, whether it is of texts, and how its rows are drawn (texts as the numbers of categories)."""

    name: str
    is_text: bool
    draw: Draw


def numbers(name: str, draw: Draw) -> Column:
    """A feature of numbers."""
    return Column(name, False, draw)


def texts(name: str, shares: Any) -> Column:
    """A feature of categories with such shares."""
    bounds = np.cumsum(np.asarray(shares) / np.sum(shares))[:-1]
    return Column(name, True, lambda random, n: np.searchsorted(bounds, random.random(n), side="right"))


def fifty() -> list[Column]:
    """Fifty features of mixed kinds: smooth, skewed, heavy-tailed, discrete, and of few and of many categories."""
    found = [numbers(f"normal_{i}", lambda r, n: r.normal(50, 7, n)) for i in range(12)]
    found += [numbers(f"skewed_{i}", lambda r, n, s=0.4 + i / 5: r.lognormal(3, s, n)) for i in range(6)]
    found += [numbers(f"heavy_{i}", lambda r, n: r.standard_t(3, n)) for i in range(5)]
    found += [numbers(f"uniform_{i}", lambda r, n: r.random(n)) for i in range(5)]
    found += [numbers(f"count_{i}", lambda r, n, m=0.3 * (i + 1): r.poisson(m, n) * 1.0) for i in range(6)]
    found += [numbers(f"flag_{i}", lambda r, n, p=p: (r.random(n) < p) * 1.0) for i, p in enumerate((0.01, 0.1, 0.5))]
    found += [texts(f"binary_{i}", (share, 1 - share)) for i, share in enumerate((0.3, 0.05, 0.5))]
    found += [texts(f"few_{i}", 1 / np.arange(1, 4 + i)) for i in range(5)]
    found += [texts(f"many_{i}", 1 / np.arange(1, count + 1)) for i, count in enumerate((20, 50, 100, 500))]
    return [*found, texts("rare", (0.9, 0.05, 0.03, 0.01, 0.005, 0.003, 0.002))]


def changes() -> dict[str, Column]:
    """Each change of one feature, by what it is called."""
    shift = {
        f"mean + {s} sd": numbers("normal_0", lambda r, n, s=s: r.normal(50 + 7 * s, 7, n)) for s in (0.1, 0.25, 0.5)
    }
    spread = {f"spread × {s}": numbers("normal_0", lambda r, n, s=s: r.normal(50, 7 * s, n)) for s in (1.25, 1.5)}
    return shift | spread | {"a share of 0.3 → 0.4": texts("binary_0", (0.4, 0.6))}


def twenty() -> tuple[list[Column], list[Column]]:
    """Twenty features, and the same after three have changed."""
    kept = [one for one in fifty() if one.name[-1] in "12" or one.name == "rare"][:17]
    before = [numbers("mean", lambda r, n: r.normal(size=n)), numbers("spread", lambda r, n: r.normal(size=n))]
    after = [numbers("mean", lambda r, n: r.normal(0.5, size=n)), numbers("spread", lambda r, n: r.normal(0, 1.5, n))]
    order = (0.4, 0.3, 0.2, 0.1)
    return [*before, texts("reversed", order), *kept], [*after, texts("reversed", order[::-1]), *kept]


def drawn(columns: list[Column], n: int, seed: list[int]) -> dict[str, Any]:
    """The rows of a table; every column has randomness of its own, so that changing one leaves the others."""
    return {one.name: one.draw(np.random.default_rng([*seed, place]), n) for place, one in enumerate(columns)}


def statistics(columns: list[Column], rows: dict[str, Any]) -> TableStatistics:
    """What the monitor knows of such rows."""
    features = tuple((_texts if one.is_text else _numbers)(one.name, rows[one.name]) for one in columns)
    return TableStatistics(len(rows[columns[0].name]), features)


def _numbers(name: str, values: Any) -> FeatureStatistics:
    ordered: Any = np.sort(values)
    found = NumericalStatistics(
        float(values.mean()), float(values.sum()), float(values.std()), ordered[0], ordered[-1], levels=(ordered,)
    )
    return FeatureStatistics(name, "Fractional", len(values), 0, numerical=found)


def _texts(name: str, values: Any) -> FeatureStatistics:
    counts = np.bincount(values)
    categories = tuple((f"c{place}", int(counts[place])) for place in np.flatnonzero(counts))
    return FeatureStatistics(name, "String", len(values), 0, string=StringStatistics(len(categories), categories))


def constraints(columns: list[Column], rules: DriftRules) -> DataQualityConstraints:
    """Every feature compared by the rules."""
    names = tuple(FeatureConstraints(one.name, "String" if one.is_text else "Fractional") for one in columns)
    return DataQualityConstraints(names, drift=rules)


def names_of(drift: TableDrift) -> list[str]:
    """The features that have drifted."""
    return [one.name for one in drift.features if one.drifted]


def false_alarms(n: int, m: int, windows: int, seed: int, rules: DriftRules, *, fresh: bool = False) -> list[str]:
    """All features that are said to have drifted in windows without drift, with the number of their window.

    With ``fresh`` every window has a new baseline, so that the chance of an unlucky one is counted too.
    """
    columns = fifty()
    held = constraints(columns, rules)
    found = []
    for window in range(windows):
        if fresh or window == 0:
            baseline = statistics(columns, drawn(columns, m, [seed, m, 0, window]))
        now = statistics(columns, drawn(columns, n, [seed, n, 1, window]))
        found += [f"{window} {name}" for name in names_of(compare(now, baseline, held))]
    return found


def detections(n: int, m: int, windows: int, seed: int, rules: DriftRules) -> dict[str, float]:
    """For each change the share of windows in which that feature is found, forty-nine others being as they were."""
    columns = fifty()
    held = constraints(columns, rules)
    baseline = statistics(columns, drawn(columns, m, [seed, m, 0, 0]))
    hits = dict.fromkeys(changes(), 0)
    for window in range(windows):
        others = compare(statistics(columns, drawn(columns, n, [seed, n, 1, window])), baseline, held).features
        for place, (what, changed) in enumerate(changes().items()):
            now = statistics([changed], drawn([changed], n, [seed, n, 2 + place, window])).features[0]
            one = compare_feature(now, baseline.feature(now.name), now.name, table_rule(held))
            every = tuple(one if other.name == one.name else other for other in others)
            hits[what] += any(found.drifted for found in significant(every, rules) if found.name == one.name)
    return {what: count / windows for what, count in hits.items()}


def three_of_twenty(seed: int, rules: DriftRules, n: int = 1_000_000, m: int = 100_000) -> list[str]:
    """What is found where three of twenty features have changed."""
    before, after = twenty()
    baseline, now = statistics(before, drawn(before, m, [seed, 3])), statistics(after, drawn(after, n, [seed, 4]))
    return names_of(compare(now, baseline, constraints(before, rules)))


def share(found: list[str], windows: int) -> str:
    """The share of windows with any alarm, and of all comparisons."""
    alarmed = len({line.split()[0] for line in found})
    return f"{alarmed / windows:.3%} ({len(found) / windows / 50:.4%} of features)"


def table(head: str, rows: dict[str, list[str]]) -> None:
    """Write rows of figures for the three sizes of windows."""
    lines = [f"| {head} | " + " | ".join(f"n = {n:,}" for n in SIZES) + " |", "|---|---|---|---|"]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()]
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.flush()


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=1000)
    parser.add_argument("--found", type=int, default=200, help="windows for each change")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rules = DriftRules()
    sys.stdout.write(f"{rules}\n\n")
    for label, m, fresh in (("100,000", 100_000, False), ("2,000", 2_000, False), ("2,000, each new", 2_000, True)):
        found = [false_alarms(n, m, given.windows, given.seed, rules, fresh=fresh) for n in SIZES]
        table("no drift, baseline", {label: [share(one, given.windows) for one in found]})
    for m in (100_000, 2_000):
        rates = [detections(n, m, given.found, given.seed, rules) for n in SIZES]
        table(f"found, baseline {m:,}", {what: [f"{rate[what]:.1%}" for rate in rates] for what in changes()})
    for seed in range(given.seed, given.seed + 3):
        sys.stdout.write(f"three of twenty changed: {', '.join(three_of_twenty(seed, rules))}\n")


if __name__ == "__main__":
    main()
