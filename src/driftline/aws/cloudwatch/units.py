"""The units that clients gave to metrics. Here a metric has none, so they are kept beside it: the last one given."""

from __future__ import annotations

import hashlib

from driftline.aws.context import Context
from driftline.core.errors import ConflictError, NotFoundError
from driftline.resources.metrics import Series
from driftline.storage.types import canonical

KIND = "metric-unit"
NONE = "None"


def unit_of(context: Context, series: Series) -> str:
    """The unit of a series; ``None`` (a text) when nobody gave one."""
    try:
        return str(context.registry.get(KIND, _key(series)).document["unit"])
    except NotFoundError:
        return NONE


def keep(context: Context, series: Series, unit: str) -> None:
    """Keep the unit of a series."""
    if unit_of(context, series) == unit:
        return
    document = {"unit": unit}
    try:
        context.registry.add(KIND, _key(series), document, now=context.now(), tags={})
    except ConflictError:
        context.registry.change(KIND, _key(series), now=context.now(), document=document)


def _key(series: Series) -> str:
    # A digest, because the names together may be longer than what a database can look up.
    text = "\n".join((series.namespace, series.name, canonical(series.dimensions)))
    return hashlib.sha256(text.encode()).hexdigest()
