"""Objects in the buckets of an S3 service: Amazon's own, or any server that speaks its protocol."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from driftline.core.errors import (
    DriftlineError,
    InputError,
    NotFoundError,
    ServiceError,
    SetupError,
    UnreachableError,
)
from driftline.core.uris import ObjectUri
from driftline.storage.objects import VARIABLE, Level, ObjectInfo, absent

if TYPE_CHECKING:
    from obstore.store import S3Store

_CLIENT = {"connect_timeout": "5s", "timeout": "5min"}
_RETRIES = {"max_retries": 3}
_FALLBACK = "us-east-1"
_CHUNK = 8 << 20
_KEYS_KEPT = 600.0
"""Seconds after which keys are asked for anew: those of a role expire. They are given to the library as values, because
asking Python for them from a thread of its own can wait forever for a thread that waits for it."""


class RemoteObjects:
    """Buckets of the service at ``endpoint``: a URL, or ``aws``. Keys and region are those that the usual AWS
    variables and profiles give. May be used by several threads.

    Raises :class:`SetupError` where no keys are found, or the libraries are not installed.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = _checked(endpoint)
        self._credentials, self._region = _identity()
        self._stores: dict[str, tuple[float, S3Store]] = {}

    def read(self, uri: ObjectUri) -> bytes:
        """The content of an object."""
        import obstore

        with self._told("read", uri):
            return bytes(obstore.get(self._store(uri.bucket), uri.key).bytes())

    def write(self, uri: ObjectUri, content: bytes) -> None:
        """Store an object."""
        import obstore

        with self._told("write", uri):
            obstore.put(self._store(uri.bucket), uri.key, content)

    def listing(self, prefix: ObjectUri) -> Iterator[ObjectInfo]:
        """The objects whose key begins with that of ``prefix``, in order of their keys."""
        folder, _, start = prefix.key.rpartition("/")
        above = ObjectUri(prefix.bucket, folder)
        if not start:
            yield from self._below(above)
            return
        # The library asks for whole folders only, so the last part of a key is compared here.
        level = self.level(above)
        found = [one for one in level.objects if one.uri.key.startswith(prefix.key)]
        for name in level.folders:
            if name.startswith(start):
                found += self._below(above / name)
        yield from sorted(found, key=lambda one: one.uri.key)

    def level(self, folder: ObjectUri) -> Level:
        """What lies directly in a folder; nothing where it is not there."""
        import obstore

        with self._told("list", folder):
            found = obstore.list_with_delimiter(self._store(folder.bucket), folder.key.rstrip("/") or None)
        names = tuple(sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in found["common_prefixes"]))
        return Level(names, tuple(sorted(_info(folder.bucket, meta) for meta in found["objects"])))

    def fetch(self, uri: ObjectUri, file: Path) -> None:
        """Copy an object to a file, which is whole or as it was; its folder is made when absent."""
        import obstore

        unfinished = file.with_name(f".{uuid4().hex}.tmp")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with self._told("read", uri), unfinished.open("xb") as target:
                for chunk in obstore.get(self._store(uri.bucket), uri.key).stream(min_chunk_size=_CHUNK):
                    target.write(chunk)
            unfinished.replace(file)
        except OSError as error:
            hint = "free some disk space; a key cannot be kept as a file where another key is its folder"
            raise SetupError(f"cannot keep {uri}", evidence=error.strerror or str(error), hint=hint) from None
        finally:
            unfinished.unlink(missing_ok=True)

    def put_file(self, uri: ObjectUri, file: Path) -> None:
        """Store the content of a file as an object."""
        import obstore

        with self._told("write", uri):
            obstore.put(self._store(uri.bucket), uri.key, file)

    def remove(self, uri: ObjectUri) -> None:
        """Take an object away, if it is there."""
        import obstore

        with suppress(NotFoundError), self._told("remove", uri):
            obstore.delete(self._store(uri.bucket), uri.key)

    def folder(self, prefix: ObjectUri) -> Path | None:
        """None: these objects lie elsewhere."""
        return None

    def _below(self, folder: ObjectUri) -> list[ObjectInfo]:
        import obstore

        with self._told("list", folder):
            pages = obstore.list(self._store(folder.bucket), folder.key.rstrip("/") or None)
            return sorted(_info(folder.bucket, meta) for page in pages for meta in page)

    def _store(self, bucket: str) -> S3Store:
        from obstore.store import S3Store

        made, store = self._stores.get(bucket, (-math.inf, None))
        if store is None or time.monotonic() - made > _KEYS_KEPT:
            keys = self._credentials.get_frozen_credentials()
            options: Any = {
                "endpoint": self._endpoint or _amazon(self._region),
                "region": self._region,
                "virtual_hosted_style_request": False,
                "access_key_id": keys.access_key,
                "secret_access_key": keys.secret_key,
                "client_options": _CLIENT | {"allow_http": self._endpoint.startswith("http://")},
                "retry_config": _RETRIES,
            }
            store = S3Store(bucket, **options, **({"session_token": keys.token} if keys.token else {}))
            self._stores[bucket] = (time.monotonic(), store)
        return store

    @contextmanager
    def _told(self, what: str, uri: ObjectUri) -> Iterator[None]:
        """Failures of the library as ours."""
        from obstore import exceptions

        try:
            yield
        except (exceptions.NotFoundError, FileNotFoundError):
            raise absent(uri) from None
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            hint = "give its keys that right, or use others (AWS_ACCESS_KEY_ID, AWS_PROFILE)"
            raise _failed(what, uri, error, hint) from None
        except exceptions.GenericError as error:
            # Refused, cut off, too slow, or overloaded, each after several tries.
            where = self._endpoint or _amazon(self._region)
            hint = f"see that {where} ({VARIABLE}) is up and can be reached from here"
            raise _failed(what, uri, error, hint, UnreachableError) from None
        except (exceptions.BaseError, ValueError) as error:
            where = self._endpoint or _amazon(self._region)
            hint = f"check that the bucket exists, and that {where} ({VARIABLE}) can be reached from here"
            raise _failed(what, uri, error, hint) from None


