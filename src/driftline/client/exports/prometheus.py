"""Prometheus: where to read, and one alert for every alarm."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from driftline.client.exports.rules import alarm_rule
from driftline.client.exports.text import yaml
from driftline.resources.alarms import AlarmStatus

JOB = "driftline"


def prometheus_files(url: str, alarms: Iterable[AlarmStatus], *, token: bool = False) -> dict[str, str]:
    """``prometheus.yml`` and the rule files it names, by name; ``url`` is the service's address.

    With ``token`` Prometheus shows the token that stands in a file ``driftline.token`` beside its configuration.
    """
    return {
        "prometheus.yml": _config(url, token=token),
        "driftline-alarms.rules.yml": yaml({"groups": [_group("driftline alarms", map(alarm_rule, alarms))]}),
        "driftline-service.rules.yml": yaml({"groups": [_group("driftline service", _service_rules())]}),
    }


def _config(url: str, *, token: bool) -> str:
    parts = urlsplit(url)
    scrape: dict[str, Any] = {
        "job_name": JOB,
        "scheme": parts.scheme,
        "metrics_path": f"{parts.path.rstrip('/')}/metrics",
        "static_configs": [{"targets": [parts.netloc.rpartition("@")[2]]}],
    }
    if token:
        scrape["authorization"] = {"credentials_file": "driftline.token"}
    return yaml(
        {
            "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
            "rule_files": ["driftline-alarms.rules.yml", "driftline-service.rules.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["127.0.0.1:9093"]}]}]},
            "scrape_configs": [scrape],
        }
    )


def _group(name: str, rules: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "rules": list(rules)}


def _service_rules() -> list[dict[str, Any]]:
    """What concerns the service itself, whatever it serves."""
    return [
        _rule("DriftlineDown", f'up{{job="{JOB}"}} == 0', "2m", "critical", "driftline does not answer"),
        _rule(
            "DriftlineWindowsOverdue",
            "driftline_windows_overdue > 0",
            "5m",
            "critical",
            "{{ $value }} windows of {{ $labels.schedule }} wait for their run: is the scheduler at work?",
        ),
        _rule(
            "DriftlineCapturesDropped",
            'increase(driftline_capture_records_total{result="dropped"}[10m]) > 0',
            "0m",
            "critical",
            "{{ $labels.endpoint }} answers but cannot record: is the disk full?",
        ),
        _rule(
            "DriftlineDeliveriesFailed",
            'delta(driftline_deliveries{status="failed"}[1h]) > 0',
            "0m",
            "warning",
            "a notification was given up: see driftline alarm show",
        ),
        _rule(
            "DriftlineRequestsFail",
            'sum by (endpoint) (rate(driftline_requests_total{status=~"5..|424"}[5m]))'
            " > 0.01 * sum by (endpoint) (rate(driftline_requests_total[5m]))",
            "5m",
            "warning",
            "{{ $labels.endpoint }} fails {{ $value }} requests a second, more than one in a hundred",
        ),
    ]


def _rule(name: str, expression: str, wait: str, severity: str, summary: str) -> dict[str, Any]:
    labels = {"severity": severity}
    return {"alert": name, "expr": expression, "for": wait, "labels": labels, "annotations": {"summary": summary}}
