"""What a batch transform is asked for, and what it did."""

from __future__ import annotations

from typing import Literal

import msgspec

from driftline.resources.batch_jobs import BatchLimits

Splitting = Literal["None", "Line"]


class TransformSettings(BatchLimits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model over objects in a bucket.

    ``model_path`` is relative to the data folder. ``input`` is the beginning of keys, or with ``manifest`` the object
    that lists them; every object ``NAME`` is answered by ``NAME.out`` below ``output``. With ``split`` ``Line`` every
    line is a record, else the object is one request; with ``assemble`` ``Line`` every answer ends its line. Filters are
    JSONPaths: of a record before the model sees it, and of what is written. With ``join`` the record stands beside its
    answer. ``capture`` is the prefix below which manifests of inputs and outputs are written; with ``generate_ids``
    every answer has an inference id and the time of the job. An empty ``accept`` is the content type.
    """

    model_path: str
    input: str
    output: str
    manifest: bool = False
    content_type: str = "text/csv"
    gzip: bool = False
    split: Splitting = "None"
    accept: str = ""
    assemble: Splitting = "None"
    input_filter: str = "$"
    output_filter: str = "$"
    join: bool = False
    capture: str = ""
    generate_ids: bool = False


class TransformResult(msgspec.Struct, frozen=True):
    """How many objects were answered, and how many rows they held; the manifests that were written."""

    files: int
    records: int
    manifests: tuple[str, ...] = ()
