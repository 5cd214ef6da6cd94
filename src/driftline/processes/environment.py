"""What a process of other people's code is started with: a bare environment, and Python by itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

HARMLESS = ("PATH", "LANG", "LC_ALL", "TZ")
_ROOT = Path(__file__).parents[2]
# The package is found where this process found it, and its folder does not stay in the path of the code that is run.
_BOOT = """
import importlib, sys
root, module = sys.argv[1:3]
sys.path.insert(0, root)
main = importlib.import_module(module).main
sys.path.remove(root)
main(sys.argv[3:])
"""


def bare_environment(names: Iterable[str] = ()) -> dict[str, str]:
    """The harmless variables of this process and those that are named; nothing else of the service's."""
    seen = {name: os.environ[name] for name in (*HARMLESS, *names) if name in os.environ}
    return {"PATH": os.defpath} | seen


def python_command(module: str, *arguments: str) -> list[str]:
    """The command that runs ``main(arguments)`` of a module of this package in a Python of its own, which reads neither
    the environment nor the folder it works in."""
    return [sys.executable, "-I", "-X", "utf8", "-c", _BOOT, str(_ROOT), module, *arguments]
