"""Scripts after a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from driftline.core.errors import InputError
from driftline.scripts.errors import ScriptError
from driftline.scripts.host import ScriptLimits
from driftline.scripts.postprocess import run_postprocessor

Script = Callable[[str], Path]


def test_it_is_called_once_and_finds_the_files_of_the_run(script: Script, tmp_path: Path) -> None:
    (tmp_path / "statistics.json").write_text('{"version": 0.0}')
    path = script("""
        import atexit, json, os
        atexit.register(print, "left")

        def postprocess_handler():
            with open(os.path.join(os.environ["output_path"], "statistics.json")) as file:
                print("version", json.load(file)["version"])
            return object()
    """)
    report = run_postprocessor(path, {"output_path": str(tmp_path)})
    assert report.log == "version 0.0\nleft\n"
    assert report.seconds > 0


def test_it_may_take_a_logger(script: Script) -> None:
    path = script("def postprocess_handler(logger):\n    logger.info('done')\n")
    assert run_postprocessor(path, {}).log == "INFO done\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def postprocess_handler():\n    raise OSError('no disk')", "postprocess_handler raised OSError: no disk"),
        ("def preprocess_handler(a):\n    return {}", "no function postprocess_handler"),
        ("def postprocess_handler(a, b):\n    pass", "takes other arguments"),
        ("import time\ndef postprocess_handler():\n    time.sleep(60)", "stopped after 2 s while it worked"),
        ("import os\ndef postprocess_handler():\n    os._exit(0)", "its process ended with exit code 0"),
    ],
)
def test_one_that_breaks_says_how(script: Script, code: str, expected: str) -> None:
    with pytest.raises(ScriptError, match=expected) as caught:
        run_postprocessor(script(code), {}, ScriptLimits(seconds=2))
    assert caught.value.hint


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no script"):
        run_postprocessor(tmp_path / "none.py", {})
