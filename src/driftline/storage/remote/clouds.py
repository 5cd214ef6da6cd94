"""Stores of buckets in three clouds, and where their keys come from: the places that each cloud's own tools look at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

from driftline.core.errors import SetupError
from driftline.core.uris import AZURE, GOOGLE, S3
from driftline.storage.remote.amazon import Amazon, lacking
from driftline.storage.remote.trying import Patience

if TYPE_CHECKING:
    from obstore.store import AzureStore, GCSStore, ObjectStore


class Cloud(Protocol):
    """The stores of one scheme. ``where`` and ``keys`` name its address and the variables of its keys in messages."""

    where: str
    keys: str

    def store(self, bucket: str) -> ObjectStore:
        """The store of a bucket, with keys that are valid now."""

    def renew(self) -> bool:
        """Look for keys again; whether they are others than before."""

    def secrets(self) -> list[str]:
        """What may not be in a message."""


class Google:
    """Google Cloud Storage, with the application default credentials: ``GOOGLE_APPLICATION_CREDENTIALS``, what
    ``gcloud auth application-default login`` left, or the machine's own service account. The library renews them."""

    where = "Google Cloud Storage"
    keys = "GOOGLE_APPLICATION_CREDENTIALS, or log in with gcloud auth application-default login"

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._kept: dict[str, GCSStore] = {}

    def store(self, bucket: str) -> GCSStore:
        """The store of a bucket."""
        from obstore.store import GCSStore

        if bucket not in self._kept:
            plain = os.environ.get("GOOGLE_BASE_URL", "").startswith("http://")
            options = {"client_options": self._patience.client(plain=plain), "retry_config": self._patience.retries()}
            self._kept[bucket] = _made(lambda: GCSStore(bucket, **options), self)  # type: ignore[arg-type]
        return self._kept[bucket]

    def renew(self) -> bool:
        """Look for keys again: the file of credentials may be another by now."""
        self._kept.clear()
        return True

    def secrets(self) -> list[str]:
        """What variables may hold."""
        return _values("GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_BEARER_TOKEN")


class Azure:
    """Azure Blob Storage of the account and with the keys that the ``AZURE_*`` variables name, both those of Azure's
    command line and of its libraries; or with the machine's managed identity."""

    where = "Azure Blob Storage"
    keys = "AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or a service principal"

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._kept: dict[str, AzureStore] = {}

    def store(self, bucket: str) -> AzureStore:
        """The store of a container."""
        from obstore.store import AzureStore

        if bucket not in self._kept:
            endpoint = os.environ.get("AZURE_STORAGE_ENDPOINT") or os.environ.get("AZURE_ENDPOINT", "")
            options: Any = {
                "client_options": self._patience.client(plain=endpoint.startswith("http://")),
                "retry_config": self._patience.retries(),
            }
            # The command line's names of what the library knows under others.
            for option, variable in (("account_name", "AZURE_STORAGE_ACCOUNT"), ("account_key", "AZURE_STORAGE_KEY")):
                if os.environ.get(variable):
                    options[option] = os.environ[variable]
            self._kept[bucket] = _made(lambda: AzureStore(bucket, **options), self)
        return self._kept[bucket]

    def renew(self) -> bool:
        """Variables do not change while a process runs."""
        return False

    def secrets(self) -> list[str]:
        """What variables may hold; of a signature, also its parts."""
        names = ("STORAGE_KEY", "STORAGE_ACCOUNT_KEY", "STORAGE_ACCESS_KEY", "STORAGE_MASTER_KEY", "STORAGE_SAS_KEY")
        more = ("STORAGE_SAS_TOKEN", "STORAGE_TOKEN", "CLIENT_SECRET", "STORAGE_CLIENT_SECRET")
        found = _values(*(f"AZURE_{name}" for name in (*names, *more)))
        return [*found, *(part[4:] for text in found for part in text.split("&") if part.startswith("sig="))]


def clouds(endpoint: str | None, patience: Patience) -> dict[str, Cloud]:
    """The clouds by scheme; that of S3 where its service is elsewhere. Raises :class:`SetupError` where a library or
    the keys are lacking."""
    try:
        import obstore  # noqa: F401
    except ImportError as error:
        raise lacking(error) from None
    made: dict[str, Cloud] = {GOOGLE: Google(patience), AZURE: Azure(patience)}
    return made if endpoint is None else made | {S3: Amazon(endpoint, patience)}


def _made(make: Any, cloud: Cloud) -> Any:
    """A store, or what lacks for it; the library's own words are not repeated, as they may hold keys."""
    from obstore.exceptions import BaseError

    try:
        return make()
    except (BaseError, ValueError, OSError) as error:
        hint = f"set {cloud.keys}"
        raise SetupError(f"{cloud.where} cannot be used", evidence=type(error).__name__, hint=hint) from None


def _values(*names: str) -> list[str]:
    return [value for name in names if (value := os.environ.get(name))]
