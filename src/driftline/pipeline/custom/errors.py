"""Errors of other people's code, told with its last lines."""

from __future__ import annotations

import traceback

from driftline.core.errors import InputError

_LINES = 4


def broken(what: str, error: BaseException) -> InputError:
    """The error of an exception: the place where it was raised, and its text."""
    lines = "".join(traceback.format_exception(error)).strip().splitlines()
    return InputError(what, evidence="\n".join(lines[-_LINES:])[-600:], hint="mend it there")
