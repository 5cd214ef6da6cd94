"""A contest: contestants in environments of their own take turns, and what each costs and says is kept."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import measure
import peers

HERE = Path(__file__).parent
SLOW = 8.0
TOLERANCE = 1e-6
MEGABYTE = 1e6
CHANGED = "another verdict from run to run"


@dataclass
class Subject:
    """One contestant of a group: how it is run, and what was found."""

    name: str
    version: str = ""
    command: list[str] = field(default_factory=list)
    verify: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    codes: tuple[int, ...] = (0,)
    wall: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failed: str = ""

    def learn(self, result: dict[str, Any]) -> None:
        """Keep the result of a run; that a later one tells other drifted columns than the one before is noted."""
        if "seconds" in result:
            self.inside.append(result.pop("seconds"))
        changed = bool(self.metrics) and self.metrics.get("drifted") != result.get("drifted")
        if changed and CHANGED not in self.notes:
            self.notes.append(CHANGED)
        self.metrics = result


class Bench:
    """The settings of a run, the environments it has made, and its findings by group."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.work = options.work.resolve()
        self.data = self.work / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self.runs: int = options.runs
        self.env = {**os.environ, **peers.QUIET, "PYTHONDONTWRITEBYTECODE": ""}
        self.found: dict[str, list[Subject]] = {}
        self.load = os.getloadavg()[0]
        self._missing: dict[str, str] = {}
        self._installed: set[str] = set()

    def wanted(self, name: str) -> bool:
        """Whether a contestant was asked for; driftline always takes part."""
        return not self.options.tools or name.startswith("driftline") or name in self.options.tools

    def driftline(self, extra: str) -> str:
        """The environment with driftline in it, freshly installed in this run; its name."""
        name = f"driftline-{extra}" if extra else "driftline-base"
        source = str(self.options.source.resolve())
        self.install(name, [f"{source}[{extra}]" if extra else source], again=not self.options.keep)
        return name

    def install(self, name: str, requirements: list[str], *, again: bool = False) -> str:
        """Make an environment once; why it cannot be had, or nothing."""
        if name not in self._installed and name not in self._missing:
            say(f"environment of {name}")
            try:
                peers.install(self.work, name, requirements, again=again)
                self._installed.add(name)
            except peers.NotInstalledError as error:
                self._missing[name] = str(error)
        return self._missing.get(name, "")

    def peer(self, name: str, script: str, *arguments: str, called: str = "") -> Subject:
        """A contestant that is one of the scripts in this folder, called as its environment unless told otherwise."""
        called = called or name
        if not self.wanted(called):
            return Subject(called)
        missing = self.install(name, peers.requirements(name))
        if missing:
            return Subject(called, failed=f"not installed: {missing}")
        command = [str(peers.python(self.work, name)), str(HERE / script), *arguments]
        return Subject(called, peers.version(self.work, name, name), command)

    def rounds(self, group: str, subjects: list[Subject], limit: float, runs: int | None = None) -> None:
        """Every contestant once, in turn, as often as asked; a slow one less often, which is said."""
        self.found[group] = subjects = [subject for subject in subjects if self.wanted(subject.name)]
        for number in range(runs or self.runs):
            for subject in subjects:
                if subject.failed or self._enough(subject, number):
                    continue
                say(f"{group} run {number + 1}: {subject.name}")
                report = self.work / "report.json"
                self._keep(subject, measure.run(subject.command, report, self.env, limit))

    def _enough(self, subject: Subject, number: int) -> bool:
        if subject.name in ("driftline", "floor") or not subject.wall:
            return False
        return number >= self.options.slow_runs and max(subject.wall) > SLOW

    def _keep(self, subject: Subject, found: dict[str, Any]) -> None:
        if "error" not in found and found["code"] not in subject.codes:
            found["error"] = f"exit code {found['code']}: {measure.last_line(found['stderr'])}"
        if "error" in found:
            subject.failed = found["error"]
            return
        subject.wall.append(found["wall"])
        subject.cpu.append(found["cpu"])
        subject.memory.append(found["memory"] / MEGABYTE)
        if subject.verify is None:
            return
        try:
            subject.learn(subject.verify(found))
        except (ValueError, KeyError, OSError) as error:
            subject.failed = f"its result could not be read: {error}"


def said(found: dict[str, Any]) -> dict[str, Any]:
    """The result that a script wrote as its last line."""
    document: dict[str, Any] = json.loads(measure.last_line(found["output"]))
    return document


def compare(subjects: list[Subject]) -> None:
    """Note where a contestant's metrics are not those of the floor."""
    wanted = next((subject.metrics for subject in subjects if subject.name == "floor"), {})
    for subject in subjects:
        off = [name for name in wanted if not measure.agrees(subject.metrics.get(name), wanted[name], TOLERANCE)]
        if off:
            subject.notes.append("other values than the floor: " + ", ".join(off))


def say(message: str) -> None:
    """Progress, apart from the result."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()
