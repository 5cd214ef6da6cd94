"""Where the buckets of a data folder are: folders of it, or those of a service elsewhere."""

from __future__ import annotations

import os

from driftline.core.configuration import S3_ENDPOINT, STORE
from driftline.core.uris import S3, ObjectUri
from driftline.storage.layout import Layout
from driftline.storage.objects import FolderObjects, Objects
from driftline.storage.remote.trying import USUAL, Patience


def s3_service() -> str:
    """Where the buckets of ``s3://`` are: a URL, or ``aws`` for Amazon's own; empty where they are folders of the data
    folder. A data folder that is kept in a bucket of S3 has no such folders: then Amazon's own are meant if nothing
    else is said."""
    given = S3_ENDPOINT.of(os.environ)
    return given or ("aws" if STORE.of(os.environ).startswith(f"{S3}://") else "")


def folder_objects(layout: Layout, uri: ObjectUri) -> FolderObjects | None:
    """The objects of a data folder where the bucket of an address is a folder of it; None where it is elsewhere."""
    return None if uri.scheme != S3 or s3_service() else FolderObjects(layout.data / S3)


def open_objects(layout: Layout, patience: Patience = USUAL) -> Objects:
    """The objects that belong to a data folder: of ``s3://`` its own folder ``s3/``, or the buckets of the service that
    the variable ``DRIFTLINE_S3_ENDPOINT`` names (a URL, or ``aws`` for Amazon's own); of ``gs://`` and ``az://`` those
    of Google and Azure. ``patience`` is for those elsewhere."""
    service = s3_service()
    if service:
        from driftline.storage.remote_objects import RemoteObjects  # it loads what only buckets elsewhere need

        return RemoteObjects(service, patience)
    from driftline.storage.both_objects import BothObjects

    return BothObjects(FolderObjects(layout.data / S3), patience)
