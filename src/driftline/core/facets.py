"""Facets, and the part of a column that is meant, as people write them: ``plan=gold,tin``, ``Account Length>=100``."""

from __future__ import annotations

import csv
import math
import re

import msgspec

from driftline.core.errors import InputError

_SYNTAX = "write NAME, NAME=VALUE,VALUE, NAME>NUMBER or NAME>=NUMBER"
_SIGN = re.compile(r">=|>|<|=")


class Choice(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The part of a column that is meant: rows with one of the ``values``, or numbers above the ``threshold`` (from it
    on where ``inclusive``).

    Where both are given, the column decides: the original writes a category and a threshold alike as ``[1]``, which is
    a threshold where the column is of numbers and more than 5 % of them are different. With neither, each value is
    meant in turn. Values are texts as JSON writes them, whole numbers without a point.
    """

    values: tuple[str, ...] = ()
    threshold: float | None = None
    inclusive: bool = False


class FacetConfig(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A column by which people or things are told apart, and the part of it that is held against all others."""

    name: str
    choice: Choice = Choice()


def parse_facet(text: str) -> FacetConfig:
    """A facet from ``NAME``, ``NAME=VALUE,VALUE``, ``NAME>NUMBER`` or ``NAME>=NUMBER``.

    The first sign ends the name. A value with a comma stands in quotes. Raises :class:`InputError` for anything else.

    >>> parse_facet("plan=gold,tin")
    FacetConfig(name='plan', choice=Choice(values=('gold', 'tin'), threshold=None, inclusive=False))
    >>> parse_facet("Account Length>=100").choice
    Choice(values=(), threshold=100.0, inclusive=True)
    >>> parse_facet("sex")
    FacetConfig(name='sex', choice=Choice(values=(), threshold=None, inclusive=False))
    """
    sign = _SIGN.search(text)
    name = (text if sign is None else text[: sign.start()]).strip()
    if not name:
        raise InputError(f"facet {text!r} has no name", hint=_SYNTAX)
    if sign is None:
        return FacetConfig(name)
    return FacetConfig(name, _choice(sign.group(), text[sign.end() :], f"facet {text!r}"))


def parse_positive(text: str) -> Choice:
    """Which labels are positive, from ``VALUE,VALUE``, ``>NUMBER`` or ``>=NUMBER``.

    >>> parse_positive("1"), parse_positive(">0.5").threshold
    (Choice(values=('1',), threshold=None, inclusive=False), 0.5)
    """
    sign = re.match(r"\s*(>=|>|<)", text)
    if sign is None:
        return _choice("=", text, f"positive label {text!r}")
    return _choice(sign.group(1), text[sign.end() :], f"positive label {text!r}")


def facet_text(facet: FacetConfig) -> str:
    """A facet as :func:`parse_facet` reads it.

    >>> facet_text(parse_facet('plan = gold,"a, b"')), facet_text(parse_facet("age>=50"))
    ('plan=gold,"a, b"', 'age>=50')
    """
    chosen = facet.choice
    if chosen.values:
        return f"{facet.name}={','.join(map(_quoted, chosen.values))}"
    return (
        facet.name if chosen.threshold is None else f"{facet.name}{'>=' if chosen.inclusive else '>'}{_short(chosen)}"
    )


def _short(chosen: Choice) -> str:
    found = repr(chosen.threshold)
    return found.removesuffix(".0")


def _quoted(value: str) -> str:
    plain = value == value.strip() and value != "" and not re.search(r'[",\r\n]', value)
    return value if plain else '"' + value.replace('"', '""') + '"'


def _choice(sign: str, rest: str, what: str) -> Choice:
    if sign == "<":
        raise InputError(f"{what}: a facet is above a threshold, not below it", hint=f"{_SYNTAX}; take the other side")
    if sign == "=":
        return Choice(_values(rest, what))
    try:
        threshold = float(rest)
    except ValueError:
        threshold = math.nan
    if not math.isfinite(threshold):
        raise InputError(f"{what}: {rest.strip()!r} is not a finite number", hint=_SYNTAX)
    return Choice(threshold=threshold, inclusive=sign == ">=")


def _values(rest: str, what: str) -> tuple[str, ...]:
    try:
        lines = list(csv.reader([rest.strip()], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise InputError(f"{what}: {error}", hint=_SYNTAX) from None
    found = tuple(dict.fromkeys(cell.strip() for cell in (lines[0] if len(lines) == 1 else [])))
    if not all(found) or not found:
        raise InputError(f"{what} has an empty value", hint=_SYNTAX)
    return found
