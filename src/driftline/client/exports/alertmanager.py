"""Alertmanager: a configuration to begin with, in which only the receiver's address is missing."""

from __future__ import annotations

from driftline.client.exports.text import yaml

_HEAD = """\
# A configuration to begin with. Say in "receivers" who is to be told, for example:
#   - name: "team"
#     webhook_configs:
#       - url: "https://hooks.example.com/driftline"
"""


def alertmanager_files() -> dict[str, str]:
    """``alertmanager.yml``, by name. A service that is down silences what is only its consequence."""
    document = {
        "route": {
            "receiver": "team",
            "group_by": ["alertname", "endpoint", "schedule"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "4h",
            "routes": [{"receiver": "team", "matchers": ['severity="critical"'], "repeat_interval": "1h"}],
        },
        "inhibit_rules": [
            {
                "source_matchers": ['alertname="DriftlineDown"'],
                "target_matchers": ['source="driftline"'],
            }
        ],
        "receivers": [{"name": "team"}],
    }
    return {"alertmanager.yml": _HEAD + yaml(document)}
