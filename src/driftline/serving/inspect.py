"""Looking at a model file in a process of its own, so that a hostile or broken one cannot take the server down."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from driftline.core.errors import DriftlineError, InputError, ModelError, SetupError, TooLargeError
from driftline.serving.libraries import serve_only
from driftline.serving.runtime import load_model

_KINDS = {kind.code: kind for kind in (ModelError, SetupError, TooLargeError, InputError)}
_HINT = "save the model again with its library (XGBoost: booster.save_model('model.json')) and deploy that file"


def inspect_model(path: Path, *, timeout: float = 60.0, memory: int = 4 << 30) -> dict[str, Any]:
    """What the model in a file is (:meth:`Model.describe`), found by loading it and predicting in a child process.

    ``timeout`` is in seconds, ``memory`` in bytes of the child's address space. Raises :class:`ModelError` when the
    file is no usable model, kills the child, takes too long or too much memory; :class:`SetupError` when a library
    is missing.
    """
    command = [sys.executable, "-P", "-m", "driftline.serving.inspect", str(path), str(memory)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        child = subprocess.run(command, capture_output=True, timeout=timeout, env=environment, check=False)
    except subprocess.TimeoutExpired:
        raise ModelError(f"{path} could not be loaded within {timeout:g} s", hint=_HINT) from None
    answer = _answer(child.stdout)
    if child.returncode == 0 and "model" in answer:
        described: dict[str, Any] = answer["model"]
        return described
    if child.returncode == 2 and "error" in answer:
        error = answer["error"]
        kind = _KINDS.get(error["code"], ModelError)
        raise kind(error["message"], evidence=error["evidence"], hint=error["hint"])
    raise ModelError(f"loading {path} crashed its library", evidence=_ending(child), hint=_HINT)


def _answer(output: bytes) -> dict[str, Any]:
    """The last line of the child's output; libraries may print before it."""
    try:
        answer = json.loads(output.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _ending(child: subprocess.CompletedProcess[bytes]) -> str:
    last = child.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
    if child.returncode < 0:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(-child.returncode).name} {last[0]}"[:300]
    return f"exit code {child.returncode} {last[0]}"[:300]


def main(arguments: list[str]) -> int:
    """Loads the file, predicts one row of zeros and one of missing values, and prints the result as a line of JSON."""
    serve_only()
    if len(arguments) > 1:
        resource.setrlimit(resource.RLIMIT_AS, (int(arguments[1]), int(arguments[1])))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        model = load_model(Path(arguments[0]))
        for value in (0.0, np.nan):
            # Many models take no missing values; what must not happen is that they end the process.
            try:
                model.predict(np.full((1, model.n_features), value, dtype=np.float32))
            except ModelError:
                if not np.isnan(value):
                    raise
        report, code = {"model": model.describe()}, 0
    except DriftlineError as error:
        report, code = {"error": error.as_dict()}, 2
    sys.stdout.write(json.dumps(report) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
