"""The JSON API under ``/api``, described by OpenAPI at ``/schema``. Handlers call the service and nothing else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from anyio.to_thread import run_sync as in_thread
from litestar import Request, Router, delete, get, patch, post, put
from litestar.params import Parameter

from driftline.alerting.targets import mask
from driftline.core.documents import dump
from driftline.core.errors import InputError
from driftline.core.window import HOUR, Window, parse_time
from driftline.jobs.labels import MOST_BYTES, LabelReceipt
from driftline.service import MOST_MODEL_BYTES, Service
from driftline.storage.alarms import AlarmRow, Transition
from driftline.storage.endpoints import Endpoint
from driftline.storage.executions import Execution
from driftline.storage.metrics import Point, Series
from driftline.storage.schedules import Schedule
from driftline.web.bodies import (
    BaselineView,
    CaptureChange,
    CaptureHour,
    DeliveryView,
    NewAlarm,
    NewBaseline,
    NewSchedule,
    RunWindow,
    alarm_of,
    baseline_view,
    delivery_view,
)

Anything = Request[Any, Any, Any]


@get("/endpoints", sync_to_thread=True)
def list_endpoints(service: Service) -> list[Endpoint]:
    """Every endpoint."""
    return service.list_endpoints()


@get("/endpoints/{name:str}", sync_to_thread=True)
def get_endpoint(service: Service, name: str) -> Endpoint:
    """One endpoint."""
    return service.get_endpoint(name)


@put("/endpoints/{name:str}", request_max_body_size=MOST_MODEL_BYTES)
async def deploy(
    service: Service,
    request: Anything,
    name: str,
    filename: str = "model",
    capture_percent: float | None = None,
    capture_input: bool | None = None,
    capture_output: bool | None = None,
) -> Endpoint:
    """Deploy the model in the body, creating the endpoint or giving it another model. Settings left out stay."""
    artifact = await request.body()
    given = {"percent": capture_percent, "input": capture_input, "output": capture_output}
    capture = {key: value for key, value in given.items() if value is not None}
    return await in_thread(lambda: service.deploy(name, filename, artifact, capture))


@patch("/endpoints/{name:str}/capture", sync_to_thread=True)
def change_capture(service: Service, name: str, data: CaptureChange) -> Endpoint:
    """Change what is captured, while the endpoint serves."""
    return service.configure_capture(name, msgspec.to_builtins(data))


@delete("/endpoints/{name:str}", sync_to_thread=True)
def delete_endpoint(service: Service, name: str) -> None:
    """Stop serving; captures, labels and reports stay."""
    service.delete_endpoint(name)


@get("/endpoints/{name:str}/captures", sync_to_thread=True)
def get_capture_counts(
    service: Service, name: str, start: str | None = None, end: str | None = None
) -> list[CaptureHour]:
    """Captured, sampled-out and dropped requests by hour; the last day by default."""
    service.get_endpoint(name)
    counts = service.capture_counts(name, _window(service, start, end))
    return [CaptureHour(hour, found.captured, found.sampled_out, found.dropped) for hour, found in counts.items()]


@post("/endpoints/{name:str}/labels", request_max_body_size=MOST_BYTES)
async def put_labels(
    service: Service,
    request: Anything,
    name: str,
    kind: Annotated[Literal["csv", "jsonl"], Parameter(query="format")] = "jsonl",
    id_column: str | None = None,
    label_column: str | None = None,
) -> LabelReceipt:
    """Put ground truth: JSON lines in the ground-truth format, or CSV with an id and a label column."""
    body = await request.body()
    return await in_thread(lambda: service.put_labels(name, body, kind, id_column=id_column, label_column=label_column))


@get("/baselines", sync_to_thread=True)
def list_baselines(service: Service) -> list[BaselineView]:
    """Every baseline."""
    return [baseline_view(baseline) for baseline in service.list_baselines()]


@get("/baselines/{name:str}", sync_to_thread=True)
def get_baseline(service: Service, name: str) -> BaselineView:
    """One baseline."""
    return baseline_view(service.get_baseline(name))


@put("/baselines/{name:str}", sync_to_thread=True)
def put_baseline(service: Service, name: str, data: NewBaseline) -> BaselineView:
    """Store or replace a baseline's documents."""
    return baseline_view(service.put_baseline(name, dump(data.constraints), dump(data.statistics)))


@get("/schedules", sync_to_thread=True)
def list_schedules(service: Service) -> list[Schedule]:
    """Every schedule."""
    return service.list_schedules()


@post("/schedules", sync_to_thread=True)
def create_schedule(service: Service, data: NewSchedule) -> Schedule:
    """Create a schedule; its first tick is the next one of its cron expression."""
    return service.create_schedule(**msgspec.structs.asdict(data))


@get("/schedules/{name:str}", sync_to_thread=True)
def get_schedule(service: Service, name: str) -> Schedule:
    """One schedule."""
    return service.get_schedule(name)


