"""What went wrong on Spark as an error of driftline's: the line that tells, not the trace around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from driftline.core import errors
from driftline.core.errors import DriftlineError, ServiceError, SetupError

_RAISED = re.compile(r"^(?!org\.|java)[\w.]*(Error|Exception|Interrupt|Exit)\w*(: .*)?$", re.MULTILINE)
_LOST = re.compile(r"most recent failure: .*?\): (?:[\w.$]+: )?(.*)")
_LOG = "the log of the executor says more"


@contextmanager
def told() -> Iterator[None]:
    """Whatever Spark raises inside becomes a :class:`SetupError` or a :class:`ServiceError`."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, ConnectionError) as error:
        raise failure(str(error) or type(error).__name__) from None


def failure(text: str) -> DriftlineError:
    """The error that a message of Spark's tells of.

    >>> print(failure("An exception was thrown from the Python worker:\\nTraceback …\\nValueError: no date"))
    a task on Spark failed
      seen: ValueError: no date
      to do: the log of the executor says more
    """
    raised = [found[0][:300] for found in _RAISED.finditer(text)] if "Traceback" in text else []
    absent = next((line for line in raised if line.startswith("ModuleNotFoundError")), None)
    if absent is not None:
        hint = "install driftline[spark] there, in the Python that PYSPARK_PYTHON names"
        return SetupError("a library is missing on the executors of Spark", evidence=absent, hint=hint)
    if raised:
        return ServiceError("a task on Spark failed", evidence=raised[-1], hint=_LOG)
    lost = _LOST.search(text)
    if lost is None:
        return ServiceError("Spark failed", evidence=_first(text)[:300], hint="the log of Spark says more")
    hint = f"{_LOG}; where memory ran out, use more and smaller partitions, or raise spark.executor.memoryOverhead"
    return ServiceError("a task on Spark was lost", evidence=lost[1][:300], hint=hint)


def _first(text: str) -> str:
    """The first line that says something: Java's bridge begins with the name of its own call."""
    lines = [line.lstrip(": ") for line in text.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("An error occurred while calling")), "no message")


def as_text(error: DriftlineError) -> str:
    """An error of ours as it travels: as a result, because Spark tries a task that fails again, which cannot help. Of
    one from above this floor the nearest kind that every floor knows."""
    kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
    return msgspec.json.encode([kind, error.what, error.evidence, error.hint]).decode()


def of_text(text: str) -> DriftlineError:
    """The error that :func:`as_text` made a text of.

    >>> print(of_text(as_text(SetupError("no Java", hint="install it"))))
    no Java
      to do: install it
    """
    kind, what, evidence, hint = msgspec.json.decode(text)
    found: DriftlineError = getattr(errors, kind)(what, evidence=evidence, hint=hint)
    return found
