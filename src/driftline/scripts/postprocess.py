"""``post_analytics_processor_script``: a user's function after a successful run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from driftline.scripts.errors import ScriptError, ScriptReport
from driftline.scripts.handler import POSTPROCESS
from driftline.scripts.host import Broken, ScriptLimits, ScriptProcess
from driftline.scripts.protocol import Failure, Task


def run_postprocessor(
    path: str | Path, variables: Mapping[str, str], limits: ScriptLimits | None = None
) -> ScriptReport:
    """Call ``postprocess_handler()`` of a script in a process of its own; what it returns is passed over.

    ``variables`` are in its environment: those of :func:`driftline.pipeline.external.variables`, which name the run and
    the files it left. Raises :class:`ScriptError` when it breaks, :class:`InputError` when there is no such file.
    """
    began, failure = time.monotonic(), None
    process = ScriptProcess(Path(path), POSTPROCESS, limits or ScriptLimits(), variables)
    with process:
        try:
            process.ask(Task(None))
            process.finish()
        except Broken as error:
            failure = error.failure
    report = ScriptReport(log=process.log(), seconds=time.monotonic() - began, peak_memory=process.peak)
    if failure is not None:
        raise _error(Path(path), failure, report)
    return report


def _error(path: Path, failure: Failure, report: ScriptReport) -> ScriptError:
    return ScriptError(
        f"{path.name}: {failure.what}",
        hint=failure.hint or "the results of the run are kept; mend the script",
        code=failure.code,
        trace=failure.trace,
        report=report,
    )
