"""The files beside a run's report: their names, the end of its log, and the one that somebody wants to have."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from driftline.core.errors import NotFoundError, ServiceError
from driftline.core.plain_text import plain
from driftline.jobs.executions import LOG
from driftline.resources.executions import Execution
from driftline.service import Service

MOST_LINES, MOST_BYTES, MOST_FILES = 200, 64 << 10, 200


class ReportFile(msgspec.Struct, frozen=True):
    """A plain file in a run's report folder; ``size`` in bytes."""

    name: str
    size: int


class Log(msgspec.Struct, frozen=True):
    """The last lines of what a run printed; ``cut`` where there are more before them."""

    text: str = ""
    cut: bool = False


def report_files(service: Service, run: Execution) -> list[ReportFile]:
    """The plain files of a run's report folder by name; links and folders are none. Empty where there is no folder, and
    while it is on another node and the store cannot be reached."""
    try:
        folder = _folder(service, run)
    except ServiceError:
        # What is to be seen of it is told where the log is shown.
        return []
    if folder is None:
        return []
    try:
        with os.scandir(folder) as entries:
            found = [
                ReportFile(entry.name, entry.stat(follow_symlinks=False).st_size)
                for entry in entries
                if entry.is_file(follow_symlinks=False) and plain(entry.name) == entry.name
            ]
    except OSError:
        return []
    return sorted(found, key=lambda file: file.name)[:MOST_FILES]


def report_file(service: Service, run: Execution, name: str) -> Path:
    """Where a file of a run's report is. Only what :func:`report_files` lists can be had.

    Raises :class:`NotFoundError` for any other name, :class:`ServiceError` where the store cannot be reached.
    """
    folder = _folder(service, run)
    if folder is None or name not in {file.name for file in report_files(service, run)}:
        hint = "take one of the files that the page of the run lists"
        raise NotFoundError(f"the run has no file {name[:80]!r}", hint=hint)
    return folder / name


def run_log(service: Service, run: Execution) -> Log:
    """The last 200 lines, of at most 64 KiB, of what a run's process printed; empty where it printed nothing. In their
    place it is told that the files of the run cannot be had, where they cannot."""
    try:
        folder = _folder(service, run)
    except ServiceError as error:
        return Log(plain(f"The files of this run are in the store, and not here.\n{error}"))
    if folder is None:
        return Log()
    try:
        # A link in the place of the log is not followed: the folder may be written by scripts of others.
        handle = os.open(folder / LOG, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return Log()
    with open(handle, "rb") as file:  # noqa: PTH123 - a descriptor has no path
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - MOST_BYTES))
        lines = plain(file.read(MOST_BYTES).decode("utf-8", "replace")).splitlines()
    return Log("\n".join(lines[-MOST_LINES:]), len(lines) > MOST_LINES or size > MOST_BYTES)


def _folder(service: Service, run: Execution) -> Path | None:
    """The report folder; None where it does not exist or does not lie in the folder of reports. Raises
    :class:`ServiceError` where the store cannot be reached."""
    reports = (service.layout.data / "reports").resolve()
    folder = (service.layout.data / run.report).resolve()
    if folder.is_relative_to(reports) and folder != reports:
        folder = service.report_folder(run).resolve()
    return folder if folder.is_relative_to(reports) and folder != reports and folder.is_dir() else None
