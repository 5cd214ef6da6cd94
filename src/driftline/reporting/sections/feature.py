"""One feature in full: its distribution now and in the baseline, its figures, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from driftline.core.documents import Violation
from driftline.core.table_constraints import FeatureConstraints
from driftline.core.table_statistics import FeatureStatistics
from driftline.reporting import html
from driftline.reporting.charts.categories import category_chart
from driftline.reporting.charts.histogram import histogram_chart
from driftline.reporting.features import Feature
from driftline.reporting.markup import join
from driftline.reporting.matrix import class_label
from driftline.reporting.sizes import TableSizes, some
from driftline.reporting.statistics import finite
from driftline.reporting.table_sentences import violation_sentence
from driftline.reporting.text import count, number, percent, shorten

_WITHHELD = "Its values are marked as sensitive and are not shown."
_Side = FeatureStatistics | None


def feature_details(feature: Feature, most: TableSizes, *, opened: bool) -> Markup:
    """The part of the table that opens; ``opened`` when it is so from the start."""
    known = pictures(feature), [comparison(feature), expected(feature.expected)]
    figures = html.element("div", *(part for parts in known for part in parts if part), class_="figures")
    summary = html.element("summary", "Distribution and figures of ", html.name(feature.label))
    parts = [summary, figures, _violations(feature, most)]
    return html.element("details", *parts, open="" if opened else None)


def pictures(feature: Feature) -> list[Markup]:
    """One drawing of both sides; one for each where the one has numbers and the other texts."""
    numbers, texts = feature.numbers, feature.texts
    drawings = [] if numbers is None else [histogram_chart(numbers)]
    notes = [html.soft("Values further out are counted in the outermost bins.")] if numbers and numbers.tails else []
    if texts is not None and not feature.sensitive:
        drawings.append(category_chart(texts))
    if feature.sensitive:
        notes.append(html.soft(_WITHHELD))
    if not drawings and not notes:
        notes = [html.soft("There is no value to draw.")]
    drawn = [html.element("figure", drawing) for drawing in drawings[:-1]]
    return [*drawn, html.element("figure", *drawings[-1:], *notes)]


def comparison(feature: Feature) -> Markup:
    """Figures of both sides beside each other; a line only where one of them has it."""
    sides = [feature.now, feature.was] if feature.was is not None else [feature.now]
    lines = []
    for title, say in _FIGURES:
        said = [None if side is None else say(side) for side in sides]
        if any(said):
            lines.append([html.first(title), *(html.amount(text or "–") for text in said)])
    if not lines:
        return Markup("")
    names = ("now", "baseline") if feature.was is not None else ("now",)
    heads = element_row([html.element("td"), *(html.head(name, number=True) for name in names)])
    body = html.element("tbody", "\n", *(element_row(line) for line in lines))
    return html.element("table", html.element("thead", heads), body, class_="facts")


def element_row(cells: list[Markup], class_: str | None = None) -> Markup:
    """A line of a table."""
    return html.element("tr", *cells, class_=class_) + "\n"


def _moment(name: str) -> Callable[[FeatureStatistics], str | None]:
    def said(side: FeatureStatistics) -> str | None:
        value = None if side.numerical is None else finite(getattr(side.numerical, name))
        return None if value is None else number(value)

    return said


def _extreme(name: str) -> Callable[[FeatureStatistics], str | None]:
    def said(side: FeatureStatistics) -> str | None:
        value = None if side.numerical is None else finite(getattr(side.numerical, name))
        if value is None:
            return None
        return count(int(value)) if value.is_integer() and abs(value) < 1e15 else number(value)

    return said


def _missing(side: FeatureStatistics) -> str:
    share = percent(side.num_missing, side.num_present + side.num_missing)
    return f"{count(side.num_missing)} ({share})" if side.num_missing else "0"


def distinct(side: FeatureStatistics) -> str | None:
    """How many different texts a feature has."""
    found = None if side.string is None else finite(side.string.distinct_count)
    if side.string is None or found is None:
        return None
    return f"{'' if side.string.complete else 'about '}{count(round(found))}"


def _not_finite(side: FeatureStatistics) -> str | None:
    return count(side.numerical.not_finite) if side.numerical is not None and side.numerical.not_finite else None


def _texts_as(side: FeatureStatistics) -> str | None:
    """What the values look like, where they do not all look alike."""
    if side.types is None:
        return None
    pairs = [(kind, getattr(side.types, kind)) for kind in side.types.__struct_fields__]
    mixed = [f"{count(amount)} {kind}" for kind, amount in pairs if amount]
    return ", ".join(mixed) if len(mixed) > 1 else None


_FIGURES: tuple[tuple[str, Callable[[FeatureStatistics], str | None]], ...] = (
    ("type", lambda side: side.inferred_type),
    ("present", lambda side: count(side.num_present)),
    ("missing", _missing),
    ("mean", _moment("mean")),
    ("standard deviation", _moment("std_dev")),
    ("smallest", _extreme("min")),
    ("largest", _extreme("max")),
    ("NaN or infinite", _not_finite),
    ("distinct values", distinct),
    ("read as", _texts_as),
)


def _violations(feature: Feature, most: TableSizes) -> Markup:
    shown, left = some(feature.violations, most.each)
    parts = [part for violation in shown for part in _violation(violation, feature, most)]
    return join([html.element("h3", "Violations"), *parts, html.more(left)]) if parts else Markup("")


def _violation(violation: Violation, feature: Feature, most: TableSizes) -> list[Markup]:
    glyph = html.element("span", "✕ ", class_="violated", aria_hidden="true")
    said = html.element("p", glyph, violation_sentence(violation, feature.drift))
    if feature.sensitive:
        return [said]
    return [said, *unexpected(violation, most.categories), *_samples(violation, most)]


def unexpected(violation: Violation, most: int) -> list[Markup]:
    """The first values that were not expected, with how often they occur."""
    shown, left = some(violation.new_categories, most)
    if not shown:
        return []
    pairs = [(class_label(text), count(number)) for text, number in shown]
    rows = [element_row([html.first(html.name(text)), html.amount(number)]) for text, number in pairs]
    caption = html.element("caption", "Values that were not expected", class_="soft")
    return [html.element("table", caption, html.element("tbody", "\n", *rows), class_="facts"), html.more(left)]


def _samples(violation: Violation, most: TableSizes) -> list[Markup]:
    shown, left = some(violation.samples, most.samples)
    if not shown:
        return []
    lines = "\n".join(shorten(one, 200) for one in shown)
    return [html.soft("Records:"), html.element("pre", lines, tabindex="0"), html.more(left)]


def expected(given: FeatureConstraints | None) -> Markup:
    """What is expected of a feature, each rule with the reason why it was suggested."""
    if given is None:
        return Markup("")
    pairs = [
        (rule, said if not why else f"{said} – {shorten(why, 160)}")
        for rule, name, said in _rules(given)
        for why in [given.suggestion.get(name, "")]
    ]
    return html.facts(pairs, "Expected")


def _rules(expected: FeatureConstraints) -> list[tuple[str, str, str]]:
    """The name of each rule for people and in the file, and what it says."""
    rules = [("type", "inferred_type", str(expected.inferred_type))]
    if expected.completeness is not None and finite(expected.completeness) is not None:
        rules.append(("completeness", "completeness", f"at least {100 * expected.completeness:.4g} %"))
    if expected.is_non_negative is not None:
        rules.append(("negative values", "is_non_negative", "none" if expected.is_non_negative else "allowed"))
    if expected.domain is not None:
        override = expected.override
        hidden = override is not None and override.sensitive
        rules.append(("values", "domain", f"{count(len(expected.domain))} values" if hidden else _domain(expected)))
    return rules


def _domain(expected: FeatureConstraints) -> str:
    shown, left = some(expected.domain or (), 8)
    listed = ", ".join(shorten(class_label(text), 30) for text in shown)
    return f"one of {listed}" + (f" and {count(left)} more" if left else "")
