"""Where the runs of a schedule read: the endpoint's own folders, or folders of buckets that the schedule names."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from driftline.core.uris import ObjectUri, object_uri
from driftline.jobs.attributes import data_attributes
from driftline.resources.schedules import Schedule
from driftline.storage.buckets import folder_objects
from driftline.storage.layout import Layout

ELSEWHERE = "elsewhere"
"""The folder, in those of an endpoint, of what was made of captures that are not its own."""


class Places(msgspec.Struct, frozen=True):
    """Folders of captures and labels, and those where what was made of the captures is kept.

    ``fetched_captures`` and ``fetched_labels`` are what has to be copied into their folders before they are read; None
    where they are read in place.
    """

    captures: Path
    labels: Path
    pieces: Path
    decoded: Path
    fetched_captures: ObjectUri | None = None
    fetched_labels: ObjectUri | None = None


def places_of(layout: Layout, schedule: Schedule) -> Places:
    """Where the runs of a schedule read.

    What is kept of an endpoint's hours knows them by their files. Captures that lie elsewhere have folders of their own
    for that, or two schedules of one endpoint would take away what the other keeps; a link to the endpoint's own
    captures is the same as these.
    """
    endpoint, given = schedule.endpoint, data_attributes(schedule.attributes)
    own = layout.captures(endpoint)
    captures, fetched_captures = _place(layout, given.captures, own)
    labels, fetched_labels = _place(layout, given.labels, layout.labels(endpoint))
    pieces, decoded = layout.pieces(endpoint), layout.decoded(endpoint)
    if captures.resolve() == own.resolve():
        captures = own
    else:
        name = hashlib.sha256(str(captures.relative_to(layout.data)).encode()).hexdigest()[:16]
        pieces, decoded = pieces / ELSEWHERE / name, decoded / ELSEWHERE / name
    return Places(captures, labels, pieces, decoded, fetched_captures, fetched_labels)


def output_of(schedule: Schedule) -> ObjectUri | None:
    """Below what a schedule's results are written; None where they stay in the data folder alone."""
    given = data_attributes(schedule.attributes).output
    return None if given is None else object_uri(given)


def _place(layout: Layout, given: str | None, own: Path) -> tuple[Path, ObjectUri | None]:
    """The folder of what was given, and what it has to be filled from. A folder without objects is not there in a
    bucket, and no failure: then one for fetched objects, with nothing in it, takes its place."""
    if given is None:
        return own, None
    uri = object_uri(given)
    here = folder_objects(layout, uri)
    folder = None if here is None else here.folder(uri)
    if folder is not None and folder.is_dir():
        return folder, None
    fetched = layout.cached_objects(uri.scheme, uri.bucket, uri.key)
    fetched.mkdir(parents=True, exist_ok=True)
    return fetched, uri
