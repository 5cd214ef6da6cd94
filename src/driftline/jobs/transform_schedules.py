"""Schedules that look at what batch transforms captured."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from driftline.core.errors import InputError
from driftline.core.uris import object_uri
from driftline.pipeline import Run
from driftline.pipeline.transform_source import TransformSource
from driftline.resources.baseline_jobs import TableFormat
from driftline.resources.schedules import Schedule
from driftline.storage.layout import Layout

_OF_INPUTS = ("data-quality", "attribution")


class _Csv(msgspec.Struct, rename="pascal"):
    header: bool = False


class _Json(msgspec.Struct, rename="pascal"):
    line: bool = False


class _Format(msgspec.Struct, rename="pascal", forbid_unknown_fields=True):
    csv: _Csv | None = None
    json: _Json | None = None
    parquet: dict[str, Any] | None = None

    def read(self) -> TableFormat:
        if self.json is not None:
            return TableFormat(kind="json", lines=self.json.line)
        if self.parquet is not None:
            return TableFormat(kind="parquet")
        return TableFormat(header=self.csv is not None and self.csv.header)


class _Attributes(msgspec.Struct):
    transform: str | None = None
    dataset_format: _Format = msgspec.field(default_factory=_Format)


def transform_of(data: Path, attributes: dict[str, Any], monitor: str) -> TransformSource | None:
    """The captures of transforms that a schedule looks at: ``transform`` is their destination, ``dataset_format`` how
    the files are read, as the original says it. None for a schedule that looks at an endpoint.

    >>> given = {"transform": "s3://data/captured", "dataset_format": {"Json": {"Line": True}}}
    >>> transform_of(Path(), given, "data-quality").format.kind, transform_of(Path(), {}, "data-quality")
    ('json', None)
    """
    try:
        given = msgspec.convert(attributes, _Attributes)
    except msgspec.ValidationError as error:
        hint = 'give transform as s3://BUCKET/PREFIX, and dataset_format as {"Csv": {"Header": false}}'
        raise InputError("the attributes of the schedule cannot be used", evidence=str(error), hint=hint) from None
    if given.transform is None:
        return None
    uri = str(object_uri(given.transform)).rstrip("/")
    side: Literal["input", "output"] = "input" if monitor in _OF_INPUTS else "output"
    return TransformSource(uri, given.dataset_format.read(), side, str(data))


def of_transforms(layout: Layout, schedule: Schedule, run: Run) -> Run:
    """The run with captures of transforms, where its schedule looks at those; they are made when it begins."""
    source = transform_of(layout.data, schedule.attributes, schedule.monitor)
    if source is None:
        return run
    kept = {name: str(source.folder / name) for name in ("captures", "pieces", "decoded") if hasattr(run, name)}
    return msgspec.structs.replace(run, transform=source, **kept)
