"""The confusion matrix as a grid: counts, shaded by their share of the actual class."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.markup import coordinate, join
from driftline.reporting.matrix import Matrix
from driftline.reporting.text import count, fit, percent, short_count, text_width

MOST_CLASSES = 30
_FEW = 6
_TOTALS = 50.0
_SHADES = 5
_UPRIGHT = 44.0


class _Grid(NamedTuple):
    """Where cells lie: their size, the corner of the first, and whether there are few enough for large text."""

    left: float
    top: float
    wide: float
    high: float
    size: int

    @property
    def right(self) -> float:
        return self.left + self.size * self.wide

    @property
    def bottom(self) -> float:
        return self.top + self.size * self.high

    @property
    def large(self) -> bool:
        return self.wide >= 50


def confusion_chart(matrix: Matrix) -> Markup:
    """Actual classes down, predicted ones across; at most :data:`MOST_CLASSES` of them are drawn, the first ones."""
    grid = _layout(matrix)
    shown = {place: number for place, number in matrix.cells.items() if max(place) < grid.size}
    parts = [_headings(matrix, grid), _shades(shown, matrix.actual(), grid), _lines(grid), _counts(shown, matrix, grid)]
    description = f"{count(matrix.total)} rows, {grid.size} classes. " + _spoken(matrix)
    size = grid.right + _TOTALS, grid.bottom + 24
    return svg.document(*size, "Confusion matrix", description, *parts)


def is_large(matrix: Matrix) -> bool:
    """Whether the chart is wider than a column of the page."""
    return len(matrix.labels) > _FEW


def _layout(matrix: Matrix) -> _Grid:
    size = min(len(matrix.labels), MOST_CLASSES)
    longest = max((text_width(label, svg.BOLD) for label in matrix.labels[:size]), default=0.0)
    if size <= _FEW:
        left = min(max(longest + 10, 50.0), 110.0)
        wide = (340 - left - _TOTALS) / max(size, 1)
        top = _UPRIGHT if longest + 4 <= wide or size <= 2 else _turned(longest)
        return _Grid(left, top, wide, min(max(wide, 36.0), 76.0), size)
    left = min(max(longest + 10, 50.0), 130.0)
    return _Grid(left, _turned(longest), 44 if size <= 12 else 28, 26, size)


def _turned(longest: float) -> float:
    """Room above the cells for names that read upwards."""
    return 28 + min(max(longest + 10, 30.0), 124.0)


def _headings(matrix: Matrix, grid: _Grid) -> Markup:
    """Names and totals of the rows and columns."""
    parts = [
        svg.text((grid.left + grid.right) / 2, 14, "Predicted", "small soft", anchor="middle"),
        svg.text(0, grid.top - 10, "Actual", "small soft"),
        svg.text(grid.right + _TOTALS, grid.top - 10, "n", "small soft", anchor="end"),
        svg.text(0, grid.bottom + 17, "n", "small soft"),
        svg.text(grid.right + _TOTALS, grid.bottom + 17, _short(matrix.total), "small", anchor="end"),
    ]
    actual, predicted = matrix.actual(), matrix.predicted()
    for index, label in enumerate(matrix.labels[: grid.size]):
        x, y = grid.left + (index + 0.5) * grid.wide, grid.top + (index + 0.5) * grid.high + 4
        parts += [
            svg.text(0, y, fit(label, grid.left - 8, svg.BOLD), "name"),
            svg.text(grid.right + _TOTALS, y, _short(actual[index]), "small soft", anchor="end"),
            svg.text(x, grid.bottom + 17, _cell_text(predicted[index], grid), "small soft", anchor="middle"),
            _column_name(label, x, grid),
        ]
    return join(parts)


def _column_name(label: str, x: float, grid: _Grid) -> Markup:
    if grid.top == _UPRIGHT:
        return svg.text(x, grid.top - 10, fit(label, grid.wide - 4, svg.BOLD), "name", anchor="middle")
    return svg.turned(x + 4, grid.top - 7, fit(label, grid.top - 34, svg.BOLD), "name", anchor="start")


def _shades(cells: dict[tuple[int, int], int], actual: list[int], grid: _Grid) -> Markup:
    """One path for all cells of a kind and shade: a rectangle each would take far more room."""
    paths: dict[tuple[str, int], list[str]] = {}
    box = f"h{coordinate(grid.wide)}v{coordinate(grid.high)}h-{coordinate(grid.wide)}z"
    for (row, column), number in cells.items():
        shade = min(_SHADES, 1 + int(_SHADES * (number / actual[row])))
        x, y = grid.left + column * grid.wide, grid.top + row * grid.high
        kind = "right" if row == column else "wrong"
        paths.setdefault((kind, shade), []).append(f"M{coordinate(x)} {coordinate(y)}{box}")
    return join(
        svg.node("path", d="".join(boxes), class_=kind, fill_opacity=0.08 * shade)
        for (kind, shade), boxes in sorted(paths.items())
    )


def _lines(grid: _Grid) -> Markup:
    down = [(grid.left + index * grid.wide, index) for index in range(grid.size + 1)]
    across = [grid.top + index * grid.high for index in range(grid.size + 1)]
    parts = [svg.line((x, grid.top), (x, grid.bottom), "grid") for x, _ in down]
    return join([*parts, *(svg.line((grid.left, y), (grid.right, y), "grid") for y in across)])


def _counts(cells: dict[tuple[int, int], int], matrix: Matrix, grid: _Grid) -> Markup:
    actual, parts = matrix.actual(), []
    # A nought helps where there are four cells and hinders where there are nine hundred.
    empty = itertools.product(range(grid.size), repeat=2) if grid.large else ()
    for (row, column), number in (dict.fromkeys(empty, 0) | cells).items():
        x, y = grid.left + (column + 0.5) * grid.wide, grid.top + (row + 0.5) * grid.high
        parts.append(svg.text(x, y + (-1 if grid.large else 4), _cell_text(number, grid)))
        if grid.large:
            parts.append(svg.node("g", svg.text(x, y + 16, percent(number, actual[row])), class_="share"))
    return svg.node("g", *parts, class_="counts large" if grid.large else "counts", text_anchor="middle")


def _cell_text(number: int, grid: _Grid) -> str:
    whole = count(number)
    return whole if text_width(whole, 15 if grid.large else svg.SMALL) <= grid.wide - 3 else short_count(number)


def _short(number: int) -> str:
    return count(number) if number < 1_000_000 else short_count(number)


def _spoken(matrix: Matrix) -> str:
    right = sum(number for (row, column), number in matrix.cells.items() if row == column)
    wrong = "; ".join(
        f"{number} of {of} {actual} as {predicted}" for actual, predicted, number, of in matrix.largest(8)
    )
    return f"{count(right)} are predicted rightly" + (f"; {wrong}" if wrong else "")
