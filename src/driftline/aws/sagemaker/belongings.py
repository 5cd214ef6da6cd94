"""What a monitoring schedule brings along: its baseline, its scripts, its analysis configuration, its endpoint."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, NamedTuple

from driftline.aws.context import Context
from driftline.aws.errors import validation
from driftline.core.errors import ConflictError, InputError, NotFoundError
from driftline.core.uris import object_uri
from driftline.jobs.analyses import settled_document
from driftline.sagemaker.analysis import completed, read_rows, rows_elsewhere
from driftline.sagemaker.definitions import Definition
from driftline.sagemaker.schedules import derived_name
from driftline.service.images import read_images

_PROCESSING = "processing-job"
_ANALYSED = ("ModelBias", "ModelExplainability")


class Belongings(NamedTuple):
    """What was read of all that a job definition points to. Nothing is kept yet."""

    constraints: bytes | None
    statistics: bytes
    scripts: dict[str, bytes]
    attributes: dict[str, Any]


def gathered(context: Context, name: str, definition: Definition) -> Belongings:
    """Read it; raises the service's error for the first object that is not there."""
    attributes = _analysed_by(context, definition.image)
    constraints, statistics = _baseline(context, definition)
    scripts: dict[str, bytes] = {}
    for role, uri in (("preprocessor", definition.preprocessor), ("postprocessor", definition.postprocessor)):
        if uri is not None:
            attributes[role] = derived_name(name, f"{role}.py")
            scripts[attributes[role]] = content(context, uri)
    if definition.config is not None and "program" not in attributes:
        attributes["analysis_config"] = _analysis(context, definition, constraints)
    return Belongings(constraints, statistics or b"{}", scripts, attributes)


def kept(context: Context, name: str, found: Belongings) -> str | None:
    """Keep it under names that belong to the schedule alone; the name of its baseline."""
    for script, code in found.scripts.items():
        context.service.keep_script(script, code)
    if found.constraints is None:
        return None
    baseline = derived_name(name, "baseline")
    context.service.put_baseline(baseline, found.constraints, found.statistics, note="read from its objects")
    return baseline


def given_up(context: Context, name: str, *, baseline: bool = True, scripts: frozenset[str] = frozenset()) -> None:
    """Remove what was kept for a schedule, but for ``scripts`` that it still names."""
    for role in ("preprocessor", "postprocessor"):
        script = derived_name(name, f"{role}.py")
        if script not in scripts:
            context.service.forget_script(script)
    if baseline:
        with suppress(NotFoundError):
            context.service.delete_baseline(derived_name(name, "baseline"))


def stand_in(context: Context, name: str, current: str | None) -> str:
    """The endpoint of a batch transform's captures: one that answers nothing, of the schedule's own name, made unless
    it is the ``current`` one of the schedule."""
    if current == name:
        return name
    with suppress(NotFoundError):
        context.service.get_endpoint(name)
        raise ConflictError(f"an endpoint is called {name}", hint="give the schedule another name")
    return context.service.register_endpoint(name).name


def stand_in_removed(context: Context, name: str) -> None:
    """Remove the endpoint that stands in for a batch transform's captures."""
    with suppress(NotFoundError):
        context.service.delete_endpoint(name)


def content(context: Context, uri: str) -> bytes:
    """An object that a request points to; raises the service's error when it is not there."""
    try:
        return context.objects.read(object_uri(uri))
    except NotFoundError:
        raise validation(f'No S3 objects found under S3 URL "{uri}".') from None


def _analysed_by(context: Context, image: str) -> dict[str, Any]:
    """The attribute that names the program which stands for an image; none where our own analysis does."""
    rule = read_images(context.service.layout).expect(image)
    if rule.program is None and rule.part not in ("analyzer", "clarify"):
        hint = 'give it a program, or as = "analyzer" or as = "clarify", in images.toml in the data folder'
        raise validation(f"the image {image} stands for nothing that can watch an endpoint here; {hint}")
    return {} if rule.program is None else {"program": rule.program}


def _baseline(context: Context, definition: Definition) -> tuple[bytes | None, bytes | None]:
    """The constraints and the statistics. What a baseline job wrote stands in for what has no address; its
    statistics may be lacking."""
    constraints = None if definition.constraints is None else content(context, definition.constraints)
    statistics = None if definition.statistics is None else content(context, definition.statistics)
    if definition.kind.type in _ANALYSED:
        if constraints is None and definition.baselining_job is not None:
            constraints = content(context, f"{_results(context, definition.baselining_job)}/analysis.json")
        return constraints, None
    if definition.baselining_job is None:
        return constraints, statistics
    try:
        results = _results(context, definition.baselining_job)
    except NotFoundError:
        if constraints is None:
            raise
        return constraints, statistics
    if constraints is None:
        constraints = content(context, f"{results}/constraints.json")
    if statistics is None:
        with suppress(NotFoundError):
            statistics = context.objects.read(object_uri(f"{results}/statistics.json"))
    return constraints, statistics


def _results(context: Context, job: str) -> str:
    """Where a baseline job wrote its results."""
    document = context.registry.get(_PROCESSING, job).document
    outputs = (document.get("ProcessingOutputConfig") or {}).get("Outputs") or [{}]
    uri = (outputs[0].get("S3Output") or {}).get("S3Uri")
    if not uri:
        raise validation(f"the processing job {job} has no output in S3")
    return str(uri).rstrip("/")


def _analysis(context: Context, definition: Definition, constraints: bytes | None) -> dict[str, Any]:
    """What is analysed, in our form; rows that it names by their address stand in it then."""
    uri = str(definition.config)
    try:
        config = json.loads(content(context, uri))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{uri} is no JSON", evidence=str(error), hint="upload the configuration again") from None
    if not isinstance(config, dict):
        raise InputError(f"{uri} is no configuration", hint="it must be a JSON object")
    elsewhere = rows_elsewhere(config)
    rows = None if elsewhere is None else read_rows(content(context, elsewhere), elsewhere)
    return settled_document(completed(config, rows), uri, constraints if definition.kind.monitor == "bias" else None)
