"""Features of a run of data quality as its pages show them: some at a time, with their distributions."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from driftline.core.errors import InputError
from driftline.core.table_statistics import TableStatistics
from driftline.core.table_statistics_reader import ListedStatistics
from driftline.reporting.features import Feature, features_of, settled
from driftline.reporting.report import TableReport
from driftline.service.dashboard.analyses import Analysis

PAGE = 50
MOST_BYTES = 256 << 20
"""Of larger files of statistics the buckets are drawn that the store has."""
GONE = "The report of this run was removed; distributions are drawn from the ten buckets that the store keeps."
TOO_LARGE = "The statistics of this run are too large for a page; distributions are drawn from ten buckets."


class FeaturePage(msgspec.Struct, frozen=True):
    """Some of the features that a search finds, the worst first, with their distributions as small data.

    ``every`` are all features without distributions, ``found`` is how many the search found, ``pages`` how many pages
    they fill.
    """

    every: tuple[Feature, ...]
    shown: tuple[Feature, ...]
    found: int
    page: int
    pages: int
    notes: tuple[str, ...] = ()


def feature_page(analysis: Analysis, report: TableReport, *, page: int = 1, search: str = "") -> FeaturePage:
    """A page of features; one beyond the last is the last. ``search`` is a part of their names, in any case."""
    every = features_of(report)
    wanted = search.casefold().strip()
    found = [one for one in every if wanted in one.name.casefold()] if wanted else every
    pages = max(1, -(-len(found) // PAGE))
    place = min(max(page, 1), pages)
    chosen = [one.name for one in found[(place - 1) * PAGE : place * PAGE]]
    shown, notes = distributions(analysis, report, chosen)
    return FeaturePage(tuple(every), tuple(map(settled, shown)), len(found), place, pages, notes)


def distributions(
    analysis: Analysis, report: TableReport, names: Sequence[str]
) -> tuple[tuple[Feature, ...], tuple[str, ...]]:
    """The features of these names, in their order, with their sketches; and what could not be had of them."""
    wanted = frozenset(names)
    now, notes = _current(analysis, report, wanted)
    was = _tabled(analysis.listed, wanted)
    found = {one.name: one for one in features_of(_narrowed(report, now, was, wanted))}
    return tuple(found[name] for name in names if name in found), notes


def _narrowed(
    report: TableReport, now: TableStatistics, was: TableStatistics | None, names: frozenset[str]
) -> TableReport:
    """A report of these features alone."""
    limits = report.constraints
    if limits is not None:
        limits = msgspec.structs.replace(limits, features=tuple(one for one in limits.features if one.name in names))
    return msgspec.structs.replace(
        report,
        current=_only(now, names),
        baseline=None if was is None else _only(was, names),
        constraints=limits,
        drift=tuple(one for one in report.drift if one.name in names),
        violations=tuple(one for one in report.violations if one.feature_name in names),
    )


def _only(table: TableStatistics, names: Collection[str]) -> TableStatistics:
    return TableStatistics(table.item_count, tuple(one for one in table.features if one.name in names))


def _current(
    analysis: Analysis, report: TableReport, wanted: frozenset[str]
) -> tuple[TableStatistics, tuple[str, ...]]:
    """The run's features with the sketches that the file in its report folder has, else as the store has them."""
    kept = _tabled(analysis.stored, wanted)
    if not wanted or kept is None:
        return report.current, ()
    path = analysis.folder / "statistics.json"
    try:
        if path.stat().st_size > MOST_BYTES:
            return kept, (TOO_LARGE,)
        found = _tabled(ListedStatistics(path.read_bytes(), "the statistics of the run"), wanted)
    except (OSError, InputError):
        found = None
    return (kept, (GONE,)) if found is None else (found, ())


def _tabled(listed: ListedStatistics | None, wanted: frozenset[str]) -> TableStatistics | None:
    try:
        return None if listed is None else listed.table(wanted)
    except InputError:
        return None
