"""The parts of a bias analysis: a picture of each stage, and a table that says what every metric means."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from driftline.core.bias_analysis import STAGES, Stage
from driftline.core.documents import Violation
from driftline.reporting import html
from driftline.reporting.bias_parts import FOUND, BiasPart, BiasRow
from driftline.reporting.bias_sentences import meaning, size_words
from driftline.reporting.charts.whiskers import Guide, Whisker, whisker_chart, whisker_ends
from driftline.reporting.figures import Figure
from driftline.reporting.markup import join
from driftline.reporting.sections.measured import metric_drawings
from driftline.reporting.sizes import BiasSizes, some
from driftline.reporting.statistics import finite
from driftline.reporting.text import count, number, plural, shorten

TITLES: dict[Stage, str] = {"pre_training": "Labels (before training)", "post_training": "Predictions (after training)"}
_SHORT: dict[Stage, str] = {"pre_training": "labels", "post_training": "predictions"}
_SAID = {"violated": "✕ worse", "chance": "~ chance", "met": "✓", "unknown": "?", "free": ""}
_DRAWN = {"chance": "inside", "unknown": "free"}


def part_sections(parts: Sequence[BiasPart], most: BiasSizes) -> Markup:
    """The first parts in full, of more of them the violations and sizes as a table, the rest counted."""
    shown, rest = parts[: most.parts], parts[most.parts :]
    listed, left = some(rest, most.more)
    more = [html.section("More parts", _summary(listed), html.more(left, "part"))] if rest else []
    return join([*map(_section, shown), *more])


def _section(part: BiasPart) -> Markup:
    stages = [block for stage in STAGES for block in _stage(part.of(stage), stage, part)]
    size = size_words(part)
    said = [html.soft(f"It is {size}; the others are all other rows.")] if size else []
    return html.section(part.label, *said, *stages, class_="bias")


def _stage(rows: list[BiasRow], stage: Stage, part: BiasPart) -> list[Markup]:
    if not rows:
        return []
    drawn = metric_drawings(_figures(rows, f"{TITLES[stage]} of {part.label}"))
    return [html.element("h3", TITLES[stage]), *drawn, _table(rows, f"{TITLES[stage]} of {part.label}")]


def _figures(rows: list[BiasRow], title: str) -> list[Figure]:
    """Metrics whose fair value is 0 on one axis, after them those that reach far beyond 1, and ratios, an axis each."""
    differences = [row for row in rows if row.fair == 0.0 and _reach(row) <= 1.0]
    others = [[row] for row in rows if row not in differences]
    groups = [differences] * bool(differences) + others
    return [_figure(group, title if place == 0 else f"{group[0].name}: {title}") for place, group in enumerate(groups)]


def _reach(row: BiasRow) -> float:
    given = [row.value, row.before, *_ends(row)]
    return max((abs(value) for value in given if value is not None and math.isfinite(value)), default=0.0)


def _figure(rows: list[BiasRow], title: str) -> Figure:
    whiskers = list(map(_whisker, rows))
    guides = [Guide(rows[0].fair, f"fair: {rows[0].fair:g}")]
    ends = whisker_ends(whiskers, guides)
    wide, compact = (whisker_chart(title, whiskers, ends, guides, compact=narrow) for narrow in (False, True))
    return Figure(title, wide, compact)


def _whisker(row: BiasRow) -> Whisker:
    value = finite(row.value)
    lower, upper = _ends(row)
    return Whisker(
        label=row.name,
        value=value,
        lower=lower,
        upper=upper,
        was=None if value is None else finite(row.before),
        status=_DRAWN.get(row.found, row.found),
        said=_SAID[row.found],
        error=_error(row) if value is None else "",
    )


def _ends(row: BiasRow) -> tuple[float | None, float | None]:
    interval = None if row.now is None else row.now.confidence_interval
    lower, upper = (None, None) if interval is None else (finite(interval.lower), finite(interval.upper))
    return (None, None) if lower is None or upper is None else (lower, upper)


def _error(row: BiasRow) -> str:
    return shorten(row.error, 100) if row.value is None else f"{_value(row.value)}: {meaning(row)}"


def _value(value: float | None) -> str:
    return ("∞" if value > 0 else "−∞") if value is not None and math.isinf(value) else number(value)


def _table(rows: list[BiasRow], label: str) -> Markup:
    judged = any(row.judged for row in rows)
    before = judged or any(row.was is not None for row in rows)
    titles = ["Now", "Interval", *(["Baseline"] if before else [])]
    heads = [html.head("Metric"), html.head("What it says"), *([html.head("Found")] if judged else [])]
    heads += [html.head(title, number=True) for title in titles]
    lines = [_line(row, before=before, judged=judged) for row in rows]
    return html.table(label, heads, lines, "meanings")


def _line(row: BiasRow, *, before: bool, judged: bool) -> list[Markup]:
    lower, upper = _ends(row)
    interval = "–" if lower is None else f"{number(lower)} to {number(upper)}"
    cells = [html.first(html.name(shorten(row.name, 40))), html.cell(meaning(row), class_="why")]
    cells += [html.cell(FOUND[row.found], class_=row.found)] if judged else []
    numbers = [_value(row.value), interval, *([_value(row.before)] if before else [])]
    return [*cells, *map(html.amount, numbers)]


def _summary(parts: Sequence[BiasPart]) -> Markup:
    heads = [html.head("Part"), html.head("Rows"), html.head("Violations", number=True)]
    lines = [
        [html.first(html.name(part.label)), html.cell(size_words(part) or "–"), html.amount(count(part.violated))]
        for part in parts
    ]
    return html.table("More parts", heads, lines)


def bias_violations(violations: Sequence[Violation], most: BiasSizes) -> Markup:
    """Every violation in the run's own words."""
    if not violations:
        return Markup("")
    shown, left = some(violations, most.violations)
    heads = [html.head(title) for title in ("Part", "Metric", "What was found")]
    heads += [html.head(title, number=True) for title in ("Allowed", "n")]
    table = html.element("div", html.table("Violations", heads, map(_wrong, shown)), class_="violations")
    return html.section(plural(len(violations), "violation"), table, html.more(left))


def _wrong(violation: Violation) -> list[Markup]:
    part = f"{violation.facet or '(no facet)'}: {violation.facet_value or '(empty)'}"
    stage = next((said for stage, said in _SHORT.items() if stage == violation.stage), "")
    metric = shorten(violation.metric_name or "", 40) + (f" ({stage})" if stage else "")
    rows = "–" if violation.item_count is None else count(violation.item_count)
    return [
        html.first(html.name(shorten(part, 120))),
        html.cell(metric),
        html.cell(shorten(violation.description, 300)),
        html.amount(number(finite(violation.threshold))),
        html.amount(rows),
    ]
