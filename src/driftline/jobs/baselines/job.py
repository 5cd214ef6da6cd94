"""The runner of baseline jobs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pyarrow as pa

from driftline.core.analysis_documents import analysis_document
from driftline.core.documents import dump
from driftline.core.errors import DriftlineError, InputError
from driftline.core.uris import object_uri
from driftline.jobs.baselines.asked import Asked
from driftline.jobs.baselines.staging import named_by_uris, staged_dataset, staged_file
from driftline.jobs.baselines.tables import column_of, names_of, one_table
from driftline.jobs.batch_kinds import BatchDone, BatchWork
from driftline.jobs.messages import ended
from driftline.pipeline.found import Found, Judged
from driftline.pipeline.steps import Progress
from driftline.scripts.errors import ScriptError
from driftline.storage.buckets import open_objects
from driftline.storage.files import write_atomic

if TYPE_CHECKING:
    from driftline.pipeline.data_tables import DataBaseline

USED_CONFIG = "analysis_config_used.json"
"""The configuration as it was understood; its usual name is often that of the given one, beside the results."""


def run(work: BatchWork, progress: Progress) -> BatchDone:
    """Measure the dataset, and leave the documents and the report below the output URI."""
    folder = work.layout.job(work.name)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="work-") as name:
        scratch, output = Path(name), Path(name) / "output"
        layout, objects = work.layout, open_objects(work.layout)
        asked = Asked(work.settings, layout, objects, scratch, output, work.now, progress, work.say)
        found = _measured(asked)
        _write(found, output)
        _postprocess(asked)
        written = list(_uploaded(asked))
    for uri in written:
        asked.say(f"wrote {uri}")
    return _done(found)


def _measured(asked: Asked) -> list[Found]:
    try:
        return _MEASURES[asked.settings.monitor](asked)
    except DriftlineError as error:
        named_by_uris(error, asked.objects, asked.settings.dataset, asked.scratch / "dataset")
        raise


def _data_quality(asked: Asked) -> list[Found]:
    from driftline.pipeline import data_tables

    settings, given = asked.settings, {"now": asked.now, "progress": asked.progress}
    folder = staged_dataset(asked.objects, settings.dataset, settings.format, asked.scratch / "dataset")
    data = folder if settings.preprocessor is None else _prepared(asked, folder)
    options: Any = given | {"header": settings.format.header}
    if settings.constraints is None and settings.statistics is None:
        return [_compared(data_tables.baseline_data_quality(data, **options), settings.categorical_drift_method)]
    wanted = None if settings.constraints is None else asked.constraints()
    return [data_tables.check_data_quality(data, wanted, baseline=asked.statistics(), **options)]


def _compared(baseline: DataBaseline, method: Literal["LInfinity", "ChiSquared"]) -> DataBaseline:
    """A baseline whose constraints compare categories by a method."""
    before = baseline.constraints
    distribution = msgspec.structs.replace(before.distribution, categorical_drift_method=method)
    constraints = msgspec.structs.replace(before, distribution=distribution)
    return msgspec.structs.replace(baseline, constraints=constraints)


def _prepared(asked: Asked, folder: Path) -> pa.Table:
    """The rows that the preprocessor makes of the dataset's lines."""
    from driftline.scripts.preprocess import Preprocessor

    if asked.settings.format.kind == "parquet":
        raise InputError("a preprocessor cannot read Parquet", hint="give it CSV or JSON lines")
    script = staged_file(asked.objects, asked.settings.preprocessor or "", asked.scratch / "preprocessor.py")
    preprocessor = Preprocessor(script)
    try:
        batches = list(preprocessor.lines(_lines(folder, header=asked.settings.format.header is True)))
    finally:
        asked.say(preprocessor.report.log.rstrip())
    return pa.Table.from_batches(batches)


def _lines(folder: Path, *, header: bool) -> Iterator[str]:
    """The lines of the files, without those that hold names."""
    for path in sorted(folder.iterdir()):
        with path.open(encoding="utf-8", errors="replace", newline="") as opened:
            if header:
                opened.readline()
            yield from opened


