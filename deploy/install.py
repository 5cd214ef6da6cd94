"""Installs a wheel of driftline with the locked versions of what it needs, and nothing else of the lock.

    VENV/bin/python deploy/install.py WHEEL requirements.lock [EXTRA,EXTRA…]

pip says which packages the wheel with these extras needs; those are then installed with the hashes of the lock.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_PINNED = re.compile(r"([A-Za-z0-9._-]+)==")


def blocks(lock: str) -> dict[str, list[str]]:
    """What a lock says of every package, by its name: a version with its hashes, or one for each kind of machine.

    >>> found = blocks("a_b==1 ; x\\n    --hash=sha256:00\\na-b==2 ; y\\nc==2\\n")
    >>> [(name, len(parts)) for name, parts in found.items()]
    [('a-b', 2), ('c', 1)]
    """
    found: dict[str, list[str]] = {}
    for part in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE):
        if pinned := _PINNED.match(part):
            found.setdefault(_name(pinned[1]), []).append(part)
    return found


def versions(lock: str) -> str:
    """The lock without its hashes, as constraints."""
    return "\n".join(part.partition(" \\")[0] for parts in blocks(lock).values() for part in parts)


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], check=True)


def install(wheel: Path, lock: str, extras: str) -> None:
    """Install a wheel into the environment that runs this."""
    with tempfile.TemporaryDirectory() as name:
        constraints, report, wanted = (Path(name, file) for file in ("constraints", "report", "wanted"))
        constraints.write_text(versions(lock))
        asked = f"driftline{f'[{extras}]' if extras else ''} @ {wheel.absolute().as_uri()}"
        _pip("install", "--quiet", "--dry-run", "--report", str(report), "-c", str(constraints), asked)
        found = [_name(one["metadata"]["name"]) for one in json.loads(report.read_text())["install"]]
        known = blocks(lock)
        absent = sorted({*found} - {*known, "driftline"})
        if absent:
            sys.exit(f"requirements.lock has no {', '.join(absent)}: install what needs them beside it")
        wanted.write_text("".join(part for one in sorted({*found} - {"driftline"}) for part in known[one]))
        _pip("install", "--quiet", "--require-hashes", "--no-deps", "-r", str(wanted))
    _pip("install", "--quiet", "--no-deps", str(wheel))


if __name__ == "__main__":
    install(Path(sys.argv[1]), Path(sys.argv[2]).read_text(), sys.argv[3] if len(sys.argv) > 3 else "")
