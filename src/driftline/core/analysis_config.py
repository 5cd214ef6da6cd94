"""What is analysed: bias and attributions, read from our own JSON or from the original service's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from driftline.core.analysis_config_reader import read_original
from driftline.core.analysis_settings import (
    HINT,
    AnalysisConfig,
    BiasConfig,
    Cell,
    PredictorConfig,
    ShapConfig,
    checked,
)
from driftline.core.errors import InputError
from driftline.core.facets import Choice, FacetConfig, facet_text, parse_facet, parse_positive
from driftline.core.json_text import parse_object

__all__ = [
    "AnalysisConfig",
    "BiasConfig",
    "Cell",
    "Choice",
    "FacetConfig",
    "PredictorConfig",
    "ShapConfig",
    "analysis_config_document",
    "checked",
    "facet_text",
    "parse_facet",
    "parse_positive",
    "read_analysis_config",
]


def analysis_config_document(config: AnalysisConfig) -> dict[str, Any]:
    """A configuration as our own JSON; what has its default is left out."""
    found: dict[str, Any] = msgspec.to_builtins(config)
    return found


def read_analysis_config(data: bytes, source: str, headers: Sequence[str] = ()) -> AnalysisConfig:
    """A configuration from our own JSON, or from an ``analysis_config.json`` of the original.

    The original's has ``methods``; ours has ``bias`` or ``attribution``, where a facet and ``positive`` may be written
    as on the command line (``"plan=gold"``). ``headers`` are the table's own column names, for a file without; they
    turn the numbers of columns into names, which are else ``_c0``, ``_c1``, …. ``source`` names the file in messages.
    Raises :class:`InputError` with the line or the place, and the reason, for a key that nobody knows, a value that
    may not be, and what is not supported and would change the result.
    """
    document = parse_object(data, source)
    if "methods" in document:
        return checked(read_original(document, data, source, headers), source)
    if "bias" in document or "attribution" in document:
        return checked(_own(data, source), source)
    raise InputError(
        f"{source} says nothing to analyse",
        evidence=f"its keys are: {', '.join(document) or 'none'}",
        hint=f"expected methods (the original's form), or bias or attribution (ours); {HINT}",
    )


def _own(data: bytes, source: str) -> AnalysisConfig:
    try:
        node = msgspec.json.decode(data.decode("utf-8-sig"))
        bias = node.get("bias")
        if isinstance(bias, dict):
            _spell_out(bias)
        return msgspec.convert(node, AnalysisConfig)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"{source}: {error}", hint=HINT) from None


def _spell_out(bias: dict[str, Any]) -> None:
    """Put what is written as on the command line into its long form."""
    if isinstance(bias.get("facets"), list):
        bias["facets"] = [
            msgspec.to_builtins(parse_facet(one)) if isinstance(one, str) else one for one in bias["facets"]
        ]
    if isinstance(bias.get("positive"), str):
        bias["positive"] = msgspec.to_builtins(parse_positive(bias["positive"]))
