"""Finding a custom analyzer: an entry point's name, or a class in a file."""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import Any

from driftline.core.errors import InputError
from driftline.core.state import Analyzer
from driftline.pipeline.custom.checking import check_by_itself
from driftline.pipeline.custom.errors import broken

GROUP = "driftline.analyzers"
"""The group of entry points in which packages offer analyzers."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_METHODS = ("identity", "update", "merge", "result")


def load_analyzer(name: str) -> Analyzer[Any]:
    """The analyzer of an entry point (``name``) or of a file (``path/to/file.py:ClassName``), checked without data.

    Either way code is executed in this process: give only names and paths that the operator has written, in a
    configuration or a command, never what came over the network. Raises :class:`InputError` when there is none of this
    name, it cannot be loaded, it is no analyzer, or its states break a law.
    """
    made = _made(_from_file(name) if ".py:" in name else _from_entry_point(name), name)
    lacking = [method for method in _METHODS if not callable(getattr(made, method, None))]
    if lacking:
        raise InputError(
            f"{name} is no analyzer",
            evidence=f"it has no method {', '.join(lacking)}",
            hint="CONTRIBUTING.md shows an analyzer: identity, update, merge, result",
        )
    own = getattr(made, "name", None)
    if not isinstance(own, str) or _NAME.fullmatch(own) is None:
        raise InputError(
            f"{name} has no name that metrics can have",
            evidence=f"its attribute name is {own!r:.80}",
            hint="give it a class attribute: name = 'range' (letters, digits, '-' and '_', beginning with a letter)",
        )
    check_by_itself(made)
    return made  # type: ignore[no-any-return]


def load_analyzers(names: Iterable[str]) -> tuple[Analyzer[Any], ...]:
    """Several; :class:`InputError` too when two have one name, as their metrics would be mixed up."""
    found = tuple(load_analyzer(name) for name in names)
    seen = [analyzer.name for analyzer in found]
    twice = sorted({name for name in seen if seen.count(name) > 1})
    if twice:
        raise InputError(f"two analyzers are called {', '.join(twice)}", hint="give one of them another name")
    return found


def _from_entry_point(name: str) -> Any:
    offered = importlib.metadata.entry_points(group=GROUP)
    found = [entry for entry in offered if entry.name == name]
    if not found:
        raise InputError(
            f"no installed package offers an analyzer {name!r:.80}",
            evidence=f"offered are: {', '.join(sorted(entry.name for entry in offered))[:300] or 'none'}",
            hint=f"install the package (entry points of the group {GROUP}), or give a file: path/to/file.py:ClassName",
        )
    if len({entry.value for entry in found}) > 1:
        raise InputError(
            f"several packages offer an analyzer {name}",
            evidence=", ".join(sorted(entry.value for entry in found))[:300],
            hint="uninstall all but one",
        )
    try:
        return found[0].load()
    except (Exception, SystemExit) as error:
        raise broken(f"the analyzer {name} cannot be loaded", error) from None


class _AsItStands(importlib.machinery.SourceFileLoader):
    """Compiles a file each time. Python's cache knows a file by its size and the second it was changed, so a change of
    one digit would go unseen; and nothing is written into the folder of somebody's scripts."""

    def get_code(self, fullname: str) -> CodeType:
        """The code of the file as it is now."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _from_file(name: str) -> Any:
    file, _, wanted = name.rpartition(":")
    path = Path(file).absolute()
    if not path.is_file():
        raise InputError(f"no file {file}", hint="an analyzer of a file is named path/to/file.py:ClassName")
    # Named by its path, so that two files of one name do not meet; registered, because dataclasses look there.
    module_name = f"driftline_custom_{path.stem}_{sha256(str(path).encode()).hexdigest()[:12]}"
    if path.suffix != ".py":
        raise InputError(f"{file} is no file of Python", hint="its name must end in .py")
    loader = _AsItStands(module_name, str(path))
    specification = importlib.machinery.ModuleSpec(module_name, loader, origin=str(path))
    specification.has_location = True
    module = importlib.util.module_from_spec(specification)
    sys.modules[module_name] = module
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise broken(f"{file} cannot be loaded", error) from None
    if not hasattr(module, wanted):
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise InputError(
            f"{file} has no {wanted!r:.80}", evidence=f"its classes are: {', '.join(classes)[:300] or 'none'}"
        )
    return getattr(module, wanted)


def _made(found: Any, name: str) -> Any:
    """An object of a class; what is none is taken as it is."""
    if not isinstance(found, type):
        return found
    try:
        return found()
    except (Exception, SystemExit) as error:
        raise broken(f"{name} cannot be made without arguments", error) from None
