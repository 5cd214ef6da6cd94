"""The segments of each column that divides the rows: the worst first, as a chart, and what is violated in each."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from driftline.reporting import html
from driftline.reporting.charts.whiskers import whisker_chart, whisker_ends
from driftline.reporting.figures import Figure
from driftline.reporting.sections.measured import metric_drawings
from driftline.reporting.segments import Segment, SegmentGroup
from driftline.reporting.sizes import some
from driftline.reporting.text import count, plural

_NOTE = (
    "✕ worse: the whole interval is worse than the value of all rows. Each interval is at 95 %, so of twenty equal "
    "segments one may be marked by chance."
)


def segment_section(groups: Sequence[SegmentGroup], most: int) -> Markup:
    """All columns, at most ``most`` of them and as many segments of each; nothing where no column divides the rows."""
    if not groups:
        return Markup("")
    shown, left = some(groups, most)
    return html.section(
        "Segments", *(_group(group, most) for group in shown), html.more(left, "column"), html.soft(_NOTE)
    )


def _group(group: SegmentGroup, most: int) -> Markup:
    shown = group.segments[:most]
    order = ", the worst first" if group.every > 1 else ""
    said = f": {plural(group.every, 'segment')}{order} by {_within(group.metric)}"
    title = html.element("h3", html.name(group.column), said)
    withheld = [html.soft("Its values are marked as sensitive and are not shown.")] if group.hidden else []
    drawn = metric_drawings([_figure(group, shown)])
    left = html.more(group.every - len(shown), "segment")
    return html.element("div", title, *withheld, *drawn, left, _violated(group, shown), class_="segments") + "\n"


def _within(label: str) -> str:
    """The name of a metric within a sentence: its first letter is small, unless it is an acronym."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def _figure(group: SegmentGroup, shown: Sequence[Segment]) -> Figure:
    rows = [one.whisker for one in shown]
    ends = whisker_ends(rows, group.guides, bounded=group.bounded)
    title = f"{group.metric} by segment of {group.column}"
    wide, compact = (whisker_chart(title, rows, ends, group.guides, compact=narrow) for narrow in (False, True))
    return Figure(title, wide, compact)


def _violated(group: SegmentGroup, shown: Sequence[Segment]) -> Markup:
    """What is wrong in each segment, of those in which anything is."""
    lines = [[html.first(html.name(one.whisker.label)), _names(one)] for one in shown if one.violations]
    if not lines:
        return Markup("")
    heads = [html.head("Segment"), html.head("Features that drifted in it" if group.drift else "Violated in it")]
    return html.table(f"What is violated by segment of {group.column}", heads, lines)


def _names(segment: Segment) -> Markup:
    """How many there are and the names of the first."""
    names = [html.name(name) for name in segment.violated]
    left = segment.violations - len(names)
    listed = [part for name in names for part in (", ", name)][1:]
    number_of = html.element("span", f"✕ {count(segment.violations)}", class_="violated")
    more = [f" and {count(left)} more"] if left and names else []
    return html.cell(number_of, ": " if names else "", *listed, *more)