@delete("/schedules/{name:str}", sync_to_thread=True)
def delete_schedule(service: Service, name: str) -> None:
    """Delete a schedule with its runs; report files stay."""
    service.delete_schedule(name)


@post("/schedules/{name:str}/pause", sync_to_thread=True)
def pause_schedule(service: Service, name: str) -> Schedule:
    """Let no further tick become due."""
    return service.pause_schedule(name)


@post("/schedules/{name:str}/resume", sync_to_thread=True)
def resume_schedule(service: Service, name: str) -> Schedule:
    """Go on from now."""
    return service.resume_schedule(name)


@post("/schedules/{name:str}/run", sync_to_thread=True)
def run_schedule(service: Service, name: str, data: RunWindow | None = None) -> Execution:
    """Run now: the last complete window, or the one given."""
    if data is None or (data.start is None and data.end is None):
        return service.run_schedule(name)
    if data.start is None or data.end is None:
        raise InputError("a window needs a start and an end", hint="give both, or neither for the last window")
    return service.run_schedule(name, Window(parse_time(data.start), parse_time(data.end)))


@get("/runs", sync_to_thread=True)
def list_runs(
    service: Service,
    schedule: str | None = None,
    endpoint: str | None = None,
    limit: Annotated[int, Parameter(ge=1, le=1000)] = 100,
    offset: Annotated[int, Parameter(ge=0)] = 0,
) -> list[Execution]:
    """Runs, newest first."""
    return service.list_runs(schedule=schedule, endpoint=endpoint, limit=limit, offset=offset)


@get("/runs/{run_id:str}", sync_to_thread=True)
def get_run(service: Service, run_id: str) -> Execution:
    """One run, whole."""
    return service.get_run(run_id)


@get("/metrics", sync_to_thread=True)
def list_metrics(service: Service, namespace: str | None = None, name: str | None = None) -> list[Series]:
    """Every metric series."""
    return service.list_metrics(namespace, name)


@get("/metrics/{name:str}", sync_to_thread=True)
def get_metric(
    service: Service,
    name: str,
    schedule: str,
    endpoint: str,
    namespace: str = "aws/sagemaker/Endpoints/model-metrics",
    start: str | None = None,
    end: str | None = None,
) -> list[Point]:
    """The points of a schedule's metric; the last day by default."""
    series = Series(namespace, name, {"Endpoint": endpoint, "MonitoringSchedule": schedule})
    return service.metric_points(series, _window(service, start, end))


@get("/alarms", sync_to_thread=True)
def list_alarms(service: Service) -> list[AlarmRow]:
    """Every alarm with its state."""
    return [_masked(row) for row in service.list_alarms()]


@put("/alarms/{name:str}", sync_to_thread=True)
def put_alarm(service: Service, name: str, data: NewAlarm) -> AlarmRow:
    """Create or change an alarm."""
    return _masked(service.put_alarm(alarm_of(name, data)))


@get("/alarms/{name:str}", sync_to_thread=True)
def get_alarm(service: Service, name: str) -> AlarmRow:
    """One alarm with its state."""
    return _masked(service.get_alarm(name))


@get("/alarms/{name:str}/history", sync_to_thread=True)
def get_alarm_history(service: Service, name: str) -> list[Transition]:
    """The transitions of an alarm, newest first."""
    return service.alarm_history(name)


@get("/alarms/{name:str}/deliveries", sync_to_thread=True)
def get_alarm_deliveries(service: Service, name: str) -> list[DeliveryView]:
    """What was sent about an alarm, and with what outcome."""
    return [delivery_view(delivery) for delivery in service.alarm_deliveries(name)]


@delete("/alarms/{name:str}", sync_to_thread=True)
def delete_alarm(service: Service, name: str) -> None:
    """Delete an alarm; its history stays."""
    service.delete_alarm(name)


def _window(service: Service, start: str | None, end: str | None) -> Window:
    """The window of two optional instants; the last day where they are left out."""
    last = parse_time(end) if end else service.now() + HOUR
    return Window(parse_time(start) if start else last - 25 * HOUR, last)


def _masked(alarm: AlarmRow) -> AlarmRow:
    """The alarm without the secrets that the addresses of its actions may hold."""
    shown = {
        name: [mask(target) for target in value] if name.endswith("_actions") else value
        for name, value in alarm.definition.items()
    }
    return msgspec.structs.replace(alarm, definition=shown)


HANDLERS = (
    list_endpoints,
    get_endpoint,
    deploy,
    change_capture,
    delete_endpoint,
    get_capture_counts,
    put_labels,
    list_baselines,
    get_baseline,
    put_baseline,
    list_schedules,
    create_schedule,
    get_schedule,
    delete_schedule,
    pause_schedule,
    resume_schedule,
    run_schedule,
    list_runs,
    get_run,
    list_metrics,
    get_metric,
    list_alarms,
    put_alarm,
    get_alarm,
    get_alarm_history,
    get_alarm_deliveries,
    delete_alarm,
)


def router() -> Router:
    """The API."""
    return Router("/api", route_handlers=list(HANDLERS))
