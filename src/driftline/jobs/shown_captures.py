"""Captures that appear in a bucket appear there again after everything in it was deleted."""

from __future__ import annotations

import os
from contextlib import suppress

from driftline.core.errors import DriftlineError
from driftline.core.uris import object_uri
from driftline.storage import endpoints
from driftline.storage.buckets import folder_objects
from driftline.storage.database import Store
from driftline.storage.destinations import show_captures
from driftline.storage.layout import Layout


def show_again(store: Store, layout: Layout) -> None:
    """Make the links anew that are gone: with the last object below it, the S3 server takes away a link to a folder.

    What cannot be shown was told when the endpoint was made.
    """
    with store.read() as db:
        found = endpoints.listing(db)
    for endpoint in found:
        destination = endpoint.capture.destination
        if endpoint.kind == "external" or not destination:
            continue
        uri = object_uri(destination) / endpoint.name
        objects = folder_objects(layout, uri)
        if objects is not None and not os.path.lexists(objects.folder(uri)):
            with suppress(DriftlineError):
                show_captures(layout, endpoint.name, destination)
