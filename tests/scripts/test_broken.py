"""Scripts that break, in every way that there is: each ends in an error that says which record it was, and soon."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from driftline.core.errors import InputError
from driftline.core.records import encode_line
from driftline.scripts.errors import ScriptError
from driftline.scripts.host import ScriptLimits
from driftline.scripts.preprocess import Preprocessor
from driftline.testing import capture

Script = Callable[[str], Path]
SMALL = ScriptLimits(seconds=20, memory=200 << 20, result=1 << 20)


def record(number: int, data: str = "1,2.5,x") -> bytes:
    """One captured event as a line."""
    return encode_line(capture("0.75", f"event-{number}", request=data))


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


def broken(path: Path, limits: ScriptLimits = SMALL, records: int = 3) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        list(Preprocessor(path, limits).batches(record(number) for number in range(records)))
    return caught.value


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def preprocess_handler(record)\n    return {}", "pre.py: line 1: SyntaxError: expected ':': def preprocess"),
        ("x = '\\x00", "SyntaxError"),
        ("def handler(record):\n    return {}", "no function preprocess_handler in it; its functions are: handler"),
        ("", "its functions are: none"),
        ("preprocess_handler = 3", "preprocess_handler is no function, but int"),
        ("def preprocess_handler():\n    return {}", r"takes other arguments: \(\)"),
        ("def preprocess_handler(a, b, c):\n    return {}", r"takes other arguments: \(a, b, c\)"),
        ("async def preprocess_handler(a):\n    return {}", "is a coroutine or a generator"),
        ("def preprocess_handler(a):\n    yield {}", "is a coroutine or a generator"),
        ("import nothing_of_this_name", "loading it raised ModuleNotFoundError: .* at line 1"),
        ("import sys\nsys.exit(0)", r"loading it called sys.exit\(0\) at line 2"),
        ("import os\nos._exit(0)", "its process ended with exit code 0 while it was loaded"),
    ],
)
def test_a_script_that_cannot_be_used(script: Script, code: str, expected: str) -> None:
    with pytest.raises(ScriptError, match=expected) as caught:
        list(Preprocessor(script(code), SMALL).batches([record(1)]))
    assert caught.value.hint
    with pytest.raises(ScriptError):
        list(Preprocessor(script(code), SMALL).batches([]))


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("None", "returned None instead of a dict or a list of dicts"),
        ("'a,b'", "returned a str instead"),
        ("({},)", "returned a tuple instead"),
        ("[{}, 3]", "returned a list whose item 1 is an int instead of a dict"),
        ("{'a': [1]}", "gave a list for 'a'"),
        ("{'a': {'b': 1}}", "gave a dict for 'a'"),
        ("{'a': b'x'}", "gave a bytes for 'a'"),
        ("{1: 1}", "gave the key 1, which is an int"),
        ("{'\\ud800': 1}", "gave the key"),
        ("{'a': 'x\\udcff'}", "gave half a character in 'a'"),
        ("{'a': 10**400}", "gave a number beyond"),
        ("{str(n): 1 for n in range(20_000)}", "gave more than 10000 different keys"),
        ("{'a': 'x' * (2 << 20)}", "gave more than 1 MiB of results"),
        ("[{'a': 1}] * 100_000", "gave more than 1 MiB of results"),
    ],
)
def test_a_handler_that_gives_something_else(handler: Script, result: str, expected: str) -> None:
    error = broken(handler(f"return {result}"))
    assert expected in str(error)
    assert "record 1, event event-0" in error.evidence
    assert error.hint


@pytest.mark.parametrize(
    ("body", "expected", "code"),
    [
        ("raise ValueError('no such thing')", "raised ValueError: no such thing at line 5", "script"),
        ("sys.exit('bye')", "called sys.exit('bye') at line 5", "script"),
        ("raise KeyboardInterrupt", "raised KeyboardInterrupt", "script"),
        ("return inference_record.nothing", "has no attribute 'nothing' at line 5", "script"),
        ("def again(): return again()\n    again()", "raised RecursionError", "script"),
        ("class Odd(Exception):\n        def __str__(self): raise TypeError\n    raise Odd", "raised Odd", "script"),
        ("os._exit(3)", "its process ended with exit code 3 while it worked on a record", "script"),
        ("os.kill(os.getpid(), 9)", "its process ended with SIGKILL", "script"),
        ("os.abort()", "its process ended with SIGABRT", "script"),
        ("os.fork()", "os.fork: a script cannot fork", "script"),
        ("x = b'x' * (3 << 30)", "needed more than 200 MiB of memory", "memory_limit"),
        (
            "held = []\n    while True: held.append(bytes(os.urandom(1) * (1 << 20)))",
            "needed more than",
            "memory_limit",
        ),
        ("os.execv('/bin/true', ['true'])", "its process ended with exit code 0", "script"),
    ],
)
def test_a_handler_that_breaks(handler: Script, body: str, expected: str, code: str) -> None:
    error = broken(handler(f"if inference_record.event_metadata.event_id == 'event-1':\n    {body}\nreturn {{'a': 1}}"))
    assert expected in str(error)
    assert code in ("", error.code)
    assert "record 2, event event-1: {" in error.evidence


def test_a_handler_that_writes_to_descriptors_it_did_not_open(handler: Script) -> None:
    path = handler("""
        for number in range(3, 100):
            try:
                os.write(number, b"x" * 100)
            except OSError:
                pass
        return {}
    """)
    assert "it wrote into the channel of its answers" in str(broken(path))


def test_the_traceback_begins_in_the_script(handler: Script) -> None:
    error = broken(handler("print('before'); raise ValueError('x')"))
    assert error.trace.startswith("Traceback (most recent call last):\n  File ")
    assert "inside.py" not in error.trace
    assert "raise ValueError('x')" in error.trace
    assert error.report.log == "before\n"
    assert error.as_dict()["log"] == "before\n"


def test_a_handler_that_hangs_is_stopped_with_what_it_started(handler: Script, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    path = handler(f"""
        import subprocess
        # In a session of its own, so that the group does not reach it.
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        open({str(pid)!r}, "w").write(str(child.pid))
        print("started", flush=True)
        time.sleep(600)
    """)
    began = time.monotonic()
    error = broken(path, ScriptLimits(seconds=1.0))
    assert (error.code, error.report.log) == ("time_limit", "started\n")
    assert "stopped after 1 s while it worked on a record" in str(error)
    assert "event event-0" in error.evidence
    assert time.monotonic() - began < 8
    assert ended(int(pid.read_text()))


def test_a_script_that_hangs_while_it_is_loaded(script: Script) -> None:
    error = broken(script("while True: pass"), ScriptLimits(seconds=0.5))
    assert "stopped after 0.5 s while it was loaded" in str(error)


def test_memory_of_what_it_starts_counts_too(handler: Script) -> None:
    path = handler("""
        import subprocess
        subprocess.run([sys.executable, "-c", "import time; x = b'x' * (350 << 20); time.sleep(60)"])
        return {}
    """)
    assert broken(path).code == "memory_limit"


def test_time_is_that_of_the_script_and_not_of_whoever_sends_records(handler: Script) -> None:
    def slow() -> object:
        for number in range(3):
            began = time.monotonic()
            while time.monotonic() - began < 0.3:
                pass
            yield record(number)

    found = Preprocessor(handler("return {'a': 1}"), ScriptLimits(seconds=0.8)).batches(slow())  # type: ignore[arg-type]
    assert sum(batch.num_rows for batch in found) == 3


def test_a_long_record_is_shown_shortened(handler: Script) -> None:
    with pytest.raises(ScriptError) as caught:
        list(Preprocessor(handler("raise ValueError")).batches([record(1, "9," * 3_000_000)]))
    assert len(caught.value.evidence) < 500
    assert caught.value.evidence.endswith(" bytes)")


def test_a_script_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.py", tmp_path):
        with pytest.raises(InputError, match="no script"):
            list(Preprocessor(path).batches([]))


def test_a_source_of_records_that_breaks_leaves_no_process(handler: Script, tmp_path: Path) -> None:
    def records() -> object:
        yield from (record(number) for number in range(1500))
        raise OSError("the disk is gone")

    pid = tmp_path / "pid"
    path = handler(f"os.path.exists({str(pid)!r}) or open({str(pid)!r}, 'w').write(str(os.getpid()))\nreturn []")
    with pytest.raises(OSError, match="the disk is gone"):
        list(Preprocessor(path).batches(records()))  # type: ignore[arg-type]
    assert ended(int(pid.read_text()))
