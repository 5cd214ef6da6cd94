"""How fast the pages are when the store is full: many endpoints with a year of hourly runs.

    driftline demo --once --data DEMO
    python bench/dashboard.py --from DEMO --work FOLDER [--endpoints 1000] [--days 365]

The runs are those of a demo, copied: every endpoint has one hourly schedule, whose monitor goes round. Runs of the
last week carry their whole statistics (about 20 KB each), as pages read them; older ones none, because 8.76 million of
them would be 190 GB. Every run has its points in the metric store, of the last week all of them and before that two. A
page's figure is the median of its answers, asked one at a time of the application in this process.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shutil
import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from litestar.testing import TestClient

from driftline.service import Service
from driftline.storage.layout import Layout
from driftline.web.app import application

HOUR = 3_600_000_000
WEEK = 7 * 24
_TWO = 2
_TIMES = ("tick", "window_start", "window_end", "created", "started", "finished")
_SLIM = {"statistics": "'{}'", "steps": "'[]'", "violations": "'[]'"}


def main() -> None:
    """Make the store where there is none, ask every page, print a line each."""
    options = _options()
    layout = Layout(options.work).create()
    made = options.work / "made.json"
    if not made.exists():
        started = time.monotonic()
        Service(options.work).close()
        for name in ("reports", "captures", "labels", "decoded"):
            if (options.source / name).exists():
                shutil.copytree(options.source / name, options.work / name, dirs_exist_ok=True)
        fill(layout.data / "driftline.db", options.source / "driftline.db", options.endpoints, options.days * 24)
        made.write_text(json.dumps({"seconds": round(time.monotonic() - started)}))
    figures = dict(measured(options.work, options.repeats))
    for path, (median, worst, weight) in figures.items():
        _tell(f"{median * 1000:8.1f} ms  {worst * 1000:8.1f} ms  {weight / 1024:7.1f} KB gz  {path}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def fill(target: Path, source: Path, endpoints: int, hours: int) -> None:
    """Copy the demo's runs to every endpoint and hour."""
    db = sqlite3.connect(target, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -2000000", "temp_store = MEMORY"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("ATTACH ? AS demo", (str(source),))
    indexes = db.execute(
        "SELECT name, sql FROM main.sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
        "AND tbl_name IN ('executions', 'metrics')"
    ).fetchall()
    for name, _ in indexes:
        db.execute(f"DROP INDEX main.{name}")
    schedules = db.execute("SELECT name, endpoint FROM demo.schedules ORDER BY name").fetchall()
    newest = db.execute("SELECT max(tick) FROM demo.executions").fetchone()[0]
    db.execute("INSERT INTO main.baselines SELECT * FROM demo.baselines")
    for number in range(endpoints):
        schedule, endpoint = schedules[number % len(schedules)]
        db.execute("BEGIN")
        _endpoint(db, number, schedule, endpoint)
        _runs(db, number, schedule, newest, hours)
        db.execute("COMMIT")
        if number % 50 == 0:
            _tell(f"{number} endpoints")
    for _, statement in indexes:
        db.execute(statement)
    db.execute("ANALYZE")
    db.close()


def _endpoint(db: sqlite3.Connection, number: int, schedule: str, endpoint: str) -> None:
    name, watching = f"model-{number:04d}", f"model-{number:04d}-hourly"
    _copy(db, "endpoints", {"name": name, "revision": number + 1}, "name = ?", endpoint)
    _copy(db, "schedules", {"name": watching, "endpoint": name}, "name = ?", schedule)
    _copy(db, "capture_counts", {"endpoint": name}, "endpoint = ?", endpoint)
    if number % 10 == 0:
        _copy(db, "alarms", {"name": f"alarm-{number:04d}"}, "name = (SELECT min(name) FROM demo.alarms)")


def _runs(db: sqlite3.Connection, number: int, schedule: str, newest: int, hours: int) -> None:
    """A run an hour: those of the demo in turn."""
    name, watching = f"model-{number:04d}", f"model-{number:04d}-hourly"
    wanted = "SELECT id FROM demo.executions WHERE schedule = ? ORDER BY tick"
    known = [row[0] for row in db.execute(wanted, (schedule,))]
    identity = f"printf('%016x%016x', {number}, age)"
    for place, run in enumerate(known):
        # In the hours place, place + n, place + 2n … before the newest.
        ages = (
            f"WITH RECURSIVE ages(age) AS (SELECT {place} UNION ALL SELECT age + {len(known)} FROM ages "
            f"WHERE age + {len(known)} < {hours})"
        )
        changes = {key: f"{key} + {newest} - tick - age * {HOUR}" for key in _TIMES}
        changes |= {"id": identity, "schedule": f"'{watching}'", "endpoint": f"'{name}'"}
        changes |= {key: f"CASE WHEN age < {WEEK} THEN {key} ELSE {empty} END" for key, empty in _SLIM.items()}
        _expand(db, "executions", changes, ages, f"demo.executions.id = '{run}'")
        renamed = f"json_set(dimensions, '$.Endpoint', '{name}', '$.MonitoringSchedule', '{watching}')"
        moved = f"{newest} - age * {HOUR}"
        points = {"id": "NULL", "time": moved, "run": identity, "dimensions": renamed}
        two = f"demo.metrics.id IN (SELECT id FROM demo.metrics WHERE run = '{run}' LIMIT {_TWO})"
        _expand(db, "metrics", points, ages, f"run = '{run}' AND (age < {WEEK} OR {two})")


def _copy(db: sqlite3.Connection, table: str, given: dict[str, Any], where: str, *values: str) -> None:
    columns = [row[1] for row in db.execute(f"PRAGMA demo.table_info({table})")]
    picked = ", ".join("?" if name in given else name for name in columns)
    chosen = [given[name] for name in columns if name in given]
    statement = f"INSERT INTO main.{table} ({', '.join(columns)}) SELECT {picked} FROM demo.{table} WHERE {where}"
    db.execute(statement, (*chosen, *values))


def _expand(db: sqlite3.Connection, table: str, changes: dict[str, str], ages: str, where: str) -> None:
    columns = [row[1] for row in db.execute(f"PRAGMA demo.table_info({table})")]
    picked = ", ".join(changes.get(name, name) for name in columns)
    into = f"INSERT INTO main.{table} ({', '.join(columns)})"
    db.execute(f"{ages} {into} SELECT {picked} FROM ages, demo.{table} WHERE {where}")


def measured(folder: Path, repeats: int) -> Iterator[tuple[str, tuple[float, float, int]]]:
    """By path: median and longest seconds of an answer, and the page's weight in bytes, compressed."""
    with sqlite3.connect(folder / "driftline.db") as db:
        newest = db.execute("SELECT max(tick) FROM executions").fetchone()[0] / 1e6 + 1
    now = datetime.fromtimestamp(newest, UTC).timestamp()
    with Service(folder, clock=lambda: now) as service, TestClient(application(service)) as web:
        for path in paths(service):
            took, answer = [], web.get(path)
            for _ in range(repeats):
                started = time.perf_counter()
                answer = web.get(path)
                took.append(time.perf_counter() - started)
            if answer.status_code != 200:
                _tell(f"{answer.status_code} {path}: {re.sub('<[^>]*>', '', answer.text)[:200]}")
            yield path, (statistics.median(took), max(took), len(gzip.compress(answer.content)))


def paths(service: Service) -> list[str]:
    """A path of every kind of page; of those that differ by monitor, one each."""
    found = [
        "/",
        "/?page=20",
        "/?q=model-05",
        "/?state=VIOLATED",
        "/alarms",
        "/alarms/alarm-0000",
        "/baselines",
        "/new",
    ]
    found += ["/new/endpoint", "/new/baseline", "/new/schedule", "/new/alarm", "/search?q=model-00", "/timezone"]
    found += [f"/baselines/{one.name}" for one in service.list_baselines()]
    for number in range(4):
        name, schedule = f"model-{number:04d}", f"model-{number:04d}-hourly"
        found += [f"/endpoints/{name}", f"/endpoints/{name}/data", f"/schedules/{schedule}"]
        found += [
            f"/series?endpoint={name}&schedule={schedule}",
            f"/series?endpoint={name}&schedule={schedule}&range=90d",
        ]
        run = service.list_runs(schedule=schedule, limit=1)[0]
        found += [f"/runs/{run.id}", f"/runs/{run.id}/analysis"]
        latest = service.list_runs(schedule=schedule, limit=24)
        found += [f"/runs/{one.id}/violations/0" for one in latest if one.violations][:1]
    return found


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--endpoints", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
