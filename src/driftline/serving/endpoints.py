"""Which endpoints are served: their settings, their loaded models, and how changes reach a running server."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from driftline.core.errors import DriftlineError, InputError, UnreachableError
from driftline.resources.endpoints import CaptureSettings
from driftline.serving.runtime import Model, load_model

_log = logging.getLogger(__name__)
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_Signature = tuple[int, int, int] | None


class EndpointConfig(msgspec.Struct, frozen=True):
    """One endpoint as it is wanted. ``revision`` grows with every change of it.

    ``model`` is None where none is loaded here: requests are forwarded to ``upstream``, a URL, or where that is None
    too, are not answered at all, and captures come from elsewhere.
    """

    name: str
    model: Path | None = None
    variant: str = "AllTraffic"
    capture: CaptureSettings = CaptureSettings()
    revision: int = 0
    upstream: str | None = None

    def __post_init__(self) -> None:
        for what, value in (("endpoint", self.name), ("variant", self.variant)):
            check_name(what, value)


def check_name(what: str, value: str) -> str:
    """A name that can stand in a path and in a URL: up to 63 letters, digits and inner hyphens."""
    if len(value) > 63 or _NAME.fullmatch(value) is None:
        raise InputError(
            f"not a name for an {what}" if what == "endpoint" else f"not a name for a {what}",
            evidence=repr(value[:80]),
            hint="use 1 to 63 letters, digits and hyphens, beginning and ending with a letter or digit",
        )
    return value


class Endpoint(msgspec.Struct, frozen=True):
    """One endpoint as it is served: never changed, only replaced.

    ``model`` is None while none could be loaded. ``failure`` says why the wanted model is not the one that serves.
    ``loaded`` is the path of the model that serves; ``loading`` that the first one is on its way.
    """

    config: EndpointConfig
    model: Model | None = None
    loaded: Path | None = None
    failure: DriftlineError | None = None
    signature: _Signature = None
    loading: bool = False


class Registry:
    """The endpoints of this process, kept equal to what ``source`` lists.

    ``load`` makes a model of a path. Readers never wait: every change replaces one entry.
    """

    def __init__(
        self, source: Callable[[], Iterable[EndpointConfig]], load: Callable[[Path], Model] = load_model
    ) -> None:
        self._source, self._load = source, load
        self._endpoints: dict[str, Endpoint] = {}
        self._refreshing = threading.Lock()

    def get(self, name: str) -> Endpoint | None:
        """The endpoint of this name as it is served now; None if there is none."""
        return self._endpoints.get(name)

    def endpoints(self) -> list[Endpoint]:
        """Every endpoint as it is served now, by name."""
        return [endpoint for _, endpoint in sorted(self._endpoints.items())]

    def refresh(self) -> None:
        """Takes over what ``source`` lists now; may be called from any thread while others serve.

        Settings and deletions take effect first, then models are loaded one by one, each serving as soon as it is
        there. A model that cannot be loaded fails its own endpoint only, and an older model of it goes on serving; it
        is tried again when its path, its file or its revision changes, and one that could not be reached at every
        refresh. A model that serves is loaded again only when
        its path changes, or its file and its revision do. Raises only what ``source`` raises.
        """
        with self._refreshing:
            wanted = {config.name: config for config in self._source()}
            endpoints = self._endpoints
            self._endpoints = {name: _settled(endpoints.get(name), config) for name, config in wanted.items()}
            for name, config in wanted.items():
                before = endpoints.get(name)
                if config.model is not None and _must_load(before, config, config.model):
                    # A copy, because readers in other threads may be looking at the present one.
                    self._endpoints = {**self._endpoints, name: self._loaded(before, config, config.model)}

    def _loaded(self, before: Endpoint | None, config: EndpointConfig, wanted: Path) -> Endpoint:
        signature = _signature(wanted)
        try:
            model = self._load(wanted)
            # Loading may be what brings the file here.
            return Endpoint(config, model, wanted, None, signature or _signature(wanted))
        except DriftlineError as error:
            failure = error
        except Exception as error:  # one library's surprise must not stop the other endpoints
            _log.exception("endpoint %s: the model did not load", config.name)
            failure = DriftlineError(
                f"the model {wanted} did not load",
                evidence=f"{type(error).__name__}: {error}"[:300],
                hint="see the server's log, then deploy the endpoint again",
            )
        _log.error("endpoint %s: %s", config.name, failure)
        served, path = (before.model, before.loaded) if before else (None, None)
        return Endpoint(config, served, path, failure, signature)


def _settled(before: Endpoint | None, config: EndpointConfig) -> Endpoint:
    """The endpoint with its new settings, and for the time being the model it had."""
    if config.model is None:
        return Endpoint(config)
    if before is None:
        waiting = DriftlineError("the model is being loaded", hint="try again in a moment")
        return Endpoint(config, failure=waiting, loading=True)
    return before if before.config == config else msgspec.structs.replace(before, config=config)


def _must_load(before: Endpoint | None, config: EndpointConfig, wanted: Path) -> bool:
    if before is None or before.config.model != wanted:
        return True
    replaced = before.signature != _signature(wanted)
    if isinstance(before.failure, UnreachableError):
        return True
    if before.failure is not None:
        return replaced or before.config.revision != config.revision
    # A file that was written over is taken up with the next deployment, never in between.
    return before.loaded != wanted or (replaced and before.config.revision != config.revision)


def _signature(path: Path) -> _Signature:
    """What changes when a file is replaced: inode, size, modification time; None if it cannot be seen."""
    try:
        status: Any = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
