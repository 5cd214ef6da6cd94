"""``statistics.json`` of a table, read: files of ours and of the original service."""

from __future__ import annotations

import math
from collections.abc import Container
from typing import Any, TypeVar

import msgspec

from driftline.core.errors import InputError
from driftline.core.json_text import parse_object
from driftline.core.table_statistics import (
    KLL_C,
    KLL_K,
    Bucket,
    FeatureStatistics,
    InferredType,
    NumericalStatistics,
    StringStatistics,
    TableStatistics,
    TypeCounts,
)

T = TypeVar("T")
_HINT = "make the baseline again, or give the statistics.json of a data-quality baseline"


class _Dataset(msgspec.Struct):
    item_count: float


class _Document(msgspec.Struct):
    dataset: _Dataset
    features: list[msgspec.Raw]


class _Common(msgspec.Struct):
    num_present: float
    num_missing: float = 0


class _Bucket(msgspec.Struct):
    lower_bound: float
    upper_bound: float
    count: float


class _Parameters(msgspec.Struct):
    c: float = KLL_C
    k: float = KLL_K


class _Sketch(msgspec.Struct):
    parameters: _Parameters | None = None
    data: tuple[tuple[float, ...], ...] | None = None


class _Kll(msgspec.Struct):
    buckets: tuple[_Bucket, ...] | None = None
    sketch: _Sketch | None = None


class _NumberDistribution(msgspec.Struct):
    kll: _Kll | None = None


class _Numerical(msgspec.Struct):
    common: _Common
    mean: float | str | None = None
    sum: float | str | None = None
    std_dev: float | str | None = None
    min: float | str | None = None
    max: float | str | None = None
    distribution: _NumberDistribution | None = None
    not_finite: float = 0


class _Category(msgspec.Struct):
    value: str
    count: float


class _Categorical(msgspec.Struct):
    buckets: tuple[_Category, ...] | None = None


class _TextDistribution(msgspec.Struct):
    categorical: _Categorical | None = None


class _String(msgspec.Struct):
    common: _Common
    distinct_count: float
    distribution: _TextDistribution | None = None
    complete: bool | None = None
    error: float = 0


class _Named(msgspec.Struct):
    name: str
    inferred_type: InferredType


class _Feature(msgspec.Struct):
    name: str
    inferred_type: InferredType
    numerical_statistics: _Numerical | None = None
    string_statistics: _String | None = None
    common: _Common | None = None
    types: dict[str, float] | None = None


def read_statistics(data: bytes, source: str) -> TableStatistics:
    """The statistics of a ``statistics.json``, ours or the original service's.

    Keys that nobody knows are ignored; distributions, sketches and moments may be absent; counts may be written as
    floats. ``source`` names the file in messages. Raises :class:`InputError` with the file, the feature and the reason
    for one that cannot be used.
    """
    try:
        return _table(msgspec.json.decode(data, type=_Document), source)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Where the text is at fault, the slower reader says in which line; NaN and a byte order mark it can read.
        document = parse_object(data, source)
    try:
        return _slowly(document, source)
    except RecursionError:
        raise InputError(f"{source} is nested too deeply", hint=_HINT) from None


class ListedStatistics:
    """A ``statistics.json`` of which only some features are read: sketches of all would take long.

    Raises :class:`InputError` as :func:`read_statistics` does, for a feature that cannot be used when it is asked for.
    """

    def __init__(self, data: bytes, source: str) -> None:
        try:
            document = msgspec.json.decode(data, type=_Document)
            names = [msgspec.json.decode(raw, type=_Named) for raw in document.features]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"{source} cannot be read", evidence=str(error)[:200], hint=_HINT) from None
        self._source, self._raws = source, dict(zip((one.name for one in names), document.features, strict=True))
        self._rows = _count(document.dataset.item_count, f"{source}: item_count")
        self._types = {one.name: one.inferred_type for one in names}

    def table(self, wanted: Container[str] = ()) -> TableStatistics:
        """All features; those that are not wanted have a name and a type, and counts of 0."""
        features = [
            _feature(raw, f"{self._source}, feature {place}")
            if name in wanted
            else FeatureStatistics(name, self._types[name], 0, 0)
            for place, (name, raw) in enumerate(self._raws.items(), start=1)
        ]
        return TableStatistics(self._rows, tuple(features))


def _slowly(document: dict[str, Any], source: str) -> TableStatistics:
    if not isinstance(document.get("features"), list):
        raise InputError(
            f"{source} holds no data-quality statistics",
            evidence=f"its keys are: {', '.join(map(str, document)) or 'none'}",
            hint="expected dataset and features; " + _HINT,
        )
    dataset = _decoded(document.get("dataset"), _Dataset, f"{source}: dataset")
    features = [msgspec.Raw(msgspec.json.encode(feature)) for feature in document["features"]]
    return _table(_Document(dataset, features), source)


