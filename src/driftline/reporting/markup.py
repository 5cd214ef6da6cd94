"""Building markup: every text is escaped, whatever it holds; only what is markup already is kept as it is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from markupsafe import Markup, escape

from driftline.reporting.text import clean

Attribute = str | float | None
_PLAIN = re.compile(r"[\w .,:;/#%()+–-]*", re.ASCII)


def coordinate(value: float) -> str:
    """A number as SVG writes it, to a hundredth of a pixel.

    >>> coordinate(12.0), coordinate(0.126), coordinate(-0.0001)
    ('12', '0.13', '0')
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is no place in a drawing")
    written = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def harmless(content: str) -> str:
    """Markup itself; any other text with its special characters escaped and its controls replaced."""
    if isinstance(content, Markup):
        return content
    # Most texts are names of classes and numbers, in which there is nothing to do.
    return content if _PLAIN.fullmatch(content) else str(escape(clean(content)))


def join(parts: Iterable[str]) -> Markup:
    """Several pieces after each other."""
    return Markup("".join(harmless(part) for part in parts))  # noqa: S704


def opened(tag: str, attributes: Mapping[str, Attribute]) -> str:
    """The start of an element, without its closing bracket.

    ``class_`` is written ``class``, other underscores as hyphens; an attribute of None is left out.
    """
    written = "".join(f' {_name(name)}="{_value(value)}"' for name, value in attributes.items() if value is not None)
    return f"<{tag}{written}"


@lru_cache(maxsize=64)
def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    return harmless(value) if isinstance(value, str) else coordinate(value)
