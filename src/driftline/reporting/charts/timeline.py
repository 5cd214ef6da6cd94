"""A schedule's windows as tiles: a row a day where there are several, each with the glyph of what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

import msgspec
from markupsafe import Markup

from driftline.reporting import svg
from driftline.reporting.markup import join
from driftline.reporting.text import plural, shorten

GLYPHS = {
    "ok": "✓",
    "violated": "✕",
    "unknown": "?",
    "failed": "!",
    "stopped": "■",
    "running": "▸",
    "waiting": "…",
    "overdue": "◔",
    "planned": "○",
    "none": "·",
}
"""The sign of every state, so that none needs its colour."""
WORDS = {"ok": "OK", "none": "no run"}
WIDTH = 960.0
_LEFT, _HIGH, _HEAD = 104.0, 30.0, 22.0
_MOST_A_DAY, _A_ROW = 48, 24
_DAY = timedelta(days=1)


class Tile(msgspec.Struct, frozen=True):
    """A window: its tick in the reader's zone, its state, what it is called, and where it leads (nowhere if empty)."""

    tick: datetime
    state: str
    title: str
    href: str = ""


def timeline_chart(tiles: Sequence[Tile], title: str = "Windows") -> Markup:
    """Tiles in order. With 2 to 48 windows a day a row is a day and a tile stands at its time; else rows are full.

    Every tile is a link with a title; its glyph tells its state without its colour.
    """
    by_day = [(day, list(group)) for day, group in groupby(tiles, lambda tile: tile.tick.date())]
    most = max((len(group) for _, group in by_day), default=0)
    if 2 <= most <= _MOST_A_DAY:
        rows = [(f"{day:%a %d %b}", _by_time(group, most)) for day, group in by_day]
        head = _hours()
    else:
        parts = [tiles[place : place + _A_ROW] for place in range(0, len(tiles), _A_ROW)]
        rows = [(_first(part, most), _in_turn(part)) for part in parts]
        head = Markup("")
    drawn = [_row(name, placed, _HEAD + place * (_HIGH + 4)) for place, (name, placed) in enumerate(rows)]
    height = _HEAD + len(rows) * (_HIGH + 4)
    return svg.document(WIDTH, height, title, _spoken(tiles), head, *drawn, role="group")


def timeline_legend(tiles: Sequence[Tile]) -> list[tuple[str, str, int]]:
    """The states that there are with their glyphs, words and numbers."""
    states = [tile.state for tile in tiles]
    return [(glyph, state, states.count(state)) for state, glyph in GLYPHS.items() if state in states]


_Placed = list[tuple[Tile, float, float]]


def _by_time(tiles: Sequence[Tile], most: int) -> _Placed:
    """Tiles at the time of day of their ticks, as wide as the most of a day leave room for."""
    columns = 24 if most <= 24 else _MOST_A_DAY
    wide = (WIDTH - _LEFT) / columns
    shares = [(tile.tick.hour * 60 + tile.tick.minute) / 1440 for tile in tiles]
    return [(tile, _LEFT + share * (WIDTH - _LEFT), wide) for tile, share in zip(tiles, shares, strict=True)]


def _in_turn(tiles: Sequence[Tile]) -> _Placed:
    wide = (WIDTH - _LEFT) / _A_ROW
    return [(tile, _LEFT + place * wide, wide) for place, tile in enumerate(tiles)]


def _first(tiles: Sequence[Tile], most: int) -> str:
    return f"{tiles[0].tick:%d %b %Y}" if most <= 1 else f"{tiles[0].tick:%d %b %H:%M}"


def _hours() -> Markup:
    step = (WIDTH - _LEFT) / 24
    return join(svg.text(_LEFT + hour * step + 2, 13, f"{hour:02d}:00", "small soft") for hour in range(0, 24, 3))


def _row(name: str, placed: _Placed, top: float) -> Markup:
    label = svg.text(0, top + 20, name, "small soft")
    return join([label, *(_tile(tile, left, wide, top) for tile, left, wide in placed)])


def _tile(tile: Tile, left: float, wide: float, top: float) -> Markup:
    box = svg.rectangle(left + 1, top, wide - 2, _HIGH, "box")
    glyph = svg.text(left + wide / 2, top + 20, GLYPHS.get(tile.state, "?"), anchor="middle")
    title = svg.node("title", svg.escaped(shorten(tile.title, 200)))
    drawn = svg.node("g", title, box, glyph, class_=f"tile {tile.state}")
    return svg.node("a", drawn, href=tile.href) if tile.href else drawn


def _spoken(tiles: Sequence[Tile]) -> str:
    if not tiles:
        return "No window yet."
    told = ", ".join(f"{number} {WORDS.get(state, state)}" for _, state, number in timeline_legend(tiles))
    return f"{plural(len(tiles), 'window')}: {told}."