def _decoded(node: Any, kind: type[T], where: str) -> T:
    try:
        return msgspec.convert(node, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: {error}", hint=_HINT) from None


def _table(document: _Document, source: str) -> TableStatistics:
    features = tuple(_feature(raw, f"{source}, feature {place + 1}") for place, raw in enumerate(document.features))
    names = {feature.name for feature in features}
    if len(names) < len(features):
        twice = next(one.name for one in features if sum(other.name == one.name for other in features) > 1)
        raise InputError(f"{source} describes feature {twice!r} twice", hint=_HINT)
    return TableStatistics(_count(document.dataset.item_count, f"{source}: item_count"), features)


def _feature(raw: msgspec.Raw, where: str) -> FeatureStatistics:
    try:
        found = msgspec.json.decode(raw, type=_Feature)
    except msgspec.ValidationError as error:
        name = msgspec.json.decode(raw).get("name") if bytes(raw).lstrip()[:1] == b"{" else None
        shown = f" ({name})" if isinstance(name, str) else ""
        raise InputError(f"{where}{shown}: {error}", hint=_HINT) from None
    where = f"{where} ({found.name})"
    numerical, string = found.numerical_statistics, found.string_statistics
    common = next((one.common for one in (numerical, string) if one is not None), found.common)
    if common is None:
        raise InputError(f"{where} has neither numerical_statistics nor string_statistics", hint=_HINT)
    present = _count(common.num_present, f"{where}: num_present")
    return FeatureStatistics(
        found.name,
        found.inferred_type,
        present,
        _count(common.num_missing, f"{where}: num_missing"),
        None if numerical is None else _numerical(numerical, where),
        None if string is None else _string(string, present, where),
        _types(found.types, where),
    )


def _types(found: dict[str, float] | None, where: str) -> TypeCounts | None:
    if found is None:
        return None
    known = TypeCounts.__struct_fields__
    return TypeCounts(**{name: _count(found.get(name, 0), f"{where}: types: {name}") for name in known})


def _numerical(found: _Numerical, where: str) -> NumericalStatistics:
    kll = (found.distribution.kll if found.distribution else None) or _Kll()
    sketch = kll.sketch or _Sketch()
    parameters = sketch.parameters or _Parameters()
    levels = sketch.data or ()
    buckets = tuple(Bucket(one.lower_bound, one.upper_bound, one.count) for one in kll.buckets or ())
    for bucket in buckets:
        if not (bucket.lower <= bucket.upper and bucket.count >= 0):
            raise InputError(
                f"{where}: a bucket from {bucket.lower:g} to {bucket.upper:g} with {bucket.count:g} values", hint=_HINT
            )
    return NumericalStatistics(
        mean=_moment(found.mean, f"{where}: mean"),
        sum=_moment(found.sum, f"{where}: sum"),
        std_dev=_moment(found.std_dev, f"{where}: std_dev"),
        min=_moment(found.min, f"{where}: min"),
        max=_moment(found.max, f"{where}: max"),
        buckets=buckets,
        levels=levels,
        c=parameters.c,
        k=parameters.k,
        not_finite=_count(found.not_finite, f"{where}: not_finite"),
    )


def _string(found: _String, present: int, where: str) -> StringStatistics:
    """A file of the original does not say whether it lists every text; it does when the counts come to all of them."""
    listed = found.distribution.categorical if found.distribution else None
    categories = tuple(
        (one.value, _count(one.count, f"{where}: the count of {one.value!r}"))
        for one in (listed.buckets if listed else None) or ()
    )
    complete = found.complete
    if not (math.isfinite(found.distinct_count) and found.distinct_count >= 0):
        raise InputError(f"{where}: distinct_count: {found.distinct_count:g} is not a count", hint=_HINT)
    if complete is None:
        complete = sum(count for _, count in categories) == present
    return StringStatistics(found.distinct_count, categories, complete, _count(found.error, f"{where}: error"))


def _moment(value: float | str | None, where: str) -> float | None:
    """A number that JSON cannot hold is written as its name, and is none to reckon with."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise InputError(f"{where}: {value!r} is not a number", hint=_HINT) from None
    return value if value is not None and math.isfinite(value) else None


def _count(value: float, where: str) -> int:
    if not (math.isfinite(value) and value >= 0 and value == int(value)):
        raise InputError(f"{where}: {value:g} is not a count", hint=_HINT)
    return int(value)
