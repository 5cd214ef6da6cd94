"""What a job definition points to: its baseline, its scripts, its analysis configuration. Read, not yet kept."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, Protocol

from driftline.core.constraint_documents import read_any_constraints
from driftline.core.errors import InputError, NotFoundError
from driftline.sagemaker.analysis import completed, read_rows, rows_elsewhere
from driftline.sagemaker.definitions import BASELINE_FILES, Definition, Kind
from driftline.sagemaker.images import Images
from driftline.sagemaker.schedules import derived_name


class Source(Protocol):
    """Where objects and baseline jobs are read."""

    def content(self, uri: str) -> bytes:
        """An object; raises the error of the caller's choice when it is not there."""

    def find(self, uri: str) -> bytes | None:
        """An object that may be lacking."""

    def results(self, job: str) -> str:
        """The address, without a slash at its end, below which a baseline job wrote its results; raises
        :class:`NotFoundError` where nobody knows the job."""

    def working(self, job: str) -> bool:
        """Whether a baseline job has not ended yet."""


class Belongings(NamedTuple):
    """What was read of all that a job definition points to. Nothing is kept yet.

    ``scripts`` are by the names they are to have, to which ``attributes`` point. ``analysis`` is the configuration of
    an analysis, made whole, in which a table may still have to decide something.
    """

    constraints: bytes | None
    statistics: bytes
    scripts: dict[str, bytes]
    attributes: dict[str, Any]
    analysis: dict[str, Any] | None


def gathered(source: Source, name: str, definition: Definition, images: Images) -> Belongings:
    """Read what the schedule called ``name`` brings along; raises for the first object that is not there, and
    :class:`InputError` for an image that stands for nothing."""
    files = _files(source, definition)
    attributes: dict[str, Any] = {**watching(images, definition.image), **files}
    constraints, statistics = _baseline(source, definition, files)
    if constraints is not None:
        read_any_constraints(constraints, files["constraints"])  # so that what is wrong is told of the file itself
    scripts: dict[str, bytes] = {}
    for role, uri in (("preprocessor", definition.preprocessor), ("postprocessor", definition.postprocessor)):
        if uri is not None:
            if definition.kind.type != "DataQuality":
                raise InputError(f"a {role} is run for data quality alone here", hint=f"leave {uri} out")
            attributes[role] = derived_name(name, f"{role}.py")
            scripts[attributes[role]] = source.content(uri)
    analysed = definition.config is not None and "program" not in attributes
    analysis = _analysis(source, definition) if analysed else None
    return Belongings(constraints, statistics or b"{}", scripts, attributes, analysis)


def watching(images: Images, image: str) -> dict[str, Any]:
    """The attribute that names the program which stands for an image; none where our own analysis does.

    >>> watching(Images(), "1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-clarify-processing:1.0")
    {}
    """
    rule = images.expect(image)
    if rule.program is None and rule.part not in ("analyzer", "clarify"):
        hint = 'give it a program, or as = "analyzer" or as = "clarify", in images.toml in the data folder'
        raise InputError(f"the image {image} stands for nothing that can watch an endpoint here", hint=hint)
    return {} if rule.program is None else {"program": rule.program}


def _files(source: Source, definition: Definition) -> dict[str, str]:
    """The addresses of the baseline's files, as the attributes that name them. What a baseline job writes stands in
    for what has no address."""
    given = {"constraints": definition.constraints, "statistics": definition.statistics}
    named = {name: uri for name, uri in given.items() if uri is not None}
    if definition.baselining_job is None:
        return named
    try:
        results = source.results(definition.baselining_job)
    except NotFoundError:
        if not named:
            raise
        return named
    return written_to(results, definition.kind) | named


def written_to(results: str, kind: Kind) -> dict[str, str]:
    """The addresses of the files that a baseline job writes below an address, by what they are to a schedule."""
    return {name: f"{results}/{file}" for name, file in BASELINE_FILES[kind.type].items()}


def _has_statistics(definition: Definition) -> bool:
    return "statistics" in BASELINE_FILES[definition.kind.type]


def _baseline(source: Source, definition: Definition, files: dict[str, str]) -> tuple[bytes | None, bytes | None]:
    """The constraints and the statistics, as far as there are any yet: a baseline job may still be at work."""
    uri = files.get("constraints")
    waited = definition.baselining_job is not None and source.working(definition.baselining_job)
    if uri is None:
        constraints = None
    else:
        constraints = source.find(uri) if waited and _has_statistics(definition) else source.content(uri)
    uri = files.get("statistics")
    if uri is None or not _has_statistics(definition):
        return constraints, None
    return constraints, source.content(uri) if definition.baselining_job is None else source.find(uri)


def results_of(job: str, document: dict[str, Any]) -> str:
    """Below which address a processing job wrote, by its request or description; raises :class:`InputError` where it
    wrote nowhere.

    >>> results_of("j", {"ProcessingOutputConfig": {"Outputs": [{"S3Output": {"S3Uri": "s3://churn/results/"}}]}})
    's3://churn/results'
    """
    outputs = (document.get("ProcessingOutputConfig") or {}).get("Outputs") or [{}]
    uri = (outputs[0].get("S3Output") or {}).get("S3Uri")
    if not uri:
        raise InputError(f"the processing job {job} has no output in S3", hint="give the addresses of the baseline")
    return str(uri).rstrip("/")


def _analysis(source: Source, definition: Definition) -> dict[str, Any]:
    """What is analysed; rows that it names by their address stand in it then."""
    uri = str(definition.config)
    try:
        config = json.loads(source.content(uri))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{uri} is no JSON", evidence=str(error), hint="upload the configuration again") from None
    if not isinstance(config, dict):
        raise InputError(f"{uri} is no configuration", hint="it must be a JSON object")
    elsewhere = rows_elsewhere(config)
    return completed(config, None if elsewhere is None else read_rows(source.content(elsewhere), elsewhere))
