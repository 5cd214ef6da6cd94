"""``driftline demo``: the main job, end to end, on a world that it makes: a day of traffic in half a minute."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from driftline.cli.output import out, paint, plain, table, verdict

if TYPE_CHECKING:
    from driftline.cli.demo_world import Customers
    from driftline.client import Client
    from driftline.storage.clock import SharedClock

ENDPOINT, SCHEDULE, ALARM = "churn", "churn-hourly", "churn-f2-low"
HOURS, DRIFT_HOUR, PER_HOUR = 24, 18, 300
THRESHOLD = 0.5
LATE = "-PT2H"
SEED = 20261122


def demo(
    once: Annotated[bool, typer.Option("--once", help="end when the story is told, instead of serving on")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", help="an empty folder for the world (default: a new one)")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print the result as one JSON object")] = False,
) -> int:
    """See the whole job on made-up customers: deploy, capture, baseline, late labels, runs, violations, alarm."""
    import numpy as np

    out.json = json
    folder = _folder(data)
    world = _World(folder, np.random.default_rng(SEED))
    with _server(folder) as (client, clock):
        result = world.live(client, clock)
        out.result(result, _story(result))
        if not once:
            _serve_on(client)
    return 0


class _World:
    """One seeded day of a model's life."""

    def __init__(self, folder: Path, random: Any) -> None:
        self.folder = folder
        self.random = random
        self.model = folder / "model.json"
        self.baseline = folder / "baseline"
        self.first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS)

    def live(self, client: Client, clock: SharedClock) -> dict[str, Any]:
        """Prepare, live through the hours, and tell what happened."""
        from driftline.cli.demo_world import train, write_baseline

        clock.set(self.first.timestamp())
        out.say("training a churn model on 6,000 made-up customers")
        train(self.random, self.model)
        write_baseline(self.random, self.model, self.folder / "baseline.csv", THRESHOLD)
        constraints = self._constraints()
        out.say(f"deploying it at {client.url}/endpoints/{ENDPOINT}/invocations, every request captured")
        client.deploy(ENDPOINT, self.model, capture_percent=100)
        self._watch(client, constraints)
        waiting: dict[int, bytes] = {}
        for hour in range(HOURS):
            self._predict(client, clock, hour, waiting)
            if hour >= 1:
                # What became of the customers of an hour is known in the course of the next one.
                client.put_labels(ENDPOINT, waiting.pop(hour - 1), "csv")
            self._tick(client, clock, hour + 1)
        clock.set(0)
        return self._result(client)

    def _constraints(self) -> dict[str, Any]:
        """The suggested constraints, loosened by hand as a user would: an hour has few rows and much noise."""
        from driftline import pipeline

        found = pipeline.baseline_model_quality(
            self.folder / "baseline.csv", prediction="prediction", probability="probability", now=self.first
        )
        found.write(self.baseline)
        metrics = found.statistics["binary_classification_metrics"]
        kept = {name: _loosened(metrics[name], found.item_count) for name in ("f2", "recall", "precision", "auc")}
        document = {"version": 0.0, "binary_classification_constraints": kept}
        (self.baseline / "constraints.json").write_bytes(msgspec.json.format(msgspec.json.encode(document)))
        out.say(f"baseline: f2 {metrics['f2']['value']:.3f}; alarm below {kept['f2']['threshold']:.3f}")
        return document

    def _watch(self, client: Client, constraints: dict[str, Any]) -> None:
        from driftline.resources.alarms import NewAlarm

        client.put_baseline(SCHEDULE, constraints)
        client.create_schedule(
            SCHEDULE,
            endpoint=ENDPOINT,
            cron="cron(0 * ? * * *)",
            attributes={"probability_attribute": "0", "probability_threshold": THRESHOLD},
            start_offset=LATE,
            end_offset=LATE,
            baseline=SCHEDULE,
        )
        alarm = NewAlarm(
            metric="f2",
            endpoint=ENDPOINT,
            schedule=SCHEDULE,
            operator="LessThanThreshold",
            threshold=constraints["binary_classification_constraints"]["f2"]["threshold"],
            alarm_actions=("log",),
            ok_actions=("log",),
        )
        client.put_alarm(ALARM, alarm)

    def _predict(self, client: Client, clock: SharedClock, hour: int, waiting: dict[int, bytes]) -> None:
        """One request a customer, spread over the hour."""
        import http.client

        from driftline.cli.demo_world import customers

        people = customers(self.random, PER_HOUR, drifted=hour >= DRIFT_HOUR)
        ids = [f"h{hour:02d}-{number:04d}" for number in range(PER_HOUR)]
        start = (self.first + timedelta(hours=hour)).timestamp()
        address = client.url.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=30)
        for number, body in enumerate(_bodies(people)):
            clock.set(start + 3600 * (number + 0.5) / PER_HOUR)
            headers = {"Content-Type": "text/csv", "X-Inference-Id": ids[number]}
            connection.request("POST", f"/endpoints/{ENDPOINT}/invocations", body, headers)
            connection.getresponse().read()
        connection.close()
        labels = "\n".join(f"{key},{left}" for key, left in zip(ids, people.left, strict=True))
        waiting[hour] = f"inference_id,label\n{labels}\n".encode()

    def _tick(self, client: Client, clock: SharedClock, hour: int) -> None:
        """Let the hour strike and wait for its run."""
        tick = self.first + timedelta(hours=hour)
        clock.set(tick.timestamp() + 1)
        while True:
            latest = client.list_runs(schedule=SCHEDULE, limit=1)
            if latest and latest[0].tick == tick and latest[0].finished:
                break
            time.sleep(0.02)
        found = latest[0]
        note = f"{len(found.violations)} violations" if found.violations else ""
        hours = f"{found.window_start:%H:%M}–{found.window_end:%H:%M}"
        out.say(f"  {tick:%H:%M}  judged {hours}  {verdict(found.verdict or 'UNKNOWN')}  {note}")

    def _result(self, client: Client) -> dict[str, Any]:
        runs = map(plain, sorted(client.list_runs(schedule=SCHEDULE), key=lambda run: run.tick))
        shown = ("id", "window_start", "window_end", "verdict", "violations", "reasons", "item_count", "report")
        history = map(plain, reversed(client.alarm_history(ALARM)))
        changes = ("time", "from_state", "to_state", "reason")
        return {
            "runs": [{key: run[key] for key in shown} for run in runs],
            "alarm_transitions": [{key: change[key] for key in changes} for change in history],
            "paths": {
                "data": str(self.folder),
                "model": str(self.model),
                "baseline": str(self.baseline),
                "captures": str(self.folder / "captures" / ENDPOINT),
                "labels": str(self.folder / "labels" / ENDPOINT),
                "reports": str(self.folder / "reports" / ENDPOINT / SCHEDULE),
                "database": str(self.folder / "driftline.db"),
            },
        }


