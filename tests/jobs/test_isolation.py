"""Runs in processes of their own: results, errors, limits, and an end with the scheduler."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from driftline.core.errors import InputError
from driftline.core.verdict import Judgement, Verdict
from driftline.engine.attributes import OutputAttributes
from driftline.jobs.isolation import Isolation, Limits, RunFailed
from driftline.pipeline import ModelQualityRun, RunResult

NEVER = threading.Event()


def asked(note: str = "") -> ModelQualityRun:
    return ModelQualityRun(note, None, "BinaryClassification", OutputAttributes(probability="0"))


def answers(run: ModelQualityRun, tell: Any) -> RunResult:
    print(f"reading {run.captures} in {os.getpid()}")
    return RunResult(Judgement(Verdict.OK), os.getpid(), {}, (), (), (), {}, {})


def refuses(run: ModelQualityRun, tell: Any) -> RunResult:
    raise InputError("no column 'x'", evidence="file a.jsonl", hint="name another")


def breaks(run: ModelQualityRun, tell: Any) -> RunResult:
    return {}["f2"]


def hangs(run: ModelQualityRun, tell: Any) -> RunResult:
    tell("merge", 0, 1, "rows")
    Path(run.captures).write_text(str(os.getpid()))
    threading.Event().wait()
    raise AssertionError


def grows(run: ModelQualityRun, tell: Any) -> RunResult:
    tell("merge", 0, 1, "rows")
    held = []
    while True:
        held.append(bytearray(os.urandom(1) * (8 << 20)))
        time.sleep(0.001)


def dies(run: ModelQualityRun, tell: Any) -> RunResult:
    tell("read captures", 0, 1, "%")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_a_run_has_a_process_and_a_log_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "report" / "log.txt"
    isolation = Isolation(answers)
    first, second = (isolation(asked("here"), Limits(), log=log) for _ in range(2))
    assert len({first.item_count, second.item_count, os.getpid()}) == 3
    assert log.read_text().splitlines() == [f"reading here in {found.item_count}" for found in (first, second)]


def test_an_error_comes_back_as_it_was(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with pytest.raises(RunFailed, match="no column 'x'") as caught:
        Isolation(refuses)(asked(), Limits(), log=log)
    assert (caught.value.code, caught.value.evidence, caught.value.hint) == (
        "invalid_input",
        "file a.jsonl",
        "name another",
    )
    assert "in refuses" in caught.value.trace
    assert "in refuses" in log.read_text()


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(RunFailed, match="KeyError: 'f2'") as caught:
        Isolation(breaks)(asked(), Limits())
    assert "in breaks" in caught.value.trace


def test_a_run_is_stopped_after_its_time(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    # The server process that runs are forked from loads the libraries at the first one, which is not what is timed.
    Isolation(answers)(asked(), Limits())
    with pytest.raises(RunFailed, match=r"stopped after 0\.5 s while it did: merge") as caught:
        Isolation(hangs)(asked(str(file)), Limits(seconds=0.5))
    assert caught.value.code == "time_limit"
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)


def test_a_run_is_stopped_when_it_needs_too_much_memory() -> None:
    with pytest.raises(RunFailed, match="needed more than 400 MiB while it did: merge") as caught:
        Isolation(grows)(asked(), Limits(memory=400 << 20))
    assert caught.value.code == "memory_limit"


def test_a_run_that_is_killed_says_so() -> None:
    with pytest.raises(RunFailed, match="its process ended while it did: read captures") as caught:
        Isolation(dies)(asked(), Limits())
    assert caught.value.evidence == "SIGKILL"


def test_a_run_is_stopped_on_request(tmp_path: Path) -> None:
    stop, file = threading.Event(), tmp_path / "pid"

    def when_it_runs() -> None:
        while not file.exists() or not file.read_text():
            NEVER.wait(0.01)
        stop.set()

    threading.Thread(target=when_it_runs, daemon=True).start()
    with pytest.raises(RunFailed, match="stopped on request"):
        Isolation(hangs)(asked(str(file)), Limits(), stop=stop)


def test_several_runs_at_once() -> None:
    isolation, found = Isolation(answers), []
    threads = [threading.Thread(target=lambda: found.append(isolation(asked(), Limits()).item_count)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 4
