"""The demo's day: models are deployed and watched, customers ask, labels come late, hours strike."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.cli import demo_monitors, demo_world
from driftline.cli.output import out, plain, verdict

if TYPE_CHECKING:
    from driftline.client import Client
    from driftline.resources.executions import Execution
    from driftline.storage.clock import SharedClock

ENDPOINT, SCHEDULE, ALARM = "churn", "churn-hourly", "churn-f2-low"
HOURLY, DAILY = ("churn-data", "churn-bias"), ("churn-attribution", "upsell-data")
OTHERS = HOURLY + DAILY
"""The schedules beside the main one. The daily ones run once, when the day is over."""
HEALTHY, ELSEWHERE = "upsell", "fraud"
HOURS, DRIFT_HOUR, PER_HOUR, HEALTHY_PER_HOUR = 24, 18, 300, 60
THRESHOLD = 0.5


class Day:
    """One seeded day of a model's life, in a folder, on a server whose clock it sets; or a shorter time of ``hours``,
    which drifts from ``drift_hour`` on."""

    def __init__(
        self,
        folder: Path,
        random: np.random.Generator,
        client: Client,
        clock: SharedClock,
        *,
        hours: int = HOURS,
        drift_hour: int = DRIFT_HOUR,
    ) -> None:
        self.folder, self.random, self.client, self.clock = folder, random, client, clock
        self.hours, self.drift_hour = hours, drift_hour
        self.model = folder / "model.json"
        self.baseline = folder / "baseline"
        self.first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)
        self._daily = f"cron(0 {(self.first + timedelta(hours=hours)).hour} ? * * *)"

    def live(self) -> dict[str, Any]:
        """Prepare, live through the hours, and tell what happened."""
        self.clock.set(self.first.timestamp())
        self._deploy()
        waiting: dict[int, bytes] = {}
        for hour in range(self.hours):
            self._predict(hour, waiting)
            if hour >= 1:
                # What became of the customers of an hour is known in the course of the next one.
                self.client.put_labels(ENDPOINT, waiting.pop(hour - 1), "csv")
            self._tick(hour + 1)
        self.clock.set(0)
        return self._result()

    def _deploy(self) -> None:
        out.say("training a churn model on 6,000 made-up customers")
        demo_world.train(demo_world.customers(self.random, 6000), self.model)
        table = self.folder / "baseline.csv"
        demo_world.write_baseline(demo_world.customers(self.random, 4000), self.model, table, THRESHOLD)
        constraints = demo_monitors.loosened_quality(table, self.baseline, rows=PER_HOUR)
        floor = constraints["binary_classification_constraints"]["f2"]["threshold"]
        out.say(f"baselines of four monitors are made; the alarm goes off below an f2 of {floor:.3f}")
        out.say(f"deploying it at {self.client.url}/endpoints/{ENDPOINT}/invocations, every request captured")
        self.client.deploy(ENDPOINT, self.model, capture_percent=100)
        demo_monitors.watch_quality(self.client, SCHEDULE, ENDPOINT, self.baseline, THRESHOLD)
        demo_monitors.watch_data(self.client, "churn-data", ENDPOINT, table, demo_monitors.HOURLY)
        demo_monitors.watch_bias(self.client, "churn-bias", ENDPOINT, table, THRESHOLD)
        demo_monitors.watch_attribution(self.client, "churn-attribution", ENDPOINT, table, self.model, self._daily)
        self._alarm(floor)
        self._neighbours()

    def _alarm(self, floor: float) -> None:
        from driftline.resources.alarms import NewAlarm

        alarm = NewAlarm(
            metric="f2",
            endpoint=ENDPOINT,
            schedule=SCHEDULE,
            operator="LessThanThreshold",
            threshold=floor,
            alarm_actions=("log",),
            ok_actions=("log",),
        )
        self.client.put_alarm(ALARM, alarm)

    def _neighbours(self) -> None:
        """A second model, which stays well, and an endpoint that is served elsewhere and has no monitor."""
        model, table = self.folder / "upsell.json", self.folder / "upsell.csv"
        demo_world.train(demo_world.buyers(self.random, 6000), model)
        demo_world.write_baseline(demo_world.buyers(self.random, 4000), model, table, THRESHOLD)
        self.client.deploy(HEALTHY, model, capture_percent=100)
        demo_monitors.watch_data(self.client, "upsell-data", HEALTHY, table, self._daily)
        self.client.register_endpoint(ELSEWHERE)

    def _predict(self, hour: int, waiting: dict[int, bytes]) -> None:
        """The hour's customers, one request each."""
        drifted = hour >= self.drift_hour
        people = demo_world.customers(self.random, PER_HOUR, drifted=drifted)
        ids = [f"h{hour:02d}-{number:04d}" for number in range(PER_HOUR)]
        self._ask(ENDPOINT, hour, ids, demo_world.bodies(people, faulty=drifted))
        buyers = demo_world.buyers(self.random, HEALTHY_PER_HOUR)
        self._ask(
            HEALTHY,
            hour,
            [f"u{hour:02d}-{number:04d}" for number in range(HEALTHY_PER_HOUR)],
            demo_world.bodies(buyers),
        )
        labels = "\n".join(f"{key},{left}" for key, left in zip(ids, people.left, strict=True))
        waiting[hour] = f"inference_id,label\n{labels}\n".encode()

    def _ask(self, endpoint: str, hour: int, ids: list[str], bodies: list[bytes]) -> None:
        """Requests, spread over the hour."""
        start = (self.first + timedelta(hours=hour)).timestamp()
        connection = http.client.HTTPConnection(self.client.url.removeprefix("http://"), timeout=30)
        for number, (key, body) in enumerate(zip(ids, bodies, strict=True)):
            self.clock.set(start + 3600 * (number + 0.5) / len(ids))
            headers = {"Content-Type": "text/csv", "X-Inference-Id": key}
            connection.request("POST", f"/endpoints/{endpoint}/invocations", body, headers)
            connection.getresponse().read()
        connection.close()

    def _tick(self, hour: int) -> None:
        """Let the hour strike and wait for its runs."""
        tick = self.first + timedelta(hours=hour)
        self.clock.set(tick.timestamp() + 1)
        due = {SCHEDULE, *HOURLY, *(DAILY if hour == self.hours else ())}
        while not due <= (found := self._finished(tick)).keys():
            time.sleep(0.05)
        main = found[SCHEDULE]
        note = f"{len(main.violations)} violations" if main.violations else ""
        hours = f"{main.window_start:%H:%M}–{main.window_end:%H:%M}"
        out.say(f"  {tick:%H:%M}  judged {hours}  {verdict(main.verdict or 'UNKNOWN')}  {note}")

    def _finished(self, tick: datetime) -> dict[str, Execution]:
        latest = self.client.list_runs(limit=2 * (1 + len(OTHERS)))
        return {run.schedule: run for run in latest if run.tick == tick and run.finished}

    def _result(self) -> dict[str, Any]:
        runs = map(plain, sorted(self.client.list_runs(schedule=SCHEDULE), key=lambda run: run.tick))
        shown = ("id", "window_start", "window_end", "verdict", "violations", "reasons", "item_count", "report")
        history = map(plain, reversed(self.client.alarm_history(ALARM)))
        changes = ("time", "from_state", "to_state", "reason")
        return {
            "runs": [{key: run[key] for key in shown} for run in runs],
            "monitors": [self._monitor(name) for name in OTHERS],
            "alarm": ALARM,
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

    def _monitor(self, schedule: str) -> dict[str, Any]:
        """How often a schedule judged how, and the newest thing that it found."""
        runs = self.client.list_runs(schedule=schedule)
        findings = [run.violations[0].line for run in runs if run.violations]
        counts = Counter(str(run.verdict) for run in runs)
        return {"schedule": schedule, "verdicts": dict(counts), "last": findings[0] if findings else ""}