def _bodies(people: Customers) -> Iterator[bytes]:
    for row in people.rows.tolist():
        yield ",".join(f"{value:g}" for value in row).encode()


def _loosened(metric: dict[str, Any], rows: int) -> dict[str, Any]:
    """The baseline's value less four standard errors of a metric of one hour's rows."""
    interval = metric["confidence_interval"]
    error = (interval["upper"] - interval["lower"]) / (2 * 1.96) * (rows / PER_HOUR) ** 0.5
    return {"threshold": round(metric["value"] - 4 * error, 4), "comparison_operator": "LessThanThreshold"}


def _folder(data: Path | None) -> Path:
    from driftline.core.errors import InputError
    from driftline.storage.layout import Layout

    if data is None:
        return Path(tempfile.mkdtemp(prefix="driftline-demo-"))
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise InputError(f"{data} is not an empty folder", hint="the demo makes a new world: name another folder")
    return Layout(data).create().data


@contextmanager
def _server(folder: Path) -> Iterator[tuple[Client, SharedClock]]:
    """A real server on a free port, whose time the demo sets."""
    from driftline.client import Client
    from driftline.jobs.supervisor import Supervisor, listen
    from driftline.storage.clock import SharedClock

    clock = SharedClock(folder / "clock")
    listening = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    stop = threading.Event()
    supervisor = Supervisor(folder, listening, url=url, clock=folder / "clock", log=folder / "server.log")
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        with Client(url) as client:
            yield client, clock
    finally:
        stop.set()
        thread.join()
        clock.close()


def _story(result: dict[str, Any]) -> list[str]:
    rows = [
        (
            _hours(run),
            verdict(run["verdict"]),
            run["item_count"] or 0,
            run["violations"][0]["description"] if run["violations"] else _why(run),
        )
        for run in result["runs"]
    ]
    lines = [
        "",
        paint("What the hourly schedule found", "bold"),
        *table(rows, ("window", "verdict", "n", "first finding")),
    ]
    lines += ["", paint(f"What the alarm {ALARM} did", "bold")]
    lines += [
        f"  {change['time'][11:16]}  {change['from_state']} → {change['to_state']}\n         {change['reason']}"
        for change in result["alarm_transitions"]
    ]
    lines += ["", paint("Where everything lies", "bold")]
    lines += [f"  {name:<9} {path}" for name, path in result["paths"].items()]
    paths = result["paths"]
    return [
        *lines,
        "",
        paint("What to try next", "bold"),
        f"  driftline serve --data {paths['data']}",
        f"  driftline check model-quality --captures {paths['captures']} --labels {paths['labels']} \\",
        f"    --constraints {paths['baseline']}/constraints.json --probability-attribute 0",
    ]


def _hours(run: dict[str, Any]) -> str:
    return f"{run['window_start'][11:16]}–{run['window_end'][11:16]}"


def _why(run: dict[str, Any]) -> str:
    return run["reasons"][0]["message"] if run["reasons"] else ""


def _serve_on(client: Client) -> None:
    out.say(f"\nserving on at {client.url}, in real time from here on; Ctrl-C stops it")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        out.say("stopping")
