"""Addresses of objects: ``s3://``, ``gs://`` or ``az://BUCKET/KEY``, and the https forms that older clients write."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from driftline.core.errors import InputError

S3, GOOGLE, AZURE = "s3", "gs", "az"
SCHEMES = (S3, GOOGLE, AZURE)
"""S3 and what speaks its protocol; Google Cloud Storage; Azure Blob Storage, where a bucket is called a container."""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_GOOGLE_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_VIRTUAL = re.compile(r"(?P<bucket>.+)\.s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?")
_PATH = re.compile(r"s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?")


class ObjectUri(NamedTuple):
    """A bucket and a key in it; the key may be empty, or the beginning of many keys."""

    bucket: str
    key: str
    scheme: str = S3

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"

    def __truediv__(self, part: str) -> ObjectUri:
        """A key below this one."""
        return self.at(f"{self.key.rstrip('/')}/{part}".lstrip("/"))

    def at(self, key: str) -> ObjectUri:
        """Another key of the same bucket."""
        return ObjectUri(self.bucket, key, self.scheme)


def object_uri(text: str) -> ObjectUri:
    """The object that an address names; raises :class:`InputError` for what names none.

    A key with ``.`` or ``..`` among its parts is refused, because buckets may be folders.

    >>> object_uri("s3://models/churn/model.tar.gz").key
    'churn/model.tar.gz'
    >>> str(object_uri("gs://models/churn/") / "model.tar.gz")
    'gs://models/churn/model.tar.gz'
    >>> object_uri("https://models.s3-us-west-2.amazonaws.com/churn/model.tar.gz").bucket
    'models'
    >>> str(object_uri("https://s3.us-west-2.amazonaws.com/models/churn/model.tar.gz"))
    's3://models/churn/model.tar.gz'
    """
    hint = "write s3://BUCKET/KEY, gs://BUCKET/KEY or az://CONTAINER/KEY"
    try:
        parts = urlsplit(text)
        host = parts.netloc
    except ValueError as error:
        raise InputError(f"{text[:200]!r} names no object", evidence=str(error), hint=hint) from None
    path = text.partition("://")[2].partition("/")[2]
    scheme = parts.scheme if parts.scheme in SCHEMES else S3
    if parts.scheme in SCHEMES:
        bucket, key = host, path
    elif parts.scheme == "https" and (found := _VIRTUAL.fullmatch(host)):
        bucket, key = found["bucket"], unquote(parts.path.removeprefix("/"))
    elif parts.scheme == "https" and _PATH.fullmatch(host):
        bucket, _, key = unquote(parts.path.removeprefix("/")).partition("/")
    else:
        raise InputError(f"{text[:200]!r} names no object", hint=hint)
    return _checked(text, ObjectUri(bucket, key, scheme))


def _checked(text: str, uri: ObjectUri) -> ObjectUri:
    bucket, key, scheme = uri
    if (_GOOGLE_BUCKET if scheme == GOOGLE else _BUCKET).fullmatch(bucket) is None or ".." in bucket:
        hint = "a bucket's name has 3 to 63 small letters, digits, dots and dashes"
        raise InputError(f"{text[:200]!r} names no bucket", evidence=bucket[:80], hint=hint)
    if len(key.encode("utf-8", "replace")) > 1024 or any(part in (".", "..") for part in key.split("/")) or "\0" in key:
        hint = "use a key of at most 1024 bytes, without . and .. among its parts"
        raise InputError("this key cannot be used", evidence=key[:200], hint=hint)
    return uri
