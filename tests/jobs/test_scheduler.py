"""The loop: alone, beside another, in processes, killed and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from driftline.alerting import metrics, watch
from driftline.core.verdict import Verdict
from driftline.jobs.scheduler import Pass, Scheduler
from driftline.jobs.schedules import create_schedule
from driftline.resources.alarms import Alarm
from driftline.storage import deliveries, executions
from driftline.storage.clock import SharedClock, system_clock
from driftline.storage.database import Store
from driftline.storage.layout import Layout

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
PATIENCE = 30.0
# A scheduler process whose runs only leave a line each in a file; "hang" makes the first run of all hang.
WORKER = """
import os, sys, threading
from pathlib import Path
from driftline.core.verdict import Judgement, Verdict
from driftline.jobs.process import main
from driftline.pipeline import RunResult

log, hang = Path(sys.argv.pop(1)), sys.argv.pop(1) == "hang"

def runner(run):
    with log.open("a") as file:
        file.write(f"{run.window.end.isoformat()} {os.getpid()}\\n")
    if hang:
        threading.Event().wait()
    return RunResult(Judgement(Verdict.OK), 1, {}, (), (), (), {"f2": 0.7}, {})

sys.exit(main(runner))
"""


def until(condition: Any) -> None:
    """Wait for what another process or thread is about to do."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        threading.Event().wait(0.02)


class Processes:
    """Scheduler processes of one test, none of which outlives it."""

    def __init__(self, layout: Layout, log: Path, database: str) -> None:
        self.layout, self.log, self.database = layout, log, database
        self.clock = layout.data / "clock"
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, kind: str = "run") -> subprocess.Popen[bytes]:
        options = ["--data", str(self.layout.data), "--clock", str(self.clock)]
        command = [sys.executable, "-c", WORKER, str(self.log), kind, *options]
        environment = {**os.environ, "DRIFTLINE_DATABASE": self.database}
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
        self.started.append(process)
        return process

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def processes(layout: Layout, tmp_path: Path, database: str) -> Iterator[Processes]:
    made = Processes(layout, tmp_path / "runs.log", database)
    yield made
    for process in made.started:
        process.kill()
        process.wait()


def scheduler(store: Store, layout: Layout, runner: Any, now: datetime, **options: Any) -> Scheduler:
    return Scheduler(store, layout, now.timestamp, runner, **options)


def completed(store: Store) -> int:
    with store.read() as connection:
        return executions.tally(connection).get("Completed", 0)


def set_clock(processes: Processes, moment: datetime) -> None:
    clock = SharedClock(processes.clock)
    clock.set(moment.timestamp())
    clock.close()


def make_minutely(store: Store) -> None:
    with store.write() as connection:
        create_schedule(
            connection,
            name="minutely",
            endpoint="churn",
            cron="* * * * *",
            problem_type="BinaryClassification",
            attributes={"probability_attribute": "0"},
            now=NOW,
        )


