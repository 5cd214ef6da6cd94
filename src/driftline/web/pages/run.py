"""The page of one run: verdict, reasons, violations, metrics, steps, rejects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import MediaType, Response, get

from driftline.resources.executions import Execution
from driftline.web.api.signature import Given, Name
from driftline.web.pages.analyses import Line, attribution_lines, bias_lines, rankings
from driftline.web.pages.rendering import Raw, show


class RunView(msgspec.Struct, frozen=True):
    """What the page of a run shows."""

    run: Execution
    metrics: Mapping[str, Mapping[str, Any]]
    features: list[dict[str, Any]]
    bias: list[Line]
    attributions: list[Line]
    rankings: list[str]
    constrained: list[str]


@get("/runs/{run_id:str}", media_type=MediaType.HTML, sync_to_thread=True)
def run_page(request: Raw, service: Given, run_id: Name) -> Response[Any]:
    """One run."""
    run = service.get_run(run_id)
    view = RunView(
        run,
        _metrics(run),
        _features(run),
        bias_lines(run),
        attribution_lines(run),
        rankings(run),
        sorted({item.subject for item in run.violations}),
    )
    return show(request, "run.html", view)


def _metrics(run: Execution) -> Mapping[str, Mapping[str, Any]]:
    """The metrics of a run that are single numbers."""
    for family, metrics in run.statistics.items():
        if family.endswith("_metrics"):
            return {name: value for name, value in metrics.items() if isinstance(value, dict) and "value" in value}
    return {}


def _features(run: Execution) -> list[dict[str, Any]]:
    """The columns of a run of data quality, those that drifted first."""
    columns = run.statistics.get("features", ())
    drift = {one["name"]: one for one in run.statistics.get("driftline_drift", ())} if columns else {}
    found = [_feature(one, drift.get(one["name"], {})) for one in columns]
    return sorted(found, key=lambda one: not one["drifted"])


def _feature(document: Mapping[str, Any], drift: Mapping[str, Any]) -> dict[str, Any]:
    kind = document.get("numerical_statistics") or document.get("string_statistics") or {}
    common = kind.get("common", {})
    told = (
        "" if drift.get("distance") is None else f"{drift['method']} {drift['distance']:.4g} of {drift['threshold']:g}"
    )
    return {
        "name": document["name"],
        "type": document["inferred_type"],
        "present": common.get("num_present", ""),
        "missing": common.get("num_missing", ""),
        "drift": told or drift.get("reason", ""),
        "drifted": bool(drift.get("drifted")),
    }
