"""The configuration of a schedule's bias or attribution analysis: made whole, so that our reader takes it."""

from __future__ import annotations

import csv
import io
from typing import Any

from driftline.core.errors import InputError

_METHODS = {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}}


def completed(config: dict[str, Any], rows: list[list[Any]] | None = None) -> dict[str, Any]:
    """A configuration with what clients leave out of that of a schedule: of bias they send no methods.

    ``rows`` take the place of a SHAP baseline that was given by its address.

    >>> sorted(completed({"facet": [{"name_or_index": "plan"}]})["methods"])
    ['post_training_bias', 'pre_training_bias']
    """
    whole = dict(config)
    if not whole.get("methods") and "facet" in whole:
        whole["methods"] = dict(_METHODS)
    if rows is not None:
        methods = dict(whole["methods"])
        methods["shap"] = methods["shap"] | {"baseline": rows}
        whole["methods"] = methods
    return whole


def rows_elsewhere(config: dict[str, Any]) -> str | None:
    """The address of the SHAP baseline, where it is not in the configuration itself.

    >>> rows_elsewhere({"methods": {"shap": {"baseline": "s3://churn/baseline.csv"}}})
    's3://churn/baseline.csv'
    """
    methods = config.get("methods")
    shap = methods.get("shap") if isinstance(methods, dict) else None
    given = shap.get("baseline") if isinstance(shap, dict) else None
    return given if isinstance(given, str) else None


def read_rows(data: bytes, source: str) -> list[list[Any]]:
    """The rows of a SHAP baseline in CSV without a header; raises :class:`InputError` for what is no text.

    >>> read_rows(b"1,2.5\\ngold,\\n", "baseline.csv")
    [[1.0, 2.5], ['gold', None]]
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is no CSV", evidence=str(error), hint="save the file as UTF-8") from None
    return [[_cell(cell) for cell in row] for row in csv.reader(io.StringIO(text)) if row]


def _cell(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text
