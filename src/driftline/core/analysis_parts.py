"""The parts of an ``analysis.json``: texts, numbers, intervals, or why one cannot be used."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from driftline.core.documents import Interval
from driftline.core.errors import InputError

VERSION = "1.0"
_HINT = "make the baseline again, or give the analysis.json that a baseline wrote"
_NAMES = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}


def broken(reason: str, evidence: str = "") -> InputError:
    """The error of a document that cannot be used."""
    return InputError(reason, evidence=evidence, hint=_HINT)


def mapping(node: Any, where: str) -> dict[str, Any]:
    """An object; raises :class:`InputError` for anything else."""
    if not isinstance(node, dict):
        raise broken(f"{where} must be an object", _shown(node))
    return node


def listed(node: Any, where: str) -> list[Any]:
    """A list; raises :class:`InputError` for anything else."""
    if not isinstance(node, list):
        raise broken(f"{where} must be a list", _shown(node))
    return node


def text(node: Any, where: str) -> str:
    """A text, or a number as one; a whole number without a point, whichever way it was written.

    >>> text("gold", "plan"), text(1.0, "label"), text(0.5, "label")
    ('gold', '1', '0.5')
    """
    if isinstance(node, bool) or not isinstance(node, str | int | float):
        raise broken(f"{where} must be a text or a number", _shown(node))
    if isinstance(node, str):
        return node
    return str(int(node)) if math.isfinite(node) and node == int(node) else repr(node)


def number(node: Any, where: str) -> float | None:
    """A number, one that JSON cannot hold as its name (``Infinity``); null and NaN are none.

    >>> number("Infinity", "DI"), number(None, "DI"), number("NaN", "DI")
    (inf, None, None)
    """
    found = _NAMES.get(node, node) if isinstance(node, str) else node
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise broken(f"{where} is not a number", _shown(node))
    return None if math.isnan(found) else float(found)


def finite(node: Any, where: str) -> float:
    """A finite number; raises :class:`InputError` for none, and for one without end."""
    found = number(node, where)
    if found is None or math.isinf(found):
        raise broken(f"{where} is not a finite number", _shown(node))
    return found


def count(node: Any, where: str) -> int:
    """A whole number from 0."""
    found = finite(node, where)
    if found < 0 or found != int(found):
        raise broken(f"{where} is not a count", _shown(node))
    return int(found)


def interval(node: Any, where: str) -> Interval | None:
    """A confidence interval with its level and method; none where it is absent."""
    if node is None:
        return None
    parts = mapping(node, where)
    lower, upper = (number(parts.get(end), f"{where}: {end}") for end in ("lower", "upper"))
    if lower is None or upper is None or lower > upper:
        raise broken(f"{where} is no interval", f"from {_shown(parts.get('lower'))} to {_shown(parts.get('upper'))}")
    return Interval(lower, upper, finite(parts.get("level"), f"{where}: level"), text(parts.get("method"), where))


def interval_part(found: Interval | None) -> dict[str, Any]:
    """An interval as a key of ours beside the original's, where there is one."""
    return {} if found is None else {"confidence_interval": msgspec.to_builtins(found)}


def keys(document: dict[str, Any]) -> str:
    """The keys of a document as evidence."""
    shown = ", ".join(map(str, document)) or "none"
    return f"its keys are: {shown if len(shown) <= 200 else shown[:197] + '…'}"


def _shown(node: Any) -> str:
    found = repr(node)
    return f"it is {found if len(found) <= 100 else found[:97] + '…'}"
