"""The credentials that web processes show to the S3 server of a data folder: made once, for the owner's eyes only."""

from __future__ import annotations

from typing import NamedTuple

from driftline.storage.capture_key import read_or_make
from driftline.storage.layout import Layout


class S3Credentials(NamedTuple):
    """An access key's id and its secret."""

    id: str
    secret: str


def s3_credentials(layout: Layout) -> S3Credentials:
    """The credentials of a folder's S3 server."""
    return S3Credentials("DRIFTLINEINTERNAL000", read_or_make(layout.s3_key).hex())
