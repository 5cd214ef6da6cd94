"""Finding the handler in a script, and saying how a script broke. Runs in the script's process."""

from __future__ import annotations

import inspect
import logging
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from driftline.scripts.protocol import Failure

PREPROCESS, POSTPROCESS = "preprocess_handler", "postprocess_handler"
_MODULE = "user_script"
_MOST_TRACE = 20_000
_MOST_TEXT = 300


class BrokenError(Exception):
    """A script that has no handler that can be called."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


def load(path: str, name: str) -> Callable[..., Any]:
    """Run a script's file and give its handler, which takes one argument (or none, after a run).

    Raises :class:`BrokenError` when it has no such function, or whatever the file raises.
    """
    module = ModuleType(_MODULE)
    module.__file__ = path
    sys.modules[_MODULE] = module
    # At the end, so that a file beside the script can be imported and none hides a library.
    sys.path.append(str(Path(path).parent))
    exec(compile(Path(path).read_bytes(), path, "exec"), module.__dict__)  # noqa: S102 - what this process is for
    return _called(_function(module, name), name)


def _function(module: ModuleType, name: str) -> Callable[..., Any]:
    found = module.__dict__.get(name)
    if found is None:
        have = [key for key, value in module.__dict__.items() if isinstance(value, FunctionType)]
        raise BrokenError(
            f"there is no function {name} in it; its functions are: {', '.join(have)[:200] or 'none'}",
            f"write def {name}({'inference_record' if name == PREPROCESS else ''}):",
        )
    if not callable(found):
        raise BrokenError(f"{name} is no function, but {type(found).__name__}", f"write def {name}(…):")
    if inspect.iscoroutinefunction(found) or inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found):
        raise BrokenError(f"{name} is a coroutine or a generator", "let it return its result")
    return found  # type: ignore[no-any-return]


def _called(handler: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The handler with its logger, where it takes one."""
    wanted = 1 if name == PREPROCESS else 0
    if not _takes(handler, wanted + 1):
        if _takes(handler, wanted):
            return handler
        raise BrokenError(
            f"{name} takes other arguments: {inspect.signature(handler)}",
            "it is given the record, and a logger if it takes two" if wanted else "it is given nothing",
        )
    logger = _logger()
    return (lambda item: handler(item, logger)) if wanted else (lambda: handler(logger))


def _takes(handler: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(handler).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:
        return count < 2
    return True


def _logger() -> logging.Logger:
    logger = logging.getLogger("driftline.script")
    logger.setLevel(logging.INFO)
    output = logging.StreamHandler()
    output.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(output)
    logger.propagate = False
    return logger


def failure(error: BaseException, path: str, item: int | None, doing: str) -> Failure:
    """How a script broke: the exception with its line, and the traceback from the script's own file on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != path:
        trace = trace.tb_next
    lines = [frame.lineno for frame in traceback.extract_tb(trace) if frame.filename == path]
    shown = "".join(traceback.format_exception(type(error), error, trace))[-_MOST_TRACE:]
    if isinstance(error, SyntaxError) and error.filename == path:
        what = f"line {error.lineno}: {type(error).__name__}: {error.msg}: {(error.text or '').strip()}"
        return Failure(what[:_MOST_TEXT], item, "mend that line", shown)
    if isinstance(error, MemoryError):
        return Failure(f"{doing} needed more memory than its limit", item, "raise the limit", shown, "memory_limit")
    where = f" at line {lines[-1]}" if lines else ""
    if isinstance(error, SystemExit):
        return Failure(f"{doing} called sys.exit({error.code!r:.80}){where}", item, "return instead", shown)
    return Failure(f"{doing} raised {_told(error)}{where}", item, "", shown)


def _told(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:
        text = "an exception that cannot be shown"
    return f"{type(error).__name__}: {text}"[:_MOST_TEXT].encode("utf-8", "replace").decode()
