"""What is written for Prometheus, Alertmanager and Grafana: the programs themselves say whether they take it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.client.exports import alertmanager_files, grafana_files, prometheus_files
from driftline.client.exports.rules import alarm_rule
from driftline.client.exports.text import quoted, yaml
from driftline.resources.alarms import Alarm, AlarmStatus, Band, MissingData, Operator, Statistic

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PLACE = {"Endpoint": "churn", "MonitoringSchedule": "hourly"}
UGLY = (
    'a "quote"',
    "back\\slash",
    "new\nline",
    "übergrün 🚨",
    "{{ $value }}",
    "tab\t\u2028\x85\ufeff",
    "- yaml: [x]",
    "''",
)


def status(name: str = "low", **changes: Any) -> AlarmStatus:
    given = {"metric": "f2", "namespace": "ns", "dimensions": PLACE, "operator": "LessThanThreshold", "threshold": 0.6}
    return AlarmStatus(name, Alarm(name=name, **(given | changes)), "OK", NOW, "")


def program(name: str) -> str:
    """A program of Debian's packages ``prometheus`` and ``prometheus-alertmanager``."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install prometheus prometheus-alertmanager")
    return found


def checked(folder: Path, files: dict[str, str], *command: str) -> str:
    """What a program says of files it takes."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def every_kind() -> list[AlarmStatus]:
    """Every operator, statistic and way with missing values, M of N, any names."""
    kinds = [
        {"operator": operator, "statistic": statistic, "treat_missing": missing, "threshold": threshold}
        for operator in get_args(Operator)
        for statistic in get_args(Statistic)
        for missing in get_args(MissingData)
        for threshold in (0.6, -1e-7)
    ]
    shapes = [{"evaluation_periods": 4, "datapoints_to_alarm": 2}, {"period": 86400}, {"dimensions": {"Any": "x"}}]
    ugly = [{"metric": text, "dimensions": {"Endpoint": text, "MonitoringSchedule": text}} for text in UGLY]
    return [
        status(f"alarm {number} {UGLY[number % 8]}", **kind) for number, kind in enumerate([*kinds, *shapes, *ugly])
    ]


def test_prometheus_takes_its_files(tmp_path: Path) -> None:
    files = prometheus_files("https://user@models.example.com:8443/driftline", every_kind(), token=True)
    (tmp_path / "driftline.token").write_text("secret")
    said = checked(tmp_path, files, program("promtool"), "check", "config", "prometheus.yml")
    assert f"{len(every_kind())} rules found" in said


def test_prometheus_takes_a_service_without_alarms(tmp_path: Path) -> None:
    files = prometheus_files("http://127.0.0.1:8080", [])
    checked(tmp_path, files, program("promtool"), "check", "config", "prometheus.yml")
    assert '"127.0.0.1:8080"' in files["prometheus.yml"]
    assert "authorization" not in files["prometheus.yml"]


def test_alertmanager_takes_its_file(tmp_path: Path) -> None:
    said = checked(tmp_path, alertmanager_files(), program("amtool"), "check-config", "alertmanager.yml")
    assert "1 receivers" in said


def test_the_queries_of_the_dashboard_are_prometheus_s(tmp_path: Path) -> None:
    board = json.loads(grafana_files()["driftline-dashboard.json"])
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "5m").replace("$", "")}
        for number, query in enumerate(queries)
    ]
    text = yaml({"groups": [{"name": "queries", "rules": rules}]})
    checked(tmp_path, {"rules.yml": text}, program("promtool"), "check", "rules", "rules.yml")


def test_the_dashboard_is_whole() -> None:
    board = json.loads(grafana_files()["driftline-dashboard.json"])
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(places)) == len({panel["id"] for panel in board["panels"]}) == len(places)
    known = {variable["name"] for variable in board["templating"]["list"]} | {"__rate_interval"}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(board["panels"]))) <= known


def test_rules_fire_when_driftline_s_alarms_would(tmp_path: Path) -> None:
    """Prometheus itself runs the rules over values an hour apart."""
    consecutive = status("twice", evaluation_periods=2, datapoints_to_alarm=2)
    some = status("two of three", evaluation_periods=3, datapoints_to_alarm=2, operator="LessThanOrEqualToThreshold")
    absent = status("absent", treat_missing="breaching", metric="none")
    text = yaml({"groups": [{"name": "alarms", "rules": [alarm_rule(one) for one in (consecutive, some, absent)]}]})
    labels = 'endpoint="churn", schedule="hourly", metric="f2"'
    fired = {"severity": "warning", "source": "driftline", "endpoint": "churn", "schedule": "hourly"}

    def expected(name: str, time: str, labels: dict[str, str] | None) -> dict[str, Any]:
        alerts = [] if labels is None else [{"exp_labels": labels}]
        return {"eval_time": time, "alertname": name, "exp_alerts": alerts}

    tests = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                # 0.7 for an hour, then 0.5, 0.7, 0.5 and 0.5 again.
                "input_series": [
                    {
                        "series": f"driftline_metric{{{labels}}}",
                        "values": "0.7x59 0.5x59 0.7x59 0.5x119",
                    }
                ],
                "alert_rule_test": [
                    expected("twice", "90m", None),
                    expected("two of three", "90m", None),
                    expected("two of three", "215m", fired | {"metric": "f2"}),
                    expected("twice", "215m", None),
                    expected("twice", "245m", fired | {"metric": "f2"}),
                ],
            }
        ],
    }
    for case in tests["tests"][0]["alert_rule_test"]:  # type: ignore[index]
        for alert in case["exp_alerts"]:
            rule = alarm_rule({"twice": consecutive, "two of three": some}[case["alertname"]])
            value = "0.5" if case["alertname"] == "twice" else "2"
            summary = dict(rule["annotations"])
            alert["exp_annotations"] = {key: text.replace("{{ $value }}", value) for key, text in summary.items()}
    checked(tmp_path, {"rules.yml": text, "tests.yml": yaml(tests)}, program("promtool"), "test", "rules", "tests.yml")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_a_text_is_one_printable_line_in_quotes(text: str) -> None:
    shown = quoted(text)
    assert shown.isprintable()
    back = re.sub(r"\\U(\w{8})|\\u(\w{4})", lambda found: chr(int(found[1] or found[2], 16)), shown[1:-1])
    short = {"\\n": "\n", "\\t": "\t", "\\r": "\r", '\\"': '"', "\\\\": "\\"}
    if "\\" not in text:
        assert re.sub(r"\\.", lambda found: short[found[0]], back) == text


def test_bands_and_alarms_over_alarms_ask_for_the_alarm_itself() -> None:
    band = status("odd", operator="LessThanLowerOrGreaterThanUpperThreshold", threshold=None, band=Band())
    over = AlarmStatus("both", Alarm("both", rule="ALARM(low) AND ALARM(odd)"), "OK", NOW, "")
    for one in (band, over):
        rule = alarm_rule(one)
        assert rule["expr"] == f'driftline_alarm_state{{alarm="{one.name}", state="ALARM"}} == 1'
    assert "ALARM(low)" in alarm_rule(over)["annotations"]["summary"]
