"""Signatures of version 2 in an address of S3, as botocore makes them."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import SplitResult

from botocore.auth import HmacV1QueryAuth
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

_SIGNED = (b"content-md5", b"content-type")


def address_signature(
    secret: str, method: str, path: bytes, query: bytes, headers: Iterable[tuple[bytes, bytes]], until: str
) -> str:
    """The signature that an address should have which may be used ``until`` a Unix time."""
    given = HTTPHeaders()
    for name, value in headers:
        if name in _SIGNED or name.startswith(b"x-amz-"):
            given[name.decode("latin-1")] = value.decode("latin-1")
    address = SplitResult("", "", path.decode("latin-1"), query.decode("latin-1"), "")
    made: str = _Until(secret, until).get_signature(method, address, given)
    return made


class _Until(HmacV1QueryAuth):  # type: ignore[misc]
    """Signs for a time that is given."""

    def __init__(self, secret: str, until: str) -> None:
        super().__init__(Credentials("", secret))
        self._until = until

    def _get_date(self) -> str:
        return self._until
