"""Children under watch: their output, their limits, and an end of everything that they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from driftline.processes.child import Child, Limits
from driftline.processes.environment import bare_environment, python_command
from driftline.processes.launcher import launched

Start = Callable[..., Child]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts Python code as a child."""

    def go(code: str, limits: Limits | None = None) -> Child:
        command = [sys.executable, "-I", "-c", f"import os, sys, time, subprocess\n{code}"]
        return Child(command, limits or Limits(), environment=bare_environment(), folder=tmp_path)

    return go


def ended(process: int) -> bool:
    """Whether a process ends within ten seconds; one that waits for its parent to notice it has."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
    return False


def test_one_that_ends_by_itself(start: Start) -> None:
    with start("print('a'); print('b', file=sys.stderr); sys.exit(3)") as child:
        assert child.wait() is None
    assert (child.end(), sorted(child.output.log().split())) == (3, ["a", "b"])


def test_output_that_is_no_text_and_too_much(start: Start) -> None:
    with start("os.write(1, b'\\xff' + b'y' * 999)", Limits(output=3)) as child:
        child.wait()
    assert child.output.text() == "\ufffdyy"
    assert child.output.log() == "\ufffdyy\n[cut here: 997 more bytes were written]\n"


def test_limits_of_time_and_memory(start: Start) -> None:
    with start("time.sleep(600)", Limits(seconds=0.3)) as child:
        assert child.wait() == "time"
    assert child.end() == -signal.SIGKILL
    with start("x = b'x' * (150 << 20); time.sleep(600)", Limits(memory=100 << 20)) as child:
        assert child.wait() == "memory"
    assert child.peak > 100 << 20


@pytest.mark.parametrize("leader_dies", [False, True])
def test_what_it_started_ends_with_it_wherever_it_has_gone(start: Start, leader_dies: bool) -> None:
    end = "os._exit(0)" if leader_dies else "time.sleep(600)"
    code = f"""
pids = []
for apart in (False, True):
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    pids.append(subprocess.Popen(command, start_new_session=apart).pid)
print(*pids, flush=True)
{end}
"""
    with start(code, Limits(seconds=1.0)) as child:
        assert child.wait() == (None if leader_dies else "time")
    started = [int(word) for word in child.output.text().split()]
    assert len(started) == 2
    assert all(ended(process) for process in started)


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Child([str(tmp_path / "none")], Limits(), environment={}, folder=tmp_path)


def test_a_launched_program_is_refused_too_much_and_dies_with_its_parent(tmp_path: Path) -> None:
    greedy = launched([sys.executable, "-I", "-c", "x = b'x' * (300 << 20)"], 100 << 20)
    done = subprocess.run(greedy, capture_output=True, text=True, env=bare_environment())
    assert (done.returncode, done.stderr.strip().splitlines()[-1]) == (1, "MemoryError")
    sleeper = launched([sys.executable, "-I", "-c", "import os; os.write(1, b'.'); os.read(0, 1)"], 1 << 30)
    code = f"import os, subprocess; subprocess.Popen({sleeper!r}, stdin=subprocess.PIPE); os.read(0, 1)"
    ours, theirs = os.pipe()
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=theirs) as parent:
        os.close(theirs)
        said = b""
        while not said.endswith(b"."):
            said += os.read(ours, 100)
        parent.kill()
    # The pipe ends when the last process that holds it has ended.
    assert os.read(ours, 1) == b""
    os.close(ours)


def test_python_finds_the_package_and_nothing_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "driftline.py").write_text("raise RuntimeError")
    command = python_command("driftline.processes.launcher", str(1 << 30), "/bin/echo", "here")
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    assert (done.stdout, done.stderr) == ("here\n", "")
