"""Job definitions: what one says, whichever of the two forms it is written in, and how it is told again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from driftline.core.errors import InputError

LONGEST = 3600
"""Seconds that a monitoring job may take when nothing is said."""


class Kind(NamedTuple):
    """A type of monitoring: as requests call it, as names of jobs begin, and our monitor."""

    type: str
    word: str
    monitor: str

    @property
    def registered(self) -> str:
        """The kind of its job definitions, as ARNs spell it."""
        return f"{self.word}-job-definition"


KINDS = {
    kind.type: kind
    for kind in (
        Kind("DataQuality", "data-quality", "data-quality"),
        Kind("ModelQuality", "model-quality", "model-quality"),
        Kind("ModelBias", "model-bias", "bias"),
        Kind("ModelExplainability", "model-explainability", "attribution"),
    )
}


_TABLES = {"constraints": "constraints.json", "statistics": "statistics.json"}
_ANALYSIS = {"constraints": "analysis.json"}
BASELINE_FILES = {
    "DataQuality": _TABLES,
    "ModelQuality": _TABLES,
    "ModelBias": _ANALYSIS,
    "ModelExplainability": _ANALYSIS,
}
"""Of each type, the files that a baseline job writes, by what they are to a schedule."""


def kind_of_monitor(monitor: str) -> Kind:
    """The type of monitoring that a monitor of ours is.

    >>> kind_of_monitor("bias").type
    'ModelBias'
    """
    return next(kind for kind in KINDS.values() if kind.monitor == monitor)


class Definition(msgspec.Struct, frozen=True):
    """What a job definition asks for. ``source`` is its EndpointInput or, of a ``batch``, its BatchTransformInput.

    Addresses of objects are as they were written. ``seconds`` is how long a job may take.
    """

    kind: Kind
    source: dict[str, Any]
    batch: bool
    output: str
    image: str
    seconds: int = LONGEST
    problem_type: str | None = None
    ground_truth: str | None = None
    config: str | None = None
    preprocessor: str | None = None
    postprocessor: str | None = None
    constraints: str | None = None
    statistics: str | None = None
    baselining_job: str | None = None
    environment: dict[str, str] = {}

    @property
    def endpoint(self) -> str | None:
        """The endpoint it watches; none where it reads a batch transform's captures."""
        return self.source.get("EndpointName")


def read_definition(kind: Kind, document: dict[str, Any]) -> Definition:
    """From the request of a named job definition."""
    part = {name: document.get(f"{kind.type}{name}") or {} for name in _PARTS}
    job_input = part["JobInput"]
    ground_truth = (job_input.get("GroundTruthS3Input") or {}).get("S3Uri")
    return _definition(kind, document, job_input, part, ground_truth)


def read_inline(kind: Kind, document: dict[str, Any]) -> Definition:
    """From the MonitoringJobDefinition that stands in a schedule itself."""
    part = {
        "AppSpecification": document["MonitoringAppSpecification"],
        "BaselineConfig": document.get("BaselineConfig") or {},
        "JobOutputConfig": document["MonitoringOutputConfig"],
    }
    # Of this form only the application itself knows about its settings.
    part["AppSpecification"] = part["AppSpecification"] | {"Environment": document.get("Environment") or {}}
    return _definition(kind, document, document["MonitoringInputs"][0], part, None)


_PARTS = ("AppSpecification", "BaselineConfig", "JobInput", "JobOutputConfig")


def _definition(
    kind: Kind,
    document: dict[str, Any],
    job_input: dict[str, Any],
    part: dict[str, dict[str, Any]],
    ground_truth: str | None,
) -> Definition:
    given = [job_input.get(name) for name in ("EndpointInput", "BatchTransformInput")]
    if sum(one is not None for one in given) != 1:
        hint = "give either EndpointInput or BatchTransformInput"
        raise InputError("a monitoring job reads one input", hint=hint)
    app, baseline = part["AppSpecification"], part["BaselineConfig"]
    return Definition(
        kind=kind,
        source=given[0] or given[1] or {},
        batch=given[0] is None,
        output=part["JobOutputConfig"]["MonitoringOutputs"][0]["S3Output"]["S3Uri"],
        image=app["ImageUri"],
        seconds=(document.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", LONGEST),
        problem_type=app.get("ProblemType"),
        ground_truth=ground_truth,
        config=app.get("ConfigUri"),
        preprocessor=app.get("RecordPreprocessorSourceUri"),
        postprocessor=app.get("PostAnalyticsProcessorSourceUri"),
        constraints=(baseline.get("ConstraintsResource") or {}).get("S3Uri"),
        statistics=(baseline.get("StatisticsResource") or {}).get("S3Uri"),
        baselining_job=baseline.get("BaseliningJobName"),
        environment=app.get("Environment") or {},
    )


def with_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """A job definition of either form as it is told again: with what the service fills in.

    >>> with_defaults({"NetworkConfig": {"EnableNetworkIsolation": True}})["NetworkConfig"]
    {'EnableInterContainerTrafficEncryption': False, 'EnableNetworkIsolation': True}
    >>> with_defaults({})
    {'StoppingCondition': {'MaxRuntimeInSeconds': 3600}}
    """
    filled = dict(document)
    filled["StoppingCondition"] = document.get("StoppingCondition") or {"MaxRuntimeInSeconds": LONGEST}
    if document.get("NetworkConfig") is not None:
        off = {"EnableInterContainerTrafficEncryption": False, "EnableNetworkIsolation": False}
        filled["NetworkConfig"] = off | document["NetworkConfig"]
    for source in _sources(filled):
        for name, value in (("S3InputMode", "File"), ("S3DataDistributionType", "FullyReplicated")):
            source.setdefault(name, value)
    return filled


def _sources(filled: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The inputs of a document, of which copies are put in their places first."""
    for key in [key for key in filled if key.endswith("JobInput")]:
        filled[key] = dict(filled[key])
        yield from _copies(filled[key])
    if filled.get("MonitoringInputs"):
        filled["MonitoringInputs"] = [dict(one) for one in filled["MonitoringInputs"]]
        for one in filled["MonitoringInputs"]:
            yield from _copies(one)


def _copies(job_input: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in ("EndpointInput", "BatchTransformInput"):
        if job_input.get(key) is not None:
            job_input[key] = dict(job_input[key])
            yield job_input[key]
