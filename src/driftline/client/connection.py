"""Requests to a service and what its answers mean: documents, or the errors it raised."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from driftline.core import errors
from driftline.core.configuration import SERVICE_URL, TOKEN
from driftline.core.errors import DriftlineError, InputError, ServiceError, SetupError

T = TypeVar("T")
_ERRORS = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, DriftlineError) and kind is not DriftlineError
}


class Connection:
    """An open connection to a service; see :class:`driftline.client.Client`."""

    def __init__(self, url: str | None = None, *, token: str | None = None, timeout: float = 120.0) -> None:
        self.url = (url or SERVICE_URL.of(os.environ)).rstrip("/")
        secret = (token or TOKEN.of(os.environ)).strip()
        if not secret.isascii() or not secret.isprintable():
            hint = "set DRIFTLINE_TOKEN to the text that 'driftline token create' printed"
            raise InputError("this is no token", evidence="it holds characters that no token has", hint=hint)
        headers = {"Authorization": f"Bearer {secret}"} if secret else None
        try:
            self._http = httpx.Client(
                base_url=self.url, timeout=timeout, trust_env=False, headers=headers, verify=_trusted()
            )
        except httpx.InvalidURL as error:
            what = f"{self.url!r} is no address of a service"
            raise InputError(what, evidence=str(error), hint="write it as http://host:port") from None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def healthy(self) -> bool:
        """Whether the service answers."""
        try:
            return self._http.get("/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    def guarded(self) -> bool:
        """Whether the service wants a token, whatever this client has."""
        request = self._http.build_request("GET", "/api/endpoints")
        request.headers.pop("Authorization", None)
        try:
            return self._http.send(request).status_code == 401
        except httpx.HTTPError:
            return False

    def _get(self, path: str, kind: type[T], /, **query: Any) -> T:
        return self._answer(self._send("GET", path, query=query), kind)

    def _write(self, method: str, path: str, kind: type[T], document: msgspec.Struct | None = None) -> T:
        """Send a document, of which what is left out stays out, and read the answer."""
        content = b"{}" if document is None else _encoded(document)
        headers = {"Content-Type": "application/json"}
        return self._answer(self._send(method, path, content=content, headers=headers), kind)

    def _upload(self, method: str, path: str, kind: type[T], content: bytes, **query: Any) -> T:
        return self._answer(self._send(method, path, query=query, content=content), kind)

    def _delete(self, path: str) -> None:
        self._send("DELETE", path)

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        also: int = 0,
    ) -> httpx.Response:
        given = {key: _in_query(value) for key, value in (query or {}).items() if value is not None}
        try:
            response = self._http.request(method, path, params=given, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise ServiceError(
                f"no driftline service answers at {self.url}",
                evidence=f"{type(error).__name__}: {error}",
                hint="start one with 'driftline serve --data DIR', or name it with --url or DRIFTLINE_URL",
            ) from None
        if response.is_error and response.status_code != also:
            raise _error_of(response)
        return response

    def _answer(self, response: httpx.Response, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(response.content, type=kind)
        except (msgspec.DecodeError, UnicodeError, DriftlineError) as error:
            request = response.request
            raise ServiceError(
                f"the service's answer to {request.method} {request.url.path} is not the expected document",
                evidence=f"{error}: {response.content[:200]!r}",
                hint="is it a driftline service, and not of an older version than this client?",
            ) from None


def _trusted() -> ssl.SSLContext | bool:
    """Whose certificates are believed: those in the file that ``SSL_CERT_FILE`` names, else the usual ones."""
    file = os.environ.get("SSL_CERT_FILE")
    try:
        return ssl.create_default_context(cafile=file) if file else True
    except OSError as error:
        what, hint = "the file of trusted certificates cannot be read", "correct or unset SSL_CERT_FILE"
        raise SetupError(what, evidence=f"{file}: {error}", hint=hint) from None


def path_of(*parts: str) -> str:
    """A path of the API in which no part can leave its place.

    >>> path_of("alarms", "a/b?c", "history")
    '/api/alarms/a%2Fb%3Fc/history'
    """
    return "/api/" + "/".join(quote(part, safe="") for part in parts)


def instant(moment: datetime | None) -> str | None:
    """A time as requests carry it; the service reads one without a zone as UTC."""
    return None if moment is None else moment.isoformat()


def _in_query(value: Any) -> Any:
    return instant(value) if isinstance(value, datetime) else value


def _encoded(document: msgspec.Struct) -> bytes:
    given = {field: value for field, value in msgspec.to_builtins(document).items() if value is not None}
    try:
        return json.dumps(given, allow_nan=False).encode()
    except ValueError as error:
        hint = "give finite numbers"
        raise InputError("the request cannot be written as JSON", evidence=str(error), hint=hint) from None


def _error_of(response: httpx.Response) -> DriftlineError:
    try:
        found = msgspec.json.decode(response.content, type=dict[str, str])
        kind = _ERRORS.get(found["code"], ServiceError)
        return kind(found["message"], evidence=found.get("evidence", ""), hint=found.get("hint", ""))
    except (msgspec.DecodeError, UnicodeError, KeyError):
        return ServiceError(
            f"the service answered {response.status_code}",
            evidence=response.text[:200],
            hint="is it a driftline service? see its log",
        )
