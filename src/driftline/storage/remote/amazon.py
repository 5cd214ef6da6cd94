"""Stores of S3: Amazon's own, or any server that speaks its protocol."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from driftline.core.configuration import S3_ENDPOINT, SSE, SSE_KMS_KEY
from driftline.core.errors import InputError, ServiceError, SetupError
from driftline.storage.remote.trying import Patience

if TYPE_CHECKING:
    from obstore.store import S3Store

_FALLBACK = "us-east-1"


class Amazon:
    """S3 at ``endpoint``: a URL, or ``aws``. Keys and region are those of the usual variables, profiles and roles.

    The session that finds keys is asked for them before every operation, and itself gets new ones before those of a
    role expire. They are handed to the library as values: asking Python for them from a thread of its own can wait
    forever for a thread that waits for it. Raises :class:`SetupError` where there are none.
    """

    keys = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"

    def __init__(self, endpoint: str, patience: Patience) -> None:
        self._endpoint, self._patience = _checked(endpoint), patience
        self._encryption = _encryption()
        self._credentials, self._region = _identity()
        self._kept: dict[str, tuple[tuple[str, ...], S3Store]] = {}
        self.where = self._endpoint or _amazon(self._region)

    def store(self, bucket: str) -> S3Store:
        """The store of a bucket, with keys that are valid now."""
        keys = self._now()
        kept = self._kept.get(bucket)
        if kept is None or kept[0] != keys:
            kept = self._kept[bucket] = (keys, self._made(bucket, *keys))
        return kept[1]

    def renew(self) -> bool:
        """Look for keys again: a profile may have new ones by now."""
        before = self._now()
        self._credentials, _ = _identity()
        return self._now() != before

    def secrets(self) -> list[str]:
        """The keys that are used."""
        return [key for keys, _ in self._kept.copy().values() for key in keys]

    def _made(self, bucket: str, key: str, secret: str, token: str) -> S3Store:
        from obstore.store import S3Store

        options: Any = {
            # Both, or the variable AWS_ENDPOINT_URL_S3 would take the place of the first.
            "endpoint": self.where,
            "aws_endpoint_url_s3": self.where,
            "region": self._region,
            "virtual_hosted_style_request": False,
            "access_key_id": key,
            "secret_access_key": secret,
            "checksum_algorithm": "SHA256",
            "client_options": self._patience.client(plain=self._endpoint.startswith("http://")),
            "retry_config": self._patience.retries(),
        }
        options |= self._encryption | ({"session_token": token} if token else {})
        return S3Store(bucket, **options)

    def _now(self) -> tuple[str, str, str]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            keys = self._credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            hint = f"renew {self.keys}, or log in again"
            evidence = f"{type(error).__name__} from where they come from"
            raise ServiceError(f"there are no valid keys for {self.where}", evidence=evidence, hint=hint) from None
        return keys.access_key, keys.secret_key, keys.token or ""


def _amazon(region: str) -> str:
    return f"https://s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def _encryption() -> dict[str, str]:
    """The library's options for what the variables want."""
    kind, key = SSE.of(os.environ), SSE_KMS_KEY.of(os.environ)
    if key and kind == "bucket":
        kind = "aws:kms"
    if key and kind == "AES256":
        hint = f"set {SSE.name} to aws:kms, or leave the key out"
        raise InputError(f"{SSE_KMS_KEY.name} is of no use with AES256", hint=hint)
    return ({"server_side_encryption": kind} if kind != "bucket" else {}) | ({"sse_kms_key_id": key} if key else {})


def _checked(endpoint: str) -> str:
    """The URL of an endpoint; empty for Amazon's own. What may hold a password is not repeated in the message."""
    if endpoint == "aws":
        return ""
    hint = f"set {S3_ENDPOINT.name} to a URL such as http://127.0.0.1:9000, or to aws"
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InputError(
            f"{S3_ENDPOINT.name} holds no address", evidence="it is neither an http(s) URL nor aws", hint=hint
        )
    if parts.username or parts.password:
        hint = "give the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or in a profile"
        raise InputError(
            f"{S3_ENDPOINT.name} holds a name or a password", evidence="they are not used there", hint=hint
        )
    return endpoint.rstrip("/")


def _identity() -> tuple[Any, str]:
    """Where keys come from, and the region."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise lacking(error) from None
    # It tells of every look for keys, which here is before every operation.
    logging.getLogger("botocore.credentials").setLevel(logging.WARNING)
    try:
        session = boto3.Session()
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise _no_keys(str(error)) from None
    if credentials is None:
        raise _no_keys("neither the environment nor a profile holds any")
    return credentials, session.region_name or os.environ.get("AWS_REGION") or _FALLBACK


def lacking(error: ImportError) -> SetupError:
    """What is raised where a library is not installed."""
    hint = "install driftline[stores]"
    return SetupError("buckets elsewhere need more libraries", evidence=str(error), hint=hint)


def _no_keys(evidence: str) -> SetupError:
    hint = f"set {Amazon.keys}"
    return SetupError(f"there are no keys for the buckets at {S3_ENDPOINT.name}", evidence=evidence[:200], hint=hint)