def _model_quality(asked: Asked) -> list[Found]:
    from driftline.pipeline import baseline_model_quality, check_model_quality

    settings, columns = asked.settings, asked.settings.columns
    if columns is None:
        raise InputError("a baseline of model quality names no columns", hint="give columns: problem_type, label")
    folder = staged_dataset(asked.objects, settings.dataset, settings.format, asked.scratch / "dataset")
    names = names_of(folder, settings.format.header)
    data = one_table(folder, settings.format, names, asked.scratch / "joined")
    named = {
        role: None if given is None else column_of(given, names)
        for role, given in (("prediction", columns.prediction), ("probability", columns.probability))
    }
    given: Any = {"label": column_of(columns.label, names), "threshold": columns.threshold, **named}
    given |= {"now": asked.now, "progress": asked.progress}
    if settings.constraints is None:
        return [baseline_model_quality(data, problem_type=columns.problem_type, **given)]
    return [check_model_quality(data, asked.constraints(), **given)]


def _analysed(asked: Asked) -> list[Found]:
    from driftline.jobs.baselines.analyses import analysed

    return analysed(asked)


_MEASURES: dict[str, Callable[[Asked], list[Found]]] = {
    "data-quality": _data_quality,
    "model-quality": _model_quality,
    "bias": _analysed,
    "attribution": _analysed,
}


def _write(found: list[Found], output: Path) -> None:
    """The documents in a folder; of bias and attributions together there is one analysis, and a page of each."""
    for number, one in enumerate(found):
        one.write(output)
        if number + 1 < len(found):
            (output / "report.html").replace(output / "report_bias.html")
    if len(found) > 1:
        analyses = [getattr(one, "analysis", None) for one in found]
        write_atomic(output / "analysis.json", dump(analysis_document(*analyses)))
    if (config := output / "analysis_config.json").exists():
        config.replace(output / USED_CONFIG)


def _postprocess(asked: Asked) -> None:
    """Call the user's script on what is left, which is not yet in the bucket; what it leaves beside goes there too."""
    from driftline.pipeline.external.contract import Contract, variables
    from driftline.scripts.postprocess import run_postprocessor

    uri, wanted = asked.settings.postprocessor, asked.settings.format
    if uri is None:
        return
    script = staged_file(asked.objects, uri, asked.scratch / "postprocessor.py")
    told: dict[str, Any] = {"csv": {"header": wanted.header}, "json": {"lines": wanted.lines}, "parquet": {}}
    source, output = str(asked.scratch / "dataset"), str(asked.output)
    contract = Contract(source, output, {wanted.kind: told[wanted.kind]}, publish_metrics=False)
    try:
        asked.say(run_postprocessor(script, variables(contract)).log.rstrip())
    except ScriptError as error:
        asked.say(error.report.log.rstrip())
        raise


def _uploaded(asked: Asked) -> Iterator[str]:
    target = object_uri(asked.settings.output)
    for path in sorted(asked.output.rglob("*")):
        if path.is_file():
            uri = target / path.relative_to(asked.output).as_posix()
            asked.objects.write(uri, path.read_bytes())
            yield str(uri)


def _done(found: list[Found]) -> BatchDone:
    judged = [one for one in found if isinstance(one, Judged)]
    result: dict[str, Any] = {"item_count": max(map(_rows, found))}
    if not judged:
        return BatchDone(ended(None), result)
    violations = sum(len(one.violations) for one in judged)
    result |= {"violations": violations, "verdict": str(judged[0].verdict)}
    return BatchDone(ended(judged[0].judgement, violations), result)


def _rows(one: Found) -> int:
    """How many rows the dataset has."""
    for place in (one, getattr(one, "statistics", None)):
        if isinstance(place, msgspec.Struct):
            for name in ("item_count", "rows"):
                if isinstance(value := getattr(place, name, None), int):
                    return value
    return 0
