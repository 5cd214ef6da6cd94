"""The folders of a scheduled program's run: what it is given, and where it leaves what it found."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from driftline.core.errors import SetupError
from driftline.engine.compacted.lines import write_originals
from driftline.engine.files import list_files
from driftline.engine.sources import Sources
from driftline.pipeline.export import export_merged
from driftline.pipeline.programs import INPUT, remove_input
from driftline.pipeline.run import ProgramRun

OUTPUT = "output"
LOG = "program.log"
_CHUNK = 1 << 20


class Folders(msgspec.Struct, frozen=True):
    """Paths in the folder of one run; ``given`` is there only while it runs."""

    report: Path

    @property
    def given(self) -> Path:
        """What the program is given."""
        return self.report / INPUT

    @property
    def data(self) -> Path:
        """The window's records."""
        return self.given / "data"

    @property
    def output(self) -> Path:
        """What the program leaves."""
        return self.report / OUTPUT

    def document(self, name: str, content: bytes | None) -> str | None:
        """Write one of the baseline's files; its path, None where there is nothing to write."""
        if content is None:
            return None
        path = self.given / "baseline" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)


@contextmanager
def folders(report: str | None) -> Iterator[Folders]:
    """The folders in that of a report, or in one that is removed afterwards. What an attempt before this one left, one
    that was killed, is removed first. Raises :class:`SetupError` where a file cannot be read or written."""
    with TemporaryDirectory(prefix="driftline-program-") as elsewhere:
        made = Folders(Path(elsewhere if report is None else report))
        try:
            for old in (made.given, made.output):
                if old.exists():
                    shutil.rmtree(old)
            (made.report / LOG).unlink(missing_ok=True)
            made.data.mkdir(parents=True)
            yield made
        except OSError as error:
            what = f"the program's folders in {made.report} cannot be filled"
            hint = "free some disk space, or correct the permissions of the data folder"
            raise SetupError(what, evidence=str(error), hint=hint) from None
        finally:
            remove_input(str(made.report))


def lay_out(run: ProgramRun, data: Path) -> dict[str, int]:
    """Put the records of a run into a folder; how many there are, under ``capture_records`` or ``merged_records``.

    Captures are copied as they were captured, the whole hours that the window touches, so that no program can harm
    them. With labels there is one file of merged records, of exactly the window.
    """
    files = list_files(run.captures, run.window)
    if run.labels is None:
        return _copy_all(Sources.of(files), Path(run.captures), data)
    if not files:
        return {"capture_files": 0, "merged_records": 0}
    written = export_merged(run.captures, run.labels, data / "merged.jsonl", window=run.window)
    return {"capture_files": len(files), "merged_records": written.rows}


def _copy_all(sources: Sources, root: Path, data: Path) -> dict[str, int]:
    """Copy capture files from wherever their lines stand."""
    files = records = 0
    for file, names in sources.in_order():
        here = data / Path(file).relative_to(root).parent
        here.mkdir(parents=True, exist_ok=True)
        files += len(names) or 1
        if names:
            records += write_originals(file, {name: here / name for name in names})
        else:
            records += _copy(Path(file), here / Path(file).name)
    return {"capture_files": files, "capture_records": records}


def _copy(source: Path, target: Path) -> int:
    """Copy a file; how many lines it has."""
    lines = 0
    with source.open("rb") as given, target.open("xb") as taken:
        while chunk := given.read(_CHUNK):
            lines += chunk.count(b"\n")
            taken.write(chunk)
    return lines