def test_one_pass_plans_runs_and_sends(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    runner.verdict = Verdict.VIOLATED
    dimensions = metrics.dimensions_of("churn", hourly)
    hooks: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        hooks.append(request)
        return httpx.Response(204)

    with store.write() as connection:
        alarm = Alarm("low", "f2", metrics.MODEL_QUALITY, dimensions, "LessThanThreshold", 0.625)
        watch.put_alarm(connection, alarm, now=NOW, real=NOW)
        watch.put_alarm(
            connection,
            Alarm(
                "hook", "f2", metrics.MODEL_QUALITY, dimensions, "LessThanThreshold", 0.6, alarm_actions=("http://h",)
            ),
            now=NOW,
            real=NOW,
        )
    client = httpx.Client(transport=httpx.MockTransport(answer))
    made = scheduler(store, layout, runner, NOW + timedelta(hours=2), client=client)
    assert made.tick() == Pass(planned=2, ran=2, sent=3)
    assert made.tick() == Pass(0, 0, 0)
    made.close()
    assert len(hooks) == 1


def test_a_stopped_pass_starts_no_further_run(store: Store, layout: Layout, runner: Any, hourly: str) -> None:
    stop = threading.Event()

    def last(run: Any) -> Any:
        stop.set()
        return runner(run)

    made = scheduler(store, layout, last, NOW + timedelta(hours=5))
    assert made.tick(stop).ran == 1
    made.close()


def test_the_poll_follows_the_clock(store: Store, layout: Layout, runner: Any) -> None:
    clock = SharedClock(layout.data / "clock")
    for made, poll in (
        (Scheduler(store, layout, clock, runner), 0.05),
        (Scheduler(store, layout, system_clock, runner), 1),
    ):
        assert made.poll == poll
        made.close()
    clock.close()


def test_the_loop_sees_a_clock_that_jumps_and_survives_a_bad_pass(
    store: Store, layout: Layout, runner: Any, hourly: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SharedClock(layout.data / "clock")
    clock.set(NOW.timestamp())
    made, stop = Scheduler(store, layout, clock, runner), threading.Event()
    failures = [OSError("disk on fire")]
    real = made._run_due
    monkeypatch.setattr(made, "_run_due", lambda stop: fail(failures.pop()) if failures else real(stop))
    thread = threading.Thread(target=made.run, args=(stop,))
    thread.start()
    clock.set((NOW + timedelta(hours=3)).timestamp())
    until(lambda: completed(store) == 3)
    stop.set()
    thread.join()
    made.close()
    clock.close()
    assert failures == []


def fail(error: Exception) -> Any:
    raise error


def test_two_schedulers_in_threads_neither_skip_nor_double(store: Store, layout: Layout, runner: Any) -> None:
    make_minutely(store)
    both = [scheduler(store, layout, runner, NOW + timedelta(minutes=30)) for _ in range(2)]
    threads = [threading.Thread(target=made.tick) for made in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for made in both:
        made.tick()
        made.close()
    ends = [run.window.end for run in runner.runs]
    assert sorted(ends) == [NOW + timedelta(minutes=minute) for minute in range(1, 31)]
    assert completed(store) == 30


def test_two_scheduler_processes_neither_skip_nor_double(store: Store, processes: Processes) -> None:
    make_minutely(store)
    set_clock(processes, NOW)
    both = [processes.start(), processes.start()]
    for minute in (5, 10, 20):
        set_clock(processes, NOW + timedelta(minutes=minute))
        until(lambda minute=minute: completed(store) == minute)
    for process in both:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(PATIENCE) for process in both] == [0, 0]
    ends = Counter(line.split()[0] for line in processes.lines())
    assert ends == Counter((NOW + timedelta(minutes=minute)).isoformat() for minute in range(1, 21))


def test_a_killed_process_loses_its_run_to_the_next_one(
    store: Store, layout: Layout, processes: Processes, runner: Any, hourly: str
) -> None:
    set_clock(processes, NOW + timedelta(hours=1))
    process = processes.start("hang")
    until(processes.lines)
    process.kill()
    process.wait()
    soon, late = ((lambda: system_clock() + 30), (lambda: system_clock() + 90))
    for real, ran in ((soon, 0), (late, 1), (late, 0)):
        made = scheduler(store, layout, runner, NOW + timedelta(hours=1), real=real)
        assert made.tick().ran == ran
        made.close()
    with store.read() as connection:
        (found,) = executions.listing(connection)
    assert (found.status, found.attempts, found.revision) == ("Completed", 2, 1)


def test_a_process_does_not_outlive_its_parent(store: Store, processes: Processes, tmp_path: Path) -> None:
    set_clock(processes, NOW)
    child = [sys.executable, "-c", WORKER, str(processes.log), "run", "--data", str(processes.layout.data)]
    script = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); print(p.pid, flush=True); sys.stdin.read()"
    parent = subprocess.Popen(
        [sys.executable, "-c", script, *child],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    assert parent.stderr is not None
    pid = int(parent.stdout.readline())
    while "scheduler ready" not in parent.stderr.readline():
        pass
    parent.kill()
    said = parent.stderr.read()  # ends when the child, which holds the pipe, has ended
    parent.stdin.close()
    parent.stdout.close()
    parent.stderr.close()
    parent.wait()
    assert "the parent process has ended" in said
    assert "scheduler stopped" in said
    until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text())


def test_a_process_that_cannot_start_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "driftline.jobs", "--data", str(tmp_path / "file")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=dict(os.environ))
    assert ended.returncode == 2
    assert "to do: choose another folder" in ended.stderr


def test_a_pending_notification_of_a_dead_process_is_sent(store: Store, layout: Layout, runner: Any) -> None:
    with store.write() as connection:
        alarm = Alarm("low", "f2", "ns", {}, "LessThanThreshold", 0.5)
        watch.put_alarm(connection, alarm, now=NOW, real=NOW)
        watch.set_state(connection, "low", "ALARM", "a drill", now=NOW, real=NOW)
    made = scheduler(store, layout, runner, NOW)
    assert made.tick() == Pass(0, 0, 1)
    made.close()
    with store.read() as connection:
        assert [found.status for found in deliveries.listing(connection)] == ["sent"]
