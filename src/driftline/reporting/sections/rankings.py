"""The attributions of each label: how far the ranking is from the baseline's, what moved, bars, and a table."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from driftline.core.documents import Violation
from driftline.reporting import html
from driftline.reporting.charts.rankings import ranking_chart
from driftline.reporting.charts.whiskers import Guide, Whisker, whisker_chart, whisker_ends
from driftline.reporting.features import feature_label
from driftline.reporting.figures import Figure
from driftline.reporting.markup import join
from driftline.reporting.ranking_sentences import change_words, move_sentence
from driftline.reporting.rankings import Place, RankedFeature, Ranking, label_text
from driftline.reporting.sections.measured import metric_drawings
from driftline.reporting.sizes import RankingSizes, some
from driftline.reporting.statistics import finite
from driftline.reporting.text import count, number, percent, plural, shorten

_MOVES = 5
_SAID = {"violated": "✕ drifted", "met": "✓ met", "unsure": "? unsure"}
_NOTE = (
    "NDCG: 1 where the features rank as they did; a feature that weighed much and fell counts most. Below the "
    "threshold the model decides by other features than it did, because the data or the model are others."
)


def drift_section(rankings: Sequence[Ranking], most: RankingSizes) -> Markup:
    """The NDCG of every label against the threshold; nothing where none was compared."""
    drawn = [one for one in rankings if one.drift is not None]
    if not drawn:
        return Markup("")
    shown, left = some(drawn, 2 * most.labels)
    rows = list(map(_whisker, shown))
    thresholds = sorted({one.drift.threshold for one in shown if one.drift is not None})
    guides = [Guide(limit, f"threshold ≥ {limit:g}", "threshold") for limit in thresholds[:3]]
    ends = whisker_ends(rows, guides, bounded=True)
    title = "NDCG against the baseline's ranking"
    wide, compact = (whisker_chart(title, rows, ends, guides, compact=narrow) for narrow in (False, True))
    parts = [*metric_drawings([Figure(title, wide, compact)]), html.more(left, "label"), html.soft(_NOTE)]
    return html.section("Ranking against the baseline", *parts)


def _whisker(ranking: Ranking) -> Whisker:
    drift = ranking.drift
    value = None if drift is None else finite(drift.ndcg)
    lower, upper = (None, None) if drift is None else (finite(drift.lower), finite(drift.upper))
    status = ranking.status
    error = "" if drift is None else shorten(drift.reason, 100)
    return Whisker(
        label=label_text(ranking.label),
        value=value,
        lower=lower if upper is not None else None,
        upper=upper if lower is not None else None,
        status="outside" if status == "unsure" else status,
        said=_SAID[status],
        error=error or "not compared",
    )


def label_sections(rankings: Sequence[Ranking], most: RankingSizes) -> Markup:
    """The first labels in full; of more only how many they are."""
    shown, left = some(rankings, most.labels)
    several = len(rankings) > 1
    return join([*(_section(one, most, named=several) for one in shown), html.more(left, "label")])


def _section(ranking: Ranking, most: RankingSizes, *, named: bool) -> Markup:
    total = plural(len(ranking.features), "feature")
    title = f"{label_text(ranking.label)}: {total}" if named else f"{total} by weight"
    if not ranking.features:
        return html.section(title, html.element("p", "There is none."))
    return html.section(
        title, *_moves(ranking), *_bars(ranking, title, most), _expected(ranking), _table(ranking, most)
    )


def _moves(ranking: Ranking) -> list[Markup]:
    moved = ranking.moved
    if not moved:
        return []
    lines = [html.element("li", move_sentence(one)) for one in moved[:_MOVES]]
    return [html.element("h3", "What changed most"), html.element("ul", *lines, class_="moves")]


def _bars(ranking: Ranking, title: str, most: RankingSizes) -> list[Markup]:
    """The heaviest of both sides: what weighed much and weighs nothing now is seen too."""
    heavy = [one for one in ranking.features if _weighs(one)]
    first = sorted(heavy, key=_best)[: most.bars]
    drawn = sorted(first, key=lambda one: (one.now is None, one.now.rank if one.now else 0))
    if not drawn:
        return [html.element("p", "No feature weighs anything.")]
    wide, compact = (ranking_chart(title, drawn, compared=ranking.compared, compact=narrow) for narrow in (False, True))
    left = [(len(heavy) - len(drawn), "weigh less"), (len(ranking.features) - len(heavy), "weigh nothing")]
    said = [f"{count(number_of)} more {what}" for number_of, what in left if number_of]
    return [*metric_drawings([Figure(title, wide, compact)]), *([html.soft(f"{', '.join(said)}.")] if said else [])]


def _weighs(feature: RankedFeature) -> bool:
    return any(place is not None and place.value != 0 for place in (feature.now, feature.was))


def _best(feature: RankedFeature) -> int:
    return min(place.rank for place in (feature.now, feature.was) if place is not None)


def _expected(ranking: Ranking) -> Markup:
    was = "" if ranking.expected_before is None else f", in the baseline {number(ranking.expected_before)}"
    said = (
        "" if ranking.expected is None else f"Without any feature the model would say {number(ranking.expected)}{was}."
    )
    return html.soft(said) if said else Markup("")


def _table(ranking: Ranking, most: RankingSizes) -> Markup:
    shown, left = some(ranking.features, most.lines)
    heads = [
        html.head("Feature"),
        *(html.head(title, number=True) for title in ("Rank", "Weight", "Interval", "Share")),
    ]
    if ranking.compared:
        titles = ("Rank before", "Change", "Weight before", "Share before")
        heads += [html.head(title, number=True) for title in titles]
    lines = [_line(one, compared=ranking.compared) for one in shown]
    return html.table(f"Weights of {label_text(ranking.label)}", heads, lines, "rankings") + html.more(left, "feature")


def _line(feature: RankedFeature, *, compared: bool) -> list[Markup]:
    now, was = feature.now, feature.was
    interval = "–" if now is None or now.lower is None else f"{number(now.lower)} – {number(now.upper)}"
    cells = [html.first(html.name(feature_label(feature.name)))]
    cells += map(html.amount, (_rank(now), _weight(now), interval, _share(now)))
    if not compared:
        return cells
    change, class_ = change_words(feature)
    return [
        *cells,
        html.amount(_rank(was)),
        html.cell(change, class_=f"number {class_}"),
        html.amount(_weight(was)),
        html.amount(_share(was)),
    ]


def _rank(place: Place | None) -> str:
    return "–" if place is None else count(place.rank)


def _weight(place: Place | None) -> str:
    return number(None if place is None else place.value)


def _share(place: Place | None) -> str:
    return "–" if place is None or place.share is None else percent(place.share, 1.0)


def ranking_violations(violations: Sequence[Violation], most: RankingSizes) -> Markup:
    """Every violation in the run's own words."""
    if not violations:
        return Markup("")
    shown, left = some(violations, most.violations)
    heads = [html.head("Label"), html.head("Check"), html.head("What was found"), html.head("n", number=True)]
    table = html.element("div", html.table("Violations", heads, map(_wrong, shown)), class_="violations")
    return html.section(plural(len(violations), "violation"), table, html.more(left))


def _wrong(violation: Violation) -> list[Markup]:
    rows = "–" if violation.item_count is None else count(violation.item_count)
    name = label_text(violation.label) if violation.label else feature_label(violation.subject)
    return [
        html.first(html.name(name)),
        html.cell("ranking"),
        html.cell(shorten(violation.description, 300)),
        html.amount(rows),
    ]
