"""Running an external program in the place of an analysis, and judging by what it left."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from driftline.core.documents import Violation
from driftline.core.errors import InputError, SetupError
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.pipeline.external.contract import Contract, variables
from driftline.pipeline.external.left import METRICS, read_document, read_message, read_metrics, read_violations
from driftline.processes.child import Beyond, Child, Limits
from driftline.processes.environment import bare_environment
from driftline.processes.launcher import NOT_STARTED, launched
from driftline.processes.memory import size
from driftline.resources.metrics import Point, Series

NAMESPACE = "aws/sagemaker/Endpoints/data-metrics"
_TAIL = 1000


class ExternalResult(msgspec.Struct, frozen=True):
    """What a program found. ``violations`` None means that it did not check anything; ``log`` is what it printed."""

    judgement: Judgement
    violations: tuple[Violation, ...] | None
    statistics: dict[str, Any] | None
    constraints: dict[str, Any] | None
    metrics: tuple[tuple[Series, Point], ...]
    message: str
    log: str
    seconds: float
    peak_memory: int


class ProgramError(InputError):
    """A program that could not be started, failed, went beyond a limit, or left files that cannot be used; ``log`` is
    what it printed.

    ``code`` is program, time_limit, memory_limit or output.
    """

    def __init__(self, what: str, *, evidence: str = "", hint: str = "", code: str = "program", log: str = "") -> None:
        super().__init__(what, evidence=evidence, hint=hint)
        self.code = code
        self.log = log

    def as_dict(self) -> dict[str, str]:
        """As every error, with the log."""
        return super().as_dict() | {"log": self.log}


def run_external(
    command: Sequence[str],
    contract: Contract,
    limits: Limits | None = None,
    *,
    environment: Iterable[str] = (),
    namespace: str = NAMESPACE,
) -> ExternalResult:
    """Run a program (no shell) with the contract's variables, and read what it left in ``output_path``.

    It works in that folder, which is made and must hold none of the files that are read afterwards. It sees PATH, LANG,
    LC_ALL, TZ, and the variables named by ``environment``. Exit code 0 is success. Raises :class:`ProgramError` for a
    failure, with the program's own ``message`` if it left one, and for files that cannot be used.
    """
    if not command:
        raise InputError("there is no program to run", hint="give a command of at least one word")
    folder, limits = _prepared(contract), limits or Limits()
    told = bare_environment(environment) | variables(contract)
    try:
        # The kernel refuses twice the limit; in between the watch sees what is really used.
        child = Child(launched(command, 2 * limits.memory), limits, environment=told, folder=folder)
    except (OSError, ValueError) as error:
        raise SetupError(f"{command[0]!r:.200} could not be started", evidence=str(error)) from None
    with child:
        beyond = child.wait()
        seconds = child.seconds
        code = child.end()
    try:
        _check(command, child, beyond, code, read_message(folder))
        return _result(folder, namespace, child, seconds)
    except ProgramError:
        raise
    except InputError as error:
        log = child.output.log()
        raise ProgramError(error.what, evidence=error.evidence, hint=error.hint, code="output", log=log) from None


def _prepared(contract: Contract) -> Path:
    folder = Path(contract.output_path).absolute()
    try:
        (folder / METRICS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"{folder} cannot be made", evidence=str(error.strerror), hint="check the path") from None
    names = ("constraint_violations.json", "statistics.json", "constraints.json", "message")
    old = [name for name in names if (folder / name).exists()] + [str(path) for path in (folder / METRICS).iterdir()]
    if old:
        hint = "give each run a folder of its own, so that nothing of an earlier one is taken for its result"
        raise InputError(f"{folder} holds results already", evidence=", ".join(old)[:300], hint=hint)
    return folder


def _check(command: Sequence[str], child: Child, beyond: Beyond | None, code: int, message: str) -> None:
    log, name = child.output.log(), Path(command[0]).name
    tail = log[-_TAIL:].strip()
    if beyond == "time":
        what, kind = f"{name} was stopped after {child.limits.seconds:g} s", "time_limit"
        raise ProgramError(what, evidence=tail, hint="give it more time, or less to do", code=kind, log=log)
    if beyond == "memory":
        what, kind = f"{name} needed more than {size(child.limits.memory)} of memory", "memory_limit"
        raise ProgramError(what, evidence=tail, hint="give it more memory, or less to do", code=kind, log=log)
    if code == NOT_STARTED and "could not be started" in log:
        raise ProgramError(f"{name} could not be started", evidence=tail, hint="check its path", log=log)
    if code:
        how = f"exit code {code}" if code > 0 else signal.Signals(-code).name
        what = f"{name} failed with {how}{f': {message}' if message else ''}"
        raise ProgramError(what, evidence=tail, hint="look at its log", log=log)


def _result(folder: Path, namespace: str, child: Child, seconds: float) -> ExternalResult:
    violations = read_violations(folder)
    return ExternalResult(
        judgement=_judgement(violations),
        violations=violations,
        statistics=read_document(folder / "statistics.json"),
        constraints=read_document(folder / "constraints.json"),
        metrics=read_metrics(folder, namespace),
        message=read_message(folder),
        log=child.output.log(),
        seconds=seconds,
        peak_memory=child.peak,
    )


def _judgement(violations: tuple[Violation, ...] | None) -> Judgement:
    if violations is None:
        message = "the program left no constraint_violations.json: it checked nothing"
        return Judgement(Verdict.UNKNOWN, (Reason("no_constraints", message),))
    return Judgement(Verdict.VIOLATED if violations else Verdict.OK)
