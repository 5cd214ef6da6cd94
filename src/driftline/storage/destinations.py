"""Captures that also appear in a bucket: a link to the endpoint's folder, where buckets are folders. To buckets
elsewhere they are shipped (``driftline.jobs.shared``)."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

from driftline.core.errors import ConflictError, SetupError
from driftline.core.uris import object_uri
from driftline.storage import spool
from driftline.storage.buckets import folder_objects
from driftline.storage.layout import Layout


def show_captures(layout: Layout, endpoint: str, destination: str) -> None:
    """Let the captures of an endpoint appear at ``DESTINATION/ENDPOINT``; doing it twice changes nothing.

    Where the bucket is elsewhere the address is checked, and a shipper wanted. Raises :class:`ConflictError` where
    other files are there.
    """
    uri = object_uri(destination) / endpoint
    objects = folder_objects(layout, uri)
    if objects is None:
        spool.want(layout)
        return
    link, captures = objects.folder(uri), layout.captures(endpoint)
    try:
        captures.mkdir(parents=True, exist_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        _checked(link, captures, layout.data / "s3", str(uri))
        _link(link, captures)
    except FileExistsError:
        raise _taken(str(uri), "a file stands where a folder is wanted") from None
    except OSError as error:
        hint = "correct the permissions of the data folder"
        raise SetupError(f"cannot make {link}", evidence=error.strerror or str(error), hint=hint) from None


def _checked(link: Path, captures: Path, buckets: Path, uri: str) -> None:
    """The place is free, or is the link already; and it does not lie in what another endpoint captures."""
    if not link.parent.resolve().is_relative_to(buckets.resolve()):
        raise _taken(uri, "it lies among the captures of another endpoint")
    if link.is_symlink():
        if link.resolve() != captures.resolve():
            raise _taken(uri, f"it is a link to {link.readlink()}")
        return
    if link.is_dir():
        if any(link.iterdir()):
            raise _taken(uri, "it has files of its own")
        link.rmdir()
    elif link.exists():
        raise _taken(uri, "it is a file")


def _link(link: Path, captures: Path) -> None:
    """A relative link, so that the data folder may be moved."""
    unfinished = link.with_name(f".{uuid4().hex}.tmp")
    unfinished.symlink_to(os.path.relpath(captures.resolve(), link.parent.resolve()))
    unfinished.replace(link)


def _taken(uri: str, evidence: str) -> ConflictError:
    hint = "choose another capture destination, or move away what is there"
    return ConflictError(f"captures cannot appear at {uri}", evidence=evidence, hint=hint)
