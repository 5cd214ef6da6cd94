"""A dashboard for Grafana: traffic and captures above, the models' metrics with their intervals below."""

from __future__ import annotations

import json
from typing import Any

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_CHOSEN = 'endpoint=~"$endpoint"'
_RUN = f'{_CHOSEN}, schedule=~"$schedule"'
_METRIC = f'{_RUN}, metric=~"$metric"'
_RATE = "[$__rate_interval]"

_PANELS: tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Requests a second",
        "timeseries",
        "reqps",
        (
            (
                f"sum by (endpoint, outcome) (rate(driftline_requests_total{{{_CHOSEN}}}{_RATE}))",
                "{{endpoint}} {{outcome}}",
            ),
        ),
    ),
    (
        "Latency: median and 99 %",
        "timeseries",
        "s",
        tuple(
            (
                f"histogram_quantile({share}, sum by (endpoint, le) "
                f"(rate(driftline_request_duration_seconds_bucket{{{_CHOSEN}}}{_RATE})))",
                f"{{{{endpoint}}}} {share}",
            )
            for share in ("0.5", "0.99")
        ),
    ),
    (
        "Captured, sampled out, dropped",
        "timeseries",
        "reqps",
        (
            (
                f"sum by (endpoint, result) (rate(driftline_capture_records_total{{{_CHOSEN}}}{_RATE}))",
                "{{endpoint}} {{result}}",
            ),
        ),
    ),
    (
        "Metrics with their intervals",
        "timeseries",
        "none",
        (
            (f"driftline_metric{{{_METRIC}}}", "{{schedule}} {{metric}}"),
            (f"driftline_metric_lower{{{_METRIC}}}", "{{schedule}} {{metric}} lower"),
            (f"driftline_metric_upper{{{_METRIC}}}", "{{schedule}} {{metric}} upper"),
        ),
    ),
    (
        "Share of predictions with a label",
        "timeseries",
        "percentunit",
        ((f"driftline_label_coverage_ratio{{{_RUN}}}", "{{schedule}}"),),
    ),
    ("Alarms", "table", "none", ((f"driftline_alarm_state{{{_RUN}}} == 1", "{{alarm}} {{state}}"),)),
    ("Runs by status", "timeseries", "none", ((f"driftline_runs{{{_RUN}}}", "{{schedule}} {{status}}"),)),
    (
        "Overdue windows and queue",
        "timeseries",
        "none",
        (
            (f"driftline_windows_overdue{{{_RUN}}}", "{{schedule}} overdue"),
            ("driftline_queue_length", "waiting"),
        ),
    ),
)
_VARIABLES = (
    ("endpoint", "label_values(driftline_capture_records_total, endpoint)"),
    ("schedule", 'label_values(driftline_metric{endpoint=~"$endpoint"}, schedule)'),
    ("metric", 'label_values(driftline_metric{schedule=~"$schedule"}, metric)'),
)


def grafana_files() -> dict[str, str]:
    """``driftline-dashboard.json``, by name: import it, and choose the Prometheus it reads."""
    document = {
        "uid": "driftline",
        "title": "driftline",
        "tags": ["driftline"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "timezone": "utc",
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [_source(), *(_variable(name, query) for name, query in _VARIABLES)]},
        "annotations": {"list": []},
        "panels": [_panel(number, *panel) for number, panel in enumerate(_PANELS)],
    }
    return {"driftline-dashboard.json": json.dumps(document, indent=2) + "\n"}


def _source() -> dict[str, Any]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(number: int, title: str, kind: str, unit: str, queries: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Two panels a row."""
    targets = [
        {"refId": chr(65 + place), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
        | ({"format": "table", "instant": True} if kind == "table" else {})
        for place, (expression, legend) in enumerate(queries)
    ]
    return {
        "id": number + 1,
        "title": title,
        "type": kind,
        "datasource": _SOURCE,
        "gridPos": {"x": 12 * (number % 2), "y": 8 * (number // 2), "w": 12, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "options": {},
        "targets": targets,
    }