def _failed(
    what: str, uri: ObjectUri, error: Exception, hint: str, kind: type[ServiceError] = ServiceError
) -> ServiceError:
    text = str(error).strip().splitlines()
    return kind(f"cannot {what} {uri}", evidence=text[0][:300] if text else type(error).__name__, hint=hint)


def _info(bucket: str, meta: Any) -> ObjectInfo:
    return ObjectInfo(ObjectUri(bucket, meta["path"]), meta["size"], meta["last_modified"])


def _amazon(region: str) -> str:
    return f"https://s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def _checked(endpoint: str) -> str:
    """The URL of an endpoint; empty for Amazon's own. What may hold a password is not repeated in the message."""
    if endpoint == "aws":
        return ""
    hint = f"set {VARIABLE} to a URL such as http://127.0.0.1:9000, or to aws"
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InputError(f"{VARIABLE} holds no address", evidence="it is neither an http(s) URL nor aws", hint=hint)
    if parts.username or parts.password:
        hint = "give the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or in a profile"
        raise InputError(f"{VARIABLE} holds a name or a password", evidence="they are not used there", hint=hint)
    return endpoint.rstrip("/")


def _identity() -> tuple[Any, str]:
    """Where keys come from, and the region."""
    try:
        import boto3
        import obstore  # noqa: F401
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        hint = "install driftline[aws]"
        raise SetupError("buckets elsewhere need more libraries", evidence=str(error), hint=hint) from None
    try:
        session = boto3.Session()
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise _no_keys(str(error)) from None
    if credentials is None:
        raise _no_keys("neither the environment nor a profile holds any")
    return credentials, session.region_name or os.environ.get("AWS_REGION") or _FALLBACK


def _no_keys(evidence: str) -> DriftlineError:
    hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    return SetupError(f"there are no keys for the buckets at {VARIABLE}", evidence=evidence[:200], hint=hint)
