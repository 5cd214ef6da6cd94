"""The pages: what is served, the latest runs, and one page a run. Plain HTML; every page has a JSON twin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Response, get
from litestar.exceptions import NotFoundException

from driftline.core.records import utc
from driftline.resources.executions import Execution
from driftline.web.access import visitor
from driftline.web.analyses import attribution_lines, bias_lines, rankings
from driftline.web.api.signature import Given, Name

_HERE = Path(__file__).parent
_GLYPHS = {"OK": "✓", "VIOLATED": "✕", "UNKNOWN": "?"}
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_pages = Environment(loader=PackageLoader("driftline.web"), autoescape=True, undefined=StrictUndefined)
_pages.filters["time"] = lambda moment: f"{utc(moment.timestamp()):%Y-%m-%d %H:%M:%S}"
_pages.filters["glyph"] = lambda verdict: _GLYPHS.get(str(verdict), "…")
_pages.globals["visitor"] = visitor.get


@get("/", media_type=MediaType.HTML, sync_to_thread=True)
def home(service: Given) -> Response[str]:
    """Endpoints, alarms and the latest runs."""
    return page(
        "home.html",
        endpoints=service.list_endpoints(),
        alarms=service.list_alarms(),
        runs=service.list_runs(limit=50),
        overdue=service.list_overdue(),
        now=service.now(),
    )


@get("/runs/{run_id:str}", media_type=MediaType.HTML, sync_to_thread=True)
def run_page(service: Given, run_id: Name) -> Response[str]:
    """One run: verdict, reasons, violations, metrics, steps, rejects."""
    if run_id.endswith(".json"):
        return Response(service.get_run(run_id.removesuffix(".json")), media_type=MediaType.JSON)  # type: ignore[arg-type]
    run = service.get_run(run_id)
    constrained = {item.subject for item in run.violations}
    return page(
        "run.html",
        run=run,
        metrics=_metrics(run),
        features=_features(run),
        bias=bias_lines(run),
        attributions=attribution_lines(run),
        rankings=rankings(run),
        constrained=constrained,
    )


@get("/static/{name:str}", sync_to_thread=True)
def static(name: Name) -> Response[bytes]:
    """A style sheet."""
    if name != "style.css":
        raise NotFoundException(detail=f"there is no file {name[:80]!r}")
    return Response((_HERE / "static" / name).read_bytes(), media_type="text/css", headers=SECURITY)


def page(template: str, *, status: int = 200, **values: Any) -> Response[str]:
    """A template, rendered, with the headers of a page."""
    text = _pages.get_template(template).render(values)
    return Response(text, status_code=status, media_type=MediaType.HTML, headers=SECURITY)


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
