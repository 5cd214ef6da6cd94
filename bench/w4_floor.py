"""W4 by hand: one group-by of DuckDB into forty cells, and every bias metric of one facet from their counts."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import duckdb
from metrics import say

start = time.perf_counter()
QUERY = """SELECT sex = 'f' AS facet, label, predicted, region, count(*) AS n
    FROM read_parquet($file) GROUP BY ALL"""
cells = duckdb.execute(QUERY, {"file": sys.argv[1]}).fetchall()


def n(facet: bool, label: int | None = None, predicted: int | None = None, region: str | None = None) -> int:
    """The rows in or out of the facet, with this label, prediction and region."""
    return sum(
        count
        for inside, y, guess, where, count in cells
        if inside == facet
        and label in (None, y)
        and predicted in (None, guess)
        and region in (None, where)
    )  # fmt: skip


def conditional(positive: Callable[[bool, str], int]) -> float:
    """The demographic disparity within each region, weighed by the region's rows."""
    total, found = n(True) + n(False), 0.0
    for region in {cell[3] for cell in cells}:
        rows = {facet: n(facet, region=region) for facet in (True, False)}
        good = {facet: positive(facet, region) for facet in (True, False)}
        bad = {facet: rows[facet] - good[facet] for facet in (True, False)}
        found += sum(rows.values()) * (bad[True] / sum(bad.values()) - good[True] / sum(good.values()))
    return found / total


def ratio(above: int, below: int) -> float:
    """A share."""
    return above / below


qa, qd = ratio(n(False, 1), n(False)), ratio(n(True, 1), n(True))
ya, yd = ratio(n(False, None, 1), n(False)), ratio(n(True, None, 1), n(True))
pa, pd = (1 - qa, qa), (1 - qd, qd)
mixed = [(a + d) / 2 for a, d in zip(pa, pd, strict=True)]


def divergence(one: tuple[float, ...], other: list[float] | tuple[float, ...]) -> float:
    """Kullback and Leibler's divergence in nats."""
    return sum(a * math.log(a / b) for a, b in zip(one, other, strict=True))


def benefit() -> float:
    """Generalised entropy of the benefits 1 + prediction - label, with exponent 2."""
    values = [(1 + guess - y, count) for _, y, guess, _, count in cells]
    rows = sum(count for _, count in values)
    mean = sum(value * count for value, count in values) / rows
    return sum(count * ((value / mean) ** 2 - 1) for value, count in values) / (2 * rows)


def share(facet: bool, what: Callable[[bool], tuple[int, int]]) -> float:
    """A share of the rows in or out of the facet."""
    above, below = what(facet)
    return above / below


accuracy = lambda f: (n(f, 1, 1) + n(f, 0, 0), n(f))  # noqa: E731
acceptance = lambda f: (n(f, 1), n(f, None, 1))  # noqa: E731
rejection = lambda f: (n(f, 0), n(f, None, 0))  # noqa: E731
precision = lambda f: (n(f, 1, 1), n(f, None, 1))  # noqa: E731
refused = lambda f: (n(f, 0, 0), n(f, None, 0))  # noqa: E731
recall = lambda f: (n(f, 1, 1), n(f, 1))  # noqa: E731
specificity = lambda f: (n(f, 0, 0), n(f, 0))  # noqa: E731
treatment = lambda f: (n(f, 1, 0), n(f, 0, 1))  # noqa: E731
found = {
    "CI": (n(False) - n(True)) / (n(False) + n(True)),
    "DPL": qa - qd,
    "KL": divergence(pa, pd),
    "JS": (divergence(pa, mixed) + divergence(pd, mixed)) / 2,
    "LP": math.hypot(*(a - d for a, d in zip(pa, pd, strict=True))),
    "TVD": sum(abs(a - d) for a, d in zip(pa, pd, strict=True)) / 2,
    "KS": max(abs(a - d) for a, d in zip(pa, pd, strict=True)),
    "CDDL": conditional(lambda facet, region: n(facet, 1, None, region)),
    "DPPL": ya - yd,
    "DI": yd / ya,
    "DCA": share(False, acceptance) - share(True, acceptance),
    "DCR": share(True, rejection) - share(False, rejection),
    "RD": share(False, recall) - share(True, recall),
    "DAR": share(False, precision) - share(True, precision),
    "DRR": share(True, refused) - share(False, refused),
    "AD": share(False, accuracy) - share(True, accuracy),
    "TE": share(True, treatment) - share(False, treatment),
    "SD": share(True, specificity) - share(False, specificity),
    "CDDPL": conditional(lambda facet, region: n(facet, None, 1, region)),
    "GE": benefit(),
}
say(found, start)
