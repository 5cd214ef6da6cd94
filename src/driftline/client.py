"""A client of a driftline service: one method a call, typed answers, the service's own errors raised again."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx
import msgspec

from driftline.core import errors
from driftline.core.errors import DriftlineError, ServiceError

DEFAULT_URL = "http://127.0.0.1:8080"
Document = dict[str, Any]
FINISHED = ("Completed", "CompletedWithViolations", "Failed", "Stopped")
_ERRORS = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, DriftlineError) and kind is not DriftlineError
}


class Client:
    """Talks to the service at ``url`` (else ``DRIFTLINE_URL``, else the local default). A context manager.

    Methods raise the error the service raised (:class:`NotFoundError`, :class:`InputError`, …), or
    :class:`ServiceError` when it cannot be reached.
    """

    def __init__(self, url: str | None = None, *, timeout: float = 120.0) -> None:
        self.url = (url or os.environ.get("DRIFTLINE_URL") or DEFAULT_URL).rstrip("/")
        try:
            self._http = httpx.Client(base_url=self.url, timeout=timeout, trust_env=False)
        except httpx.InvalidURL as error:
            what = f"{self.url!r} is no address of a service"
            raise errors.InputError(what, evidence=str(error), hint="write it as http://host:port") from None

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

    def deploy(
        self,
        name: str,
        model: str | Path,
        *,
        capture_percent: float | None = None,
        capture_input: bool | None = None,
        capture_output: bool | None = None,
    ) -> Document:
        """Deploy a model file as an endpoint, or give the endpoint another model.

        Capture settings that are left out stay; a new endpoint captures both sides of every request.
        """
        path = Path(model)
        given = {"percent": capture_percent, "input": capture_input, "output": capture_output}
        query = {"filename": path.name} | {f"capture_{key}": value for key, value in given.items() if value is not None}
        return self._document("PUT", f"/api/endpoints/{quote(name, safe='')}", params=query, content=_read(path))

    def invoke(
        self, name: str, body: bytes, content_type: str = "text/csv", *, inference_id: str | None = None
    ) -> bytes:
        """The model's answer to one request."""
        headers = {"Content-Type": content_type} | ({"X-Inference-Id": inference_id} if inference_id else {})
        path = f"/endpoints/{quote(name, safe='')}/invocations"
        return self._send("POST", path, content=body, headers=headers).content

    def put_labels(self, name: str, body: bytes, kind: Literal["csv", "jsonl"], **columns: str | None) -> Document:
        """Put ground truth; ``columns`` may name the id_column and the label_column of a CSV."""
        query = {"format": kind, **{key: value for key, value in columns.items() if value is not None}}
        return self._document("POST", f"/api/endpoints/{quote(name, safe='')}/labels", params=query, content=body)

    def list_all(self, noun: str, **filters: Any) -> list[Document]:
        """All of a kind: endpoints, baselines, schedules, runs, alarms, metrics."""
        query = {key: value for key, value in filters.items() if value is not None}
        found: list[Document] = _decode(self._send("GET", f"/api/{noun}", params=query).content, list[Document])
        return found

    def show(self, noun: str, name: str, part: str = "", **filters: Any) -> Any:
        """One of a kind, or a part of it such as an alarm's history."""
        path = f"/api/{noun}/{quote(name, safe='')}" + (f"/{part}" if part else "")
        return _decode(self._send("GET", path, params=filters).content, Any)

    def delete(self, noun: str, name: str) -> None:
        """Delete one of a kind."""
        self._send("DELETE", f"/api/{noun}/{quote(name, safe='')}")

    def create_schedule(self, **fields: Any) -> Document:
        """Create a schedule: name, endpoint, cron, and the options of the API."""
        return self._document("POST", "/api/schedules", json=fields)

    def act(self, noun: str, name: str, action: str, body: Document | None = None) -> Document:
        """Pause, resume or run a schedule."""
        return self._document("POST", f"/api/{noun}/{quote(name, safe='')}/{action}", json=body or {})

    def put(self, noun: str, name: str, body: Document) -> Document:
        """Create or replace a baseline or an alarm."""
        return self._document("PUT", f"/api/{noun}/{quote(name, safe='')}", json=body)

    def change_capture(self, name: str, **settings: Any) -> Document:
        """Change capture settings of a serving endpoint: percent, input, output."""
        return self._document("PATCH", f"/api/endpoints/{quote(name, safe='')}/capture", json=settings)

    def wait_for_run(self, run_id: str, *, timeout: float = 600.0) -> Document:
        """The run once it has finished; :class:`ServiceError` when it has not within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            run: Document = self.show("runs", run_id)
            if run["status"] in FINISHED:
                return run
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"run {run_id} is still {run['status']} after {timeout:g} s",
                    hint="see whether the scheduler works: driftline doctor",
                )
            time.sleep(0.05)

    def _document(self, method: str, path: str, **request: Any) -> Document:
        document: Document = _decode(self._send(method, path, **request).content, Document)
        return document

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            asked = self._http.build_request(method, path, **request)
        except ValueError as error:
            hint = "give finite numbers"
            raise errors.InputError("the request cannot be written as JSON", evidence=str(error), hint=hint) from None
        try:
            response = self._http.send(asked)
        except httpx.HTTPError as error:
            raise ServiceError(
                f"no driftline service answers at {self.url}",
                evidence=f"{type(error).__name__}: {error}",
                hint="start one with 'driftline serve --data DIR', or name it with --url or DRIFTLINE_URL",
            ) from None
        if response.is_error:
            raise _error_of(response)
        return response


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        evidence = error.strerror or str(error)
        raise errors.InputError(f"{path} cannot be read", evidence=evidence, hint="check the path") from None


def _decode(content: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise ServiceError(
            "the service's answer is not the expected JSON",
            evidence=f"{error}: {content[:200]!r}",
            hint="is it a driftline service, and of this version?",
        ) from None


def _error_of(response: httpx.Response) -> DriftlineError:
    try:
        found = msgspec.json.decode(response.content, type=dict[str, str])
        kind = _ERRORS.get(found["code"], ServiceError)
        return kind(found["message"], evidence=found.get("evidence", ""), hint=found.get("hint", ""))
    except (msgspec.DecodeError, KeyError):
        return ServiceError(
            f"the service answered {response.status_code}",
            evidence=response.text[:200],
            hint="is it a driftline service? see its log",
        )
