"""The service: the one object that faces and tests talk to. It wires the wings together."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

from driftline.alerting import watch
from driftline.alerting.alarms import Alarm
from driftline.core.documents import read_constraints
from driftline.core.errors import InputError, NotFoundError
from driftline.core.records import utc
from driftline.core.window import Window
from driftline.jobs import schedules as scheduling
from driftline.jobs.labels import LabelReceipt, put_labels
from driftline.serving.capture_log import CaptureCount
from driftline.serving.endpoints import CaptureSettings, EndpointConfig, check_name
from driftline.serving.inspect import inspect_model
from driftline.storage import alarms, baselines, capture_counts, deliveries, endpoints, executions, metrics, schedules
from driftline.storage.clock import Clock, system_clock
from driftline.storage.database import Store, migrate, open_store
from driftline.storage.files import write_atomic
from driftline.storage.layout import Layout

MOST_MODEL_BYTES = 2 << 30


class Service:
    """A data folder at work. Every method is one transaction and may be called from any thread.

    ``clock`` is the time of schedules, labels and captures; ``database`` a URL, by default SQLite in the folder.
    Raises :class:`SetupError` when the folder or the database cannot be used.
    """

    def __init__(self, data: str | Path, *, clock: Clock = system_clock, database: str | None = None) -> None:
        self.layout = Layout(data).create()
        self.clock = clock
        self.store: Store = open_store(database or self.layout.database)
        migrate(self.store)

    def close(self) -> None:
        """Give the database connections back."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def now(self) -> datetime:
        """The service's time."""
        return utc(self.clock())

    # Endpoints

    def deploy(
        self, name: str, filename: str, artifact: bytes, capture: dict[str, Any] | None = None
    ) -> endpoints.Endpoint:
        """Create an endpoint, or give an existing one another model. ``capture`` settings left out stay.

        The model is loaded in a process of its own first: one that cannot be used changes nothing.
        """
        check_name("endpoint", name)
        _settings({}, capture or {})
        path, described = self._keep_model(name, filename, artifact)
        stored = self.layout.relative(path)
        # A schedule finds an empty folder, which is no data, and not a missing one, which is a failure.
        self.layout.captures(name).mkdir(parents=True, exist_ok=True)
        with self.store.write() as db:
            current = next((row for row in endpoints.listing(db) if row.name == name), None)
            settings = _settings({} if current is None else current.capture, capture or {})
            write = endpoints.create if current is None else endpoints.change
            return write(db, name, model_path=stored, model=described, capture=settings, now=self.now())

    def configure_capture(self, name: str, changes: dict[str, Any]) -> endpoints.Endpoint:
        """Change capture settings of a serving endpoint: any of percent, input, output, csv_types, json_types."""
        with self.store.write() as db:
            current = endpoints.get(db, name).capture
            return endpoints.change(db, name, now=self.now(), capture=_settings(current, changes))

    def delete_endpoint(self, name: str) -> None:
        """Stop serving an endpoint and pause its schedules; captures, labels and reports stay."""
        with self.store.write() as db:
            endpoints.delete(db, name, now=self.now())
            for schedule in schedules.listing(db, endpoint=name):
                scheduling.pause_schedule(db, schedule.name)

    def get_endpoint(self, name: str) -> endpoints.Endpoint:
        """One endpoint."""
        with self.store.read() as db:
            return endpoints.get(db, name)

    def list_endpoints(self) -> list[endpoints.Endpoint]:
        """Every endpoint, by name."""
        with self.store.read() as db:
            return endpoints.listing(db)

    def served(self) -> list[EndpointConfig]:
        """The endpoints as a serving process needs them."""
        return [
            EndpointConfig(
                row.name,
                self.layout.data / row.model_path,
                row.variant,
                msgspec.convert(row.capture, CaptureSettings),
                row.revision,
            )
            for row in self.list_endpoints()
        ]

    def newest_revision(self, since: int) -> int:
        """The revision of the newest change of any endpoint after ``since``, or ``since``."""
        with self.store.read() as db:
            return max((row.revision for row in endpoints.changes_since(db, since)), default=since)

    def add_capture_counts(self, counts: Iterable[CaptureCount]) -> None:
        """Add what a serving process counted."""
        with self.store.write() as db:
            for count in counts:
                delta = capture_counts.CaptureCounts(count.captured, count.sampled_out, count.dropped)
                capture_counts.add(db, count.endpoint, count.hour, delta)

    def capture_counts(self, name: str, window: Window) -> dict[datetime, capture_counts.CaptureCounts]:
        """Captured, sampled-out and dropped requests by hour."""
        with self.store.read() as db:
            return capture_counts.by_hour(db, name, window)

    # Labels and baselines

    def put_labels(
        self,
        name: str,
        body: bytes,
        kind: Literal["csv", "jsonl"],
        *,
        id_column: str | None = None,
        label_column: str | None = None,
    ) -> LabelReceipt:
        """Keep ground truth for an endpoint, in the hour it is given."""
        self.get_endpoint(name)
        return put_labels(self.layout, name, body, kind, self.clock(), id_column=id_column, label_column=label_column)

    def put_baseline(self, name: str, constraints: bytes, statistics: bytes = b"{}") -> baselines.Baseline:
        """Store or replace a baseline's documents; the constraints are checked first."""
        check_name("baseline", name)
        read_constraints(constraints, f"baseline {name}")
        baseline = baselines.Baseline(name, "model-quality", statistics, constraints, self.now())
        with self.store.write() as db:
            baselines.put(db, baseline)
        return baseline

    def get_baseline(self, name: str) -> baselines.Baseline:
        """One baseline."""
        with self.store.read() as db:
            return baselines.get(db, name)

    def list_baselines(self) -> list[baselines.Baseline]:
        """Every baseline, by name."""
        with self.store.read() as db:
            return baselines.listing(db)

    # Schedules and runs

    def create_schedule(self, name: str, *, endpoint: str, cron: str, **options: Any) -> schedules.Schedule:
        """A schedule on an endpoint; options as :func:`driftline.jobs.schedules.create_schedule` takes them."""
        self.get_endpoint(endpoint)
        with self.store.write() as db:
            options.setdefault("problem_type", "BinaryClassification")
            return scheduling.create_schedule(db, name=name, endpoint=endpoint, cron=cron, now=self.now(), **options)

    def get_schedule(self, name: str) -> schedules.Schedule:
        """One schedule."""
        with self.store.read() as db:
            return schedules.get(db, name)

    def list_schedules(self) -> list[schedules.Schedule]:
        """Every schedule, by name."""
        with self.store.read() as db:
            return schedules.listing(db)

    def pause_schedule(self, name: str) -> schedules.Schedule:
        """Let no further tick become due."""
        with self.store.write() as db:
            return scheduling.pause_schedule(db, name)

    def resume_schedule(self, name: str) -> schedules.Schedule:
        """Go on from now."""
        with self.store.write() as db:
            return scheduling.resume_schedule(db, name, now=self.now())

    def delete_schedule(self, name: str) -> None:
        """Delete a schedule with its runs; report files stay."""
        with self.store.write() as db:
            scheduling.delete_schedule(db, name)

    def run_schedule(self, name: str, window: Window | None = None) -> executions.Execution:
        """Ask for a run now, of the last complete window or of one given; the scheduler takes it up at once."""
        with self.store.write() as db:
            return scheduling.run_now(db, self.layout, name, now=self.now(), window=window)

    def get_run(self, run_id: str) -> executions.Execution:
        """One run, whole."""
        with self.store.read() as db:
            return executions.get(db, run_id)

    def list_runs(self, **filters: Any) -> list[executions.Execution]:
        """Runs, newest first; filters: schedule, endpoint, status, since, until, limit, offset."""
        with self.store.read() as db:
            return executions.listing(db, **filters)

    # Metrics and alarms

    def metric_points(self, series: metrics.Series, window: Window) -> list[metrics.Point]:
        """The points of a series in a window, in order."""
        with self.store.read() as db:
            return metrics.query(db, series, since=window.start, until=window.end)

    def list_metrics(self, namespace: str | None = None, name: str | None = None) -> list[metrics.Series]:
        """Every series there is, filtered."""
        with self.store.read() as db:
            return metrics.listing(db, namespace=namespace, name=name)

    def put_alarm(self, alarm: Alarm) -> alarms.AlarmRow:
        """Create or change an alarm and judge it on the points there are."""
        with self.store.write() as db:
            watch.put_alarm(db, alarm, now=self.now(), real=utc(system_clock()))
            return alarms.get(db, alarm.name)

    def get_alarm(self, name: str) -> alarms.AlarmRow:
        """One alarm with its state."""
        with self.store.read() as db:
            return alarms.get(db, name)

    def list_alarms(self) -> list[alarms.AlarmRow]:
        """Every alarm with its state, by name."""
        with self.store.read() as db:
            return alarms.listing(db)

    def alarm_history(self, name: str) -> list[alarms.Transition]:
        """The transitions of an alarm, newest first."""
        with self.store.read() as db:
            return alarms.history(db, name)

    def alarm_deliveries(self, name: str) -> list[deliveries.Delivery]:
        """What was sent about an alarm, to whom, and with what outcome."""
        with self.store.read() as db:
            return [
                entry for change in alarms.history(db, name) for entry in deliveries.listing(db, transition=change.id)
            ]

    def delete_alarm(self, name: str) -> None:
        """Delete an alarm; its history stays."""
        with self.store.write() as db:
            if not alarms.remove(db, name):
                raise NotFoundError(f"there is no alarm {name}", hint="list the alarms to see their names")

    def _keep_model(self, name: str, filename: str, artifact: bytes) -> tuple[Path, dict[str, Any]]:
        """The artifact in the data folder under its own hash, once it has proved usable."""
        digest = hashlib.sha256(artifact).hexdigest()[:16]
        suffix = re.sub(r"[^A-Za-z0-9.]", "", "".join(Path(filename).suffixes[-2:]))[:20]
        path = self.layout.model(name) / digest / f"model{suffix}"
        trial = path.with_name(f".{uuid.uuid4().hex}{suffix}")
        try:
            write_atomic(trial, artifact)
            described = inspect_model(trial)
            trial.replace(path)
        except InputError as error:
            error.what = error.what.replace(str(trial), filename)
            raise
        finally:
            trial.unlink(missing_ok=True)
        return path, described


def _settings(current: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Capture settings with changes, checked, as plain data."""
    try:
        settings = msgspec.convert({**current, **changes}, CaptureSettings)
    except msgspec.ValidationError as error:
        hint = "use percent, input, output, csv_types and json_types"
        raise InputError("these are no capture settings", evidence=str(error), hint=hint) from None
    document: dict[str, Any] = msgspec.to_builtins(settings)
    return {name: sorted(value) if isinstance(value, set | frozenset) else value for name, value in document.items()}
