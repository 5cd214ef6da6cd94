"""Endpoints: what is served, what is captured, and what became of the requests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from driftline.core.errors import InputError
from driftline.core.records import CSV_TYPES, JSON_TYPES
from driftline.core.uris import object_uri

Side = Literal["input", "output"]
Hiding = Literal["drop", "hash", "mask"]
_MOST_SENSITIVE = 1000


class SensitiveColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column whose values are never recorded in clear.

    ``column`` is the zero-based place of a cell of CSV, or of a value in a row that is a JSON array; or else a key of
    JSON, with dots where it lies deeper. ``drop`` leaves an empty place, ``hash`` a keyed hash (equal values stay
    equal), ``mask`` three stars.
    """

    side: Side
    column: int | str
    action: Hiding


def sensitive_column(text: str) -> SensitiveColumn:
    """A rule as commands write it, ``SIDE:COLUMN:ACTION``; raises :class:`InputError` for what is none.

    >>> sensitive_column("input:3:hash").column, sensitive_column("output:customer.ssn:drop").column
    (3, 'customer.ssn')
    """
    side, _, rest = text.partition(":")
    column, _, action = rest.rpartition(":")
    try:
        place = int(column) if column.isascii() and column.removeprefix("-").isdigit() else column
        return msgspec.convert({"side": side, "column": place, "action": action}, SensitiveColumn)
    except (msgspec.ValidationError, ValueError) as error:
        raise InputError(
            f"{text[:80]!r} names no sensitive column",
            evidence=str(error),
            hint="write SIDE:COLUMN:ACTION, as in input:3:hash",
        ) from None


def sensitive_columns(texts: Sequence[str] | None) -> tuple[SensitiveColumn, ...] | None:
    """Several rules; None where none are given, which is not the same as none at all."""
    return None if texts is None else tuple(map(sensitive_column, texts))


class CaptureSettings(msgspec.Struct, frozen=True):
    """What is recorded: ``percent`` (0 to 100) of the requests, their input, their output or both.

    A body is recorded as CSV or JSON text when its content type is one of ``csv_types`` or ``json_types``, else as
    BASE64. With neither side captured nothing is recorded. ``sensitive`` columns are hidden in the record.
    ``destination`` is an ``s3://`` folder below which the captures also appear, under the endpoint's name. A percentage
    out of range is an :class:`InputError`, and so is a column that is no column, or is named twice.
    """

    percent: float = 100.0
    input: bool = True
    output: bool = True
    csv_types: tuple[str, ...] = tuple(sorted(CSV_TYPES))
    json_types: tuple[str, ...] = tuple(sorted(JSON_TYPES))
    sensitive: tuple[SensitiveColumn, ...] = ()
    destination: str = ""

    def __post_init__(self) -> None:
        if self.destination:
            object_uri(self.destination)
        if self.sensitive:
            _check_sensitive(self.sensitive)
        if not (math.isfinite(self.percent) and 0 <= self.percent <= 100):
            raise InputError(
                "the sampling percentage is out of range",
                evidence=str(self.percent),
                hint="give a number from 0 (nothing) to 100 (every request)",
            )


def _check_sensitive(columns: tuple[SensitiveColumn, ...]) -> None:
    """Refuse columns that cannot be."""
    hint = "give zero-based places or keys of JSON, each once"
    if len(columns) > _MOST_SENSITIVE:
        raise InputError("there are too many sensitive columns", evidence=f"{len(columns)} are given", hint=hint)
    seen = set()
    for rule in columns:
        named = (rule.side, rule.column)
        if rule.column == "" or (isinstance(rule.column, int) and rule.column < 0):
            raise InputError("a sensitive column is no column", evidence=repr(rule.column), hint=hint)
        if named in seen:
            raise InputError("a sensitive column is named twice", evidence=f"{rule.side}:{rule.column}", hint=hint)
        seen.add(named)


class CaptureChange(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Capture settings to change; what is left out stays. ``sensitive`` replaces the columns that were so."""

    percent: float | None = None
    input: bool | None = None
    output: bool | None = None
    sensitive: tuple[SensitiveColumn, ...] | None = None
    destination: str | None = None


class ModelDescription(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a model file was found to be. A runtime fills in what it knows; what it does not is absent.

    ``library`` is the version that loads it, ``objective`` what it was trained for, ``classes`` in the order of its
    outputs; ``best_iteration`` is the round that predictions stop at.
    """

    runtime: str | None = None
    library: str | None = None
    format: str | None = None
    n_features: int | None = None
    objective: str | None = None
    classes: tuple[Any, ...] | None = None
    feature_names: tuple[str, ...] | None = None
    boosted_rounds: int | None = None
    best_iteration: int | None = None
    output: str | None = None
    producer: str | None = None
    estimator: str | None = None


class Endpoint(msgspec.Struct, frozen=True):
    """A model and how its traffic is captured. ``revision`` is unique over all endpoints and only grows.

    ``model_path`` is relative to the data folder, and empty where no model is served here: with an ``upstream`` (a
    URL) requests are forwarded there, without one captures come from elsewhere. A deleted endpoint stays in the store
    with ``deleted`` set, so that every serving process learns of it.
    """

    name: str
    model_path: str
    model: ModelDescription
    capture: CaptureSettings
    variant: str
    revision: int
    deleted: bool
    created: datetime
    updated: datetime
    upstream: str | None = None
    retention: dict[str, Any] | None = None

    @property
    def kind(self) -> Literal["model", "proxy", "external"]:
        """Who answers: a model of this service, the server at ``upstream``, or nobody here."""
        if self.upstream is not None:
            return "proxy"
        return "model" if self.model_path else "external"


class CaptureHour(msgspec.Struct, frozen=True):
    """What became of the requests of one hour (UTC): numbers of requests.

    Of the captured ones, ``withheld`` had a side of which nothing was recorded, because its sensitive columns could not
    be found for certain.
    """

    hour: datetime
    captured: int
    sampled_out: int
    dropped: int
    withheld: int = 0


class NewEndpoint(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An endpoint without a model of its own: a proxy where ``upstream`` is given, else an external one.

    Capture settings that are left out stay; those of a new endpoint are both sides of every request.
    """

    upstream: str | None = None
    percent: float | None = None
    input: bool | None = None
    output: bool | None = None
    sensitive: tuple[SensitiveColumn, ...] | None = None
    destination: str | None = None
