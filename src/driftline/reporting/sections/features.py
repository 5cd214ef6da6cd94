"""Every feature as a line of one table, the worst first; under each of the worst a part that opens."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from driftline.reporting import html
from driftline.reporting.features import STATUSES, Feature, drift_limit
from driftline.reporting.sections.feature import distinct, element_row, feature_details
from driftline.reporting.sizes import TableSizes, some
from driftline.reporting.statistics import finite
from driftline.reporting.text import count, number, percent, plural, shorten

_OPENED = 1


def feature_table(features: Sequence[Feature], most: TableSizes, title: str = "") -> Markup:
    """The table. Columns of drift and of verdicts are there only where anything is in them; ``title`` is another
    heading than that of all features."""
    shown, left = some(features, most.features)
    judged = any(one.drift is not None or one.violations for one in features)
    heads = _heads(judged=judged)
    rows = []
    for place, feature in enumerate(shown):
        pictured = place < most.pictures
        rows.append(element_row(_line(feature, judged=judged), "above" if pictured else None))
        if pictured:
            opened = place < _OPENED and feature.status == "violated"
            inside = html.cell(feature_details(feature, most, opened=opened), colspan=len(heads))
            rows.append(element_row([inside], "opens"))
    table = html.element("table", html.element("thead", html.element("tr", *heads)), html.element("tbody", "\n", *rows))
    scrolled = html.scroll("Table of features", table, "features")
    return html.section(
        title or _title(features, judged=judged), scrolled, html.more(left), *_notes(features, most, judged)
    )


def _title(features: Sequence[Feature], *, judged: bool) -> str:
    total = plural(len(features), "feature")
    return f"{total}, the worst first" if judged and len(features) > 1 else total


def _notes(features: Sequence[Feature], most: TableSizes, judged: bool) -> list[Markup]:
    notes = []
    if len(features) > most.pictures:
        notes.append(f"Distributions are drawn of the first {count(most.pictures)} features.")
    if judged and any(one.drift is not None and one.drift.p_value is not None for one in features):
        notes.append("p: how likely such a distance is where nothing has changed.")
    return [html.soft(" ".join(notes))] if notes else []


def _heads(*, judged: bool) -> list[Markup]:
    heads = [html.head("Feature"), *([html.head("Found")] if judged else []), html.head("Type")]
    titles = ["Complete", "Mean ± sd, or distinct", *(("Distance", "Threshold", "p") if judged else ())]
    return [*heads, *(html.head(title, number=True) for title in titles), *([html.head("Method")] if judged else [])]


def _line(feature: Feature, *, judged: bool) -> list[Markup]:
    cells = [html.first(html.name(feature.label))]
    if judged:
        cells.append(html.cell(STATUSES[feature.status], class_=feature.status))
    cells += [html.cell(*_type(feature)), html.amount(_complete(feature)), html.amount(_values(feature))]
    return [*cells, *_drift(feature)] if judged else cells


def _type(feature: Feature) -> list[str]:
    now, was = feature.now, feature.was
    if now is None:
        return ["no such column"]
    moved = was is not None and was.inferred_type != now.inferred_type
    return [now.inferred_type, f" (was {was.inferred_type})"] if was is not None and moved else [now.inferred_type]


def _complete(feature: Feature) -> str:
    now = feature.now
    return "–" if now is None else percent(now.num_present, now.num_present + now.num_missing)


def _values(feature: Feature) -> str:
    now = feature.now
    if now is None:
        return "–"
    mean = None if now.numerical is None else finite(now.numerical.mean)
    if now.numerical is not None and mean is not None:
        return f"{number(mean)} ± {number(finite(now.numerical.std_dev))}"
    different = distinct(now)
    return "–" if different is None else f"{different} distinct"


def _drift(feature: Feature) -> list[Markup]:
    drift = feature.drift
    if drift is None:
        return [html.cell("–", class_="number", colspan=3), html.cell("")]
    if drift.distance is None and drift.p_value is None:
        why = shorten(drift.reason, 100) or "not compared"
        return [html.cell(why, class_="why soft", colspan=3), html.cell(shorten(drift.method, 40))]
    p_value = finite(drift.p_value)
    distance, chance = number(finite(drift.distance)), "–" if p_value is None else _p(p_value)
    return [
        *map(html.amount, (distance, drift_limit(drift), chance)),
        html.cell(shorten(drift.method, 40), class_="soft"),
    ]


def _p(value: float) -> str:
    return "<0.0001" if value < 1e-4 else f"{value:.2g}" if value < 0.01 else f"{value:.3f}"
