"""Files for Prometheus, Alertmanager and Grafana, made of what a service tells of its alarms."""

from __future__ import annotations

from driftline.client.exports.alertmanager import alertmanager_files
from driftline.client.exports.dashboard import grafana_files
from driftline.client.exports.prometheus import prometheus_files

__all__ = ["alertmanager_files", "grafana_files", "prometheus_files"]
