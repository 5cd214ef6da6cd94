"""The scheduler by itself: thousands of schedules on a simulated clock, with runs that take time in it only.

Planner, claims, leases, results, metrics, alarms and both kinds of database are the real ones. What is not real is the
run: it returns the result of a real one at once, and the clock is told how long one of so many rows takes. So what is
measured in seconds is the scheduler, and what is simulated is everything it waits for.

Two questions. ``saturation``: how many waiting windows a second do N scheduler processes bring to their end, side by
side on one database, when runs cost nothing? ``lag``: how long after its tick is a window judged, when N schedulers
share an hour of ticks? The second is a simulation of events: of N workers the one whose time is least goes next, and
its time grows by what its own code took on this machine and by what its run would have taken.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import data
import msgspec
import numpy as np
from sqlalchemy import create_engine, func, select, text

from driftline.alerting.alarms import Alarm
from driftline.core.records import utc
from driftline.core.window import HOUR, Window, parse_time
from driftline.engine.attributes import OutputAttributes
from driftline.jobs.executions import Worker
from driftline.jobs.isolation import Isolation, Limits, dated
from driftline.jobs.planning import plan_due, revise
from driftline.pipeline import ModelQualityRun, RunResult
from driftline.service import Service
from driftline.storage import executions, schedules
from driftline.storage.clock import SharedClock
from driftline.storage.database import Store, open_store
from driftline.storage.layout import Layout
from driftline.storage.tables import executions as table

BEGIN = parse_time("2026-11-22T10:00:00Z")
HOURLY, FREQUENT = "0 * * * *", "*/5 * * * *"
CONSTRAINTS = b"""{"version": 0.0, "binary_classification_constraints":
    {"f2": {"threshold": 0.99, "comparison_operator": "LessThanThreshold"}}}"""
SPACE = "aws/sagemaker/Endpoints/model-metrics"
LATE = 0.1
"""The share of windows that are judged once more, as labels come after the first judgement."""


class Cost(NamedTuple):
    """What one run takes: seconds for itself, and seconds a row."""

    fixed: float
    row: float

    def of(self, rows: float) -> float:
        return self.fixed + self.row * rows


class World(NamedTuple):
    """How many schedules there are of each kind, and the predictions a second of all endpoints together."""

    hourly: int
    frequent: int
    rate: float

    def rows(self) -> dict[str, float]:
        """Rows of each schedule's window: traffic is shared out by Zipf's law, the busiest endpoint drawn at random."""
        total = self.hourly + self.frequent
        shares = 1 / np.arange(1, total + 1)
        shares = np.random.default_rng(data.SEED).permutation(shares / shares.sum())
        seconds = [3600.0] * self.hourly + [300.0] * self.frequent
        return {f"s{number:05}": self.rate * shares[number] * seconds[number] for number in range(total)}


class Sample(NamedTuple):
    """A finished window: its tick, and how many seconds later it was judged."""

    schedule: str
    tick: datetime
    lag: float


def calibrate(work: Path) -> tuple[Cost, RunResult]:
    """What real runs take in processes of their own, by least squares, and the result of one."""
    sizes = (1_000, 30_000, 300_000)
    taken = []
    isolation: Isolation[Any, RunResult] = Isolation(dated)
    isolation.warm_up()
    for rows in sizes:
        captured, labelled = data.captures(work, rows)
        times = []
        for _ in range(3):
            with tempfile.TemporaryDirectory() as name:
                run = ModelQualityRun(
                    captures=str(captured),
                    labels=str(labelled),
                    window=Window(BEGIN, BEGIN + HOUR),
                    as_of=BEGIN + 2 * HOUR,
                    report=str(Path(name, "report")),
                    problem_type="BinaryClassification",
                    attributes=OutputAttributes(probability="0"),
                )
                began = time.perf_counter()
                result = isolation(run, Limits(600.0, 2 << 30))
                times.append(time.perf_counter() - began)
        taken.append(statistics.median(times))
    row, fixed = np.polyfit(sizes, taken, 1, w=1 / np.array(taken))
    return Cost(max(float(fixed), 0.0), float(row)), result


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database: a file, or a PostgreSQL server that lives as long, with its usual safety."""
    if kind == "sqlite":
        yield str(folder / "driftline.db")
        return
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
    place = Path(tempfile.mkdtemp(prefix="driftline-bench-"))
    other = ("--reuid=postgres", "--regid=postgres", "--clear-groups") if os.getuid() == 0 else ()
    if other:
        shutil.chown(place, "postgres")
    run_as = ("setpriv", *other)
    made = (*run_as, programs / "initdb", "-D", place / "data", "--auth=trust", "--username=driftline", "--no-locale")
    subprocess.run((*made, "--encoding=UTF8"), check=True, capture_output=True)
    command = (*run_as, programs / "postgres", "-D", place / "data", "-k", place, "-c", "listen_addresses=")
    with (place / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        url = f"postgresql+psycopg://driftline@/postgres?host={place}"
        for _ in range(100):
            try:
                with create_engine(url).connect() as connection:
                    connection.execute(text("SELECT 1"))
                break
            except Exception:
                time.sleep(0.1)
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
        shutil.rmtree(place)


def build(folder: Path, url: str, world: World, clock: SharedClock) -> None:
    """Endpoints, schedules and an alarm for every second schedule, as they are the minute before the first tick."""
    clock.set((BEGIN - timedelta(minutes=1)).timestamp())
    with Service(folder, clock=clock, database=url) as service:
        service.put_baseline("b", CONSTRAINTS)
        attributes = {"probability_attribute": "0"}
        for number in range(world.hourly + world.frequent):
            name = f"s{number:05}"
            endpoint = f"e{number:05}"
            service.register_endpoint(endpoint)
            cron = HOURLY if number < world.hourly else FREQUENT
            service.create_schedule(name, endpoint=endpoint, cron=cron, baseline="b", attributes=attributes)
            if number % 2 == 0:
                where = {"Endpoint": endpoint, "MonitoringSchedule": name}
                service.put_alarm(Alarm(f"a{number:05}", "f2", SPACE, where, "LessThanThreshold", 0.99))


def worker(store: Store, folder: Path, clock: SharedClock, runner: Callable[[Any], RunResult], owner: str) -> Worker:
    return Worker(store, Layout(folder), runner, clock, owner=owner)


def drain(folder: Path, url: str, owner: str, result: bytes, begin: Any, counts: Any) -> None:
    """A scheduler process: plans and runs until nothing is left; how many windows it ended goes to ``counts``."""
    logging.disable(logging.CRITICAL)
    clock = SharedClock(folder / "clock")
    prepared = msgspec.msgpack.decode(result, type=RunResult)
    with open_store(url) as store:
        working = worker(store, folder, clock, lambda _: prepared, owner)
        begin.wait()
        done, before = 0, time.process_time()
        plan_due(store, Layout(folder), utc(clock()))
        while working.run_next() is not None:
            done += 1
            plan_due(store, Layout(folder), utc(clock()))
        counts.put((done, time.process_time() - before))


def saturation(kind: str, world: World, workers: int, result: RunResult) -> dict[str, float]:
    """Windows a second that so many processes plan, and bring to their end, when a run costs nothing."""
    with tempfile.TemporaryDirectory() as name, database(kind, Path(name)) as url:
        folder, clock = Path(name), SharedClock(Path(name, "clock"))
        build(folder, url, world, clock)
        clock.set((BEGIN + timedelta(seconds=1)).timestamp())
        with open_store(url) as store:
            began, before = time.perf_counter(), time.process_time()
            planned = plan_due(store, Layout(folder), utc(clock()))
            planning, used = time.perf_counter() - began, time.process_time() - before
            context = multiprocessing.get_context("spawn")
            begin, counts = context.Barrier(workers + 1), context.Queue()
            packed = msgspec.msgpack.encode(result)
            given = [(folder, url, f"w{number}", packed, begin, counts) for number in range(workers)]
            processes = [context.Process(target=drain, args=arguments) for arguments in given]
            for process in processes:
                process.start()
            begin.wait()
            began = time.perf_counter()
            shares = [counts.get() for _ in processes]
            taken = time.perf_counter() - began
            for process in processes:
                process.join()
            with store.read() as connection:
                ended = connection.execute(
                    select(func.count(), func.count(table.c.finished), func.max(table.c.attempts))
                ).one()
        if tuple(ended) != (planned, planned, 1) or sum(done for done, _ in shares) != planned:
            raise SystemExit(f"of {planned} windows not each was run once: {tuple(ended)}")
        return {
            "windows": planned,
            "planned/s": planned / planning,
            "ended/s": planned / taken,
            "CPU ms a window": 1000 * sum(cpu for _, cpu in shares) / planned,
            "CPU ms to plan one": 1000 * used / planned,
        }


class Simulation:
    """Workers on one database and one simulated clock; see the module's description."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        clock: SharedClock,
        workers: int,
        times: tuple[Cost, Callable[[], float]],
        result: RunResult,
    ) -> None:
        """``times`` are what a run takes, and the clock that measures the scheduler's own time."""
        self._folder, self._store, self._clock = folder, store, clock
        self._cost, self._time = times
        self._result = result
        self._duration = 0.0
        self._began = 0.0
        self._rows: dict[str, float] = {}
        self._at = [BEGIN.timestamp()] * workers
        self._workers = [worker(store, folder, clock, self._run, f"w{number}") for number in range(workers)]
        self._random = np.random.default_rng(data.SEED)
        self._late: list[tuple[float, str, Window]] = []
        self.samples: list[Sample] = []
        self.again: list[float] = []
        self.own: list[float] = []

    def _run(self, run: Any) -> RunResult:
        name = Path(run.report).relative_to(self._folder / "reports").parts[1]
        self._duration = self._cost.of(self._rows[name])
        # The run ends, and its result is stored, when its time is over.
        self._clock.set(self._clock() + self._time() - self._began + self._duration)
        return self._result

    def go(self, rows: dict[str, float], until: datetime) -> None:
        """Every window whose tick is before a time."""
        self._rows = rows
        while True:
            number = int(np.argmin(self._at))
            now = self._at[number]
            if now >= until.timestamp() and not self._waiting():
                return
            self._clock.set(now)
            self._arrive(min(now, until.timestamp()))
            self._began = began = self._time()
            self._duration = 0.0
            if now < until.timestamp():
                plan_due(self._store, Layout(self._folder), utc(now))
            ended = self._workers[number].run_next()
            own = self._time() - began
            if ended is None:
                self._at[number] = now + 1.0  # the pause between two passes
                continue
            self.own.append(own)
            self._at[number] = now + own + self._duration
            self._note(ended, self._at[number])

    def _waiting(self) -> bool:
        with self._store.read() as connection:
            return executions.waiting(connection, utc(time.time()))

    def _note(self, ended: Any, moment: float) -> None:
        if ended.revision > 1:
            self.again.append(moment - ended.created.timestamp())
            return
        self.samples.append(Sample(ended.schedule, ended.tick, moment - ended.tick.timestamp()))
        if self._random.random() < LATE:
            self._late.append((moment + self._random.exponential(900.0), ended.schedule, ended.window))

    def _arrive(self, now: float) -> None:
        """Labels that came late until now: their windows get a revision, as the look at late labels gives it."""
        due = [one for one in self._late if one[0] <= now]
        self._late = [one for one in self._late if one[0] > now]
        for _, name, window in due:
            with self._store.write() as connection:
                schedule = schedules.get(connection, name, lock=True)
                revise(connection, Layout(self._folder), schedule, window, utc(now), cause="late_labels")


def lag(
    kind: str, world: World, workers: int, times: tuple[Cost, Callable[[], float]], result: RunResult, hours: float
) -> dict[str, float]:
    """How long after its tick a window is judged."""
    with tempfile.TemporaryDirectory() as name, database(kind, Path(name)) as url:
        folder, clock = Path(name), SharedClock(Path(name, "clock"))
        build(folder, url, world, clock)
        rows, cost = world.rows(), times[0]
        with open_store(url) as store:
            simulation = Simulation(folder, store, clock, workers, times, result)
            simulation.go(rows, BEGIN + timedelta(hours=hours))
        frequent = [one.lag for one in simulation.samples if rows and int(one.schedule[1:]) >= world.hourly]
        hourly = [one.lag for one in simulation.samples if int(one.schedule[1:]) < world.hourly]
        spent = sum(cost.of(rows[one.schedule]) for one in simulation.samples)
        return {
            "windows": len(simulation.samples),
            "again": len(simulation.again),
            "own ms": 1000 * statistics.median(simulation.own),
            "work s a worker": (spent + sum(simulation.own)) / workers,
            **{f"hourly p{share}": float(np.percentile(hourly, share)) for share in (50, 95, 100)},
            **{f"frequent p{share}": float(np.percentile(frequent, share)) for share in (50, 95, 100)},
            "again p95": float(np.percentile(simulation.again, 95)) if simulation.again else 0.0,
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hourly", type=int, default=5_000)
    parser.add_argument("--frequent", type=int, default=500)
    parser.add_argument("--rate", type=float, default=1_000.0, help="predictions a second of all endpoints together")
    parser.add_argument("--hours", type=float, default=0.99, help="how long ticks come in the simulation of lag")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--kinds", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--parts", nargs="*", default=["saturation", "lag"])
    parser.add_argument("--cost", type=float, nargs=2, help="seconds of a run and of a row, instead of measuring them")
    parser.add_argument(
        "--own", choices=["wall", "cpu"], default="wall", help="the scheduler's own time; cpu when busy"
    )
    parser.add_argument("--work", type=lambda text: Path(text).resolve(), default=Path("build/bench").resolve())
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.CRITICAL)
    cost, result = calibrate(options.work)
    if options.cost:
        cost = Cost(*options.cost)
    own = time.perf_counter if options.own == "wall" else time.process_time
    found: dict[str, Any] = {"cost of a run": cost._asdict()}
    _say(found)
    world = World(options.hourly, options.frequent, options.rate)
    for kind in options.kinds:
        for workers in options.workers:
            if "saturation" in options.parts:
                figures = saturation(kind, world, workers, result)
                _say({"saturation": kind, "workers": workers} | _rounded(figures))
            if "lag" in options.parts:
                figures = lag(kind, world, workers, (cost, own), result, options.hours)
                _say({"lag": kind, "workers": workers} | _rounded(figures))


def _say(figures: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in figures.items()}


if __name__ == "__main__":
    main()
