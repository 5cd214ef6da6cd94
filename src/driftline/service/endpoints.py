"""Endpoints of a service: deployed, captured, deleted; and what serving processes ask and tell."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from driftline.core.errors import DriftlineError, InputError, NotFoundError, SetupError
from driftline.core.window import Window
from driftline.jobs import schedules as scheduling
from driftline.resources.endpoints import CaptureHour, CaptureSettings, Endpoint, ModelDescription
from driftline.service.models import keep_model
from driftline.service.shared_files import ModelFiles
from driftline.service.wiring import Wiring
from driftline.serving.capture_log import CaptureCount
from driftline.serving.endpoints import EndpointConfig, check_name
from driftline.serving.known import recall, remember
from driftline.storage import capture_counts, endpoints, schedules
from driftline.storage.destinations import show_captures

_log = logging.getLogger(__name__)
MOST_MODEL_BYTES = 2 << 30


class Endpoints(Wiring):
    """What a service does with endpoints."""

    def deploy(
        self,
        name: str,
        filename: str,
        artifact: bytes,
        capture: dict[str, Any] | None = None,
        *,
        variant: str | None = None,
    ) -> Endpoint:
        """Create an endpoint, or give an existing one another model. ``capture`` settings and a ``variant`` left out
        stay; a new endpoint's is called ``AllTraffic``.

        The model is loaded in a process of its own first: one that cannot be used changes nothing. Where many nodes
        share a store it is put there before any of them is told of it; without the store nothing is deployed.
        """
        check_name("endpoint", name)
        named: dict[str, Any] = {} if variant is None else {"variant": check_name("variant", variant)}
        changed_settings(CaptureSettings(), capture or {})
        stored, described = self._keep(name, filename, artifact)
        # A schedule finds an empty folder, which is no data, and not a missing one, which is a failure.
        self.layout.captures(name).mkdir(parents=True, exist_ok=True)
        with self.store.write() as db:
            endpoints.change_alone(db)
            current = next((row for row in endpoints.listing(db) if row.name == name), None)
            settings = self._settings(name, CaptureSettings() if current is None else current.capture, capture or {})
            write, now = endpoints.create if current is None else endpoints.change, self.now()
            return write(
                db, name, model_path=stored, model=described, capture=settings, now=now, upstream=None, **named
            )

    def keep_model(self, name: str, filename: str, artifact: bytes) -> tuple[str, ModelDescription]:
        """Keep a model file that no endpoint serves yet: its path below the data folder, and what it was found to be.

        Raises :class:`ModelError` for one that cannot be used.
        """
        check_name("model", name)
        return self._keep(name, filename, artifact)

    def have_model(self, path: Path) -> Path:
        """The file of a model that is served; fetched, where another node was given it.

        Raises :class:`UnreachableError` as long as it is not here.
        """
        return path if self._model_files is None else self._model_files.have(path)

    def models_came(self) -> bool:
        """Whether, since this was asked last, a model came that was waited for, or can be asked for again."""
        return self._model_files is not None and self._model_files.news()

    def configure_capture(self, name: str, changes: dict[str, Any]) -> Endpoint:
        """Change capture settings of a serving endpoint: any of percent, input, output, csv_types, json_types,
        sensitive, destination."""
        with self.store.write() as db:
            endpoints.change_alone(db)
            settings = self._settings(name, endpoints.get(db, name).capture, changes)
            return endpoints.change(db, name, now=self.now(), capture=settings)

    def delete_endpoint(self, name: str) -> None:
        """Stop serving an endpoint and pause its schedules; captures, labels and reports stay."""
        with self.store.write() as db:
            endpoints.delete(db, name, now=self.now())
            for schedule in schedules.listing(db, endpoint=name):
                with suppress(NotFoundError):  # on PostgreSQL another transaction may delete it meanwhile
                    scheduling.pause_schedule(db, schedule.name)

    def get_endpoint(self, name: str) -> Endpoint:
        """One endpoint."""
        with self.store.read() as db:
            return endpoints.get(db, name)

    def list_endpoints(self) -> list[Endpoint]:
        """Every endpoint, by name."""
        with self.store.read() as db:
            return endpoints.listing(db)

    def served(self) -> list[EndpointConfig]:
        """The endpoints as a serving process needs them."""
        found = [
            EndpointConfig(row.name, self._model(row), row.variant, row.capture, row.revision, row.upstream)
            for row in self.list_endpoints()
        ]
        if self.store.remote:
            try:
                remember(self.layout.known, self.layout.data, found)
            except SetupError as error:  # on a full disk endpoints are served all the same
                _log.error("a start without the database will not know the endpoints: %s", error)
        return found

    def last_served(self) -> list[EndpointConfig]:
        """The endpoints as they were when the database was last seen; :class:`SetupError` where that is not known."""
        return recall(self.layout.known, self.layout.data)

    @cached_property
    def _model_files(self) -> ModelFiles | None:
        return None if self.shared is None else ModelFiles(self.shared)

    def _keep(self, name: str, filename: str, artifact: bytes) -> tuple[str, ModelDescription]:
        """Keep a model's file here and where all nodes can have it."""
        path, described = keep_model(self.layout, name, filename, artifact)
        if self.shared is not None:
            try:
                self.shared.send(path)
            except DriftlineError as error:
                error.what = f"the model was not deployed: {error.what}"
                raise
        return self.layout.relative(path), described

    def _settings(self, name: str, current: CaptureSettings, changes: dict[str, Any]) -> CaptureSettings:
        """Capture settings with changes; from now on the captures appear where they say."""
        settings = changed_settings(current, changes)
        if settings.destination:
            show_captures(self.layout, name, settings.destination)
        return settings

    def _model(self, row: Endpoint) -> Path | None:
        return self.layout.data / row.model_path if row.model_path else None

    def add_capture_counts(self, counts: Iterable[CaptureCount]) -> None:
        """Add what a serving process counted."""
        with self.store.write() as db:
            for count in counts:
                delta = capture_counts.CaptureCounts(count.captured, count.sampled_out, count.dropped, count.withheld)
                capture_counts.add(db, count.endpoint, count.hour, delta)

    def capture_counts(self, name: str, window: Window | None = None) -> list[CaptureHour]:
        """Captured, sampled-out and dropped requests by hour, in order; of the last day without a window."""
        with self.store.read() as db:
            endpoints.get(db, name)
            counts = capture_counts.by_hour(db, name, window or self.last_day())
        return [_hour(hour, count) for hour, count in counts.items()]


def _hour(hour: datetime, count: capture_counts.CaptureCounts) -> CaptureHour:
    return CaptureHour(hour, count.captured, count.sampled_out, count.dropped, count.withheld)


def changed_settings(current: CaptureSettings, changes: dict[str, Any]) -> CaptureSettings:
    """Capture settings with changes, checked."""
    try:
        return msgspec.convert(msgspec.to_builtins(current) | changes, CaptureSettings)
    except msgspec.ValidationError as error:
        hint = "use percent, input, output, csv_types, json_types, sensitive and destination"
        raise InputError("these are no capture settings", evidence=str(error), hint=hint) from None
