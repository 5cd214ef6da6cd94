"""Every command: that it is there, what it prints, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from driftline.testing import FakeClock, prediction_batch, quality_captures, write_captures, write_labels

Cli = Callable[..., Any]
COMMANDS = (
    "baseline model-quality",
    "check model-quality",
    "constraints show",
    "constraints diff",
    "constraints edit",
    "serve",
    "deploy",
    "invoke",
    "endpoint list",
    "endpoint show",
    "endpoint capture",
    "endpoint delete",
    "labels put",
    "schedule create",
    "schedule list",
    "schedule show",
    "schedule pause",
    "schedule resume",
    "schedule delete",
    "schedule run",
    "runs list",
    "runs show",
    "alarm put",
    "alarm list",
    "alarm show",
    "alarm delete",
    "alarm history",
    "alarm ack",
    "alarm set-state",
    "alarm test",
    "alarm actions",
    "alarm mute",
    "alarm mutes",
    "alarm unmute",
    "token create",
    "token list",
    "token revoke",
    "audit",
    "demo",
    "doctor",
)
WITHOUT_JSON = {"serve", "invoke", "endpoint delete", "schedule delete", "alarm delete", "alarm unmute"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(cli: Cli, command: str) -> None:
    done = cli(*command.split(), "--help")
    assert done.code == 0
    assert done.out.strip().startswith(f"Usage: driftline {command}")
    assert ("--json" in done.out) == (command not in WITHOUT_JSON)
    assert done.err == ""


def test_the_list_of_commands_is_whole(cli: Cli) -> None:
    text = cli("--help").out
    assert all(command.split()[0] in text for command in COMMANDS)
    assert cli("--version").out.startswith("driftline 0.")


@pytest.mark.parametrize(
    "words",
    [
        ("frobnicate",),
        ("deploy",),
        ("deploy", "x"),
        ("runs", "list", "--limit", "none"),
        ("runs", "list", "--limit", "0"),
        ("check", "model-quality", "--minimum-sample", "0"),
        ("serve", "--data", "d", "--port", "70000"),
        ("endpoint", "capture", "x", "--percent", "101"),
        ("demo", "--twice"),
    ],
)
def test_wrong_usage_is_2(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli(*words)
    assert done.code == 2
    assert done.out == ""
    assert "Usage: driftline" in done.err


@pytest.mark.parametrize("words", [("runs", "list"), ("endpoint", "show", "x"), ("schedule", "run", "x")])
def test_without_a_service_a_command_says_what_to_do(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli(*words, "--url", "http://127.0.0.1:9")
    assert (done.code, done.out) == (2, "")
    assert "no driftline service answers at http://127.0.0.1:9" in done.err
    assert "driftline serve --data DIR" in done.err


def test_an_error_in_json_goes_to_stderr(cli: Cli) -> None:
    done = cli("runs", "list", "--url", "http://127.0.0.1:9", "--json")
    assert (done.code, done.out) == (2, "")
    error = json.loads(done.err)["error"]
    assert set(error) == {"code", "message", "evidence", "hint"}


def test_a_defect_is_2_and_never_a_verdict(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("driftline.client.Client.list_runs", broken)
    done = cli("runs", "list")
    assert (done.code, done.out) == (2, "")
    assert "RuntimeError: boom" in done.err
    assert "please report it" in done.err
    assert json.loads(cli("runs", "list", "--json").err)["error"]["code"] == "internal"


def read(done: Any, code: int = 0) -> Any:
    """The JSON that a command printed, and nothing else."""
    assert done.code == code, done.err
    return json.loads(done.out)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Captures, labels and a baseline file of 300 predictions."""
    folder = tmp_path_factory.mktemp("files")
    batch = prediction_batch(300, 3, skill=3.0)
    keys, labels, scores = (batch.column(name).to_pylist() for name in ("id", "label", "score"))
    write_captures(folder / "captures", quality_captures(batch))
    write_labels(folder / "labels", dict(zip(keys, labels, strict=True)))
    rows = "".join(f"{score!r},{label}\n" for score, label in zip(scores, labels, strict=True))
    (folder / "baseline.csv").write_text(f"probability,label\n{rows}")
    return folder


def baseline(cli: Cli, files: Path, *more: object) -> Any:
    command = ("baseline", "model-quality", files / "baseline.csv", "--probability", "probability")
    return cli(*command, "-o", files / "out", *more)


def check(cli: Cli, files: Path, *more: object) -> Any:
    where = ("--captures", files / "captures", "--constraints", files / "out" / "constraints.json")
    return cli("check", "model-quality", *where, "--probability-attribute", "0", *more)


def test_baseline_and_check_speak_json_and_text(cli: Cli, files: Path) -> None:
    found = read(baseline(cli, files, "--json"))
    assert found["item_count"] == 300
    assert Path(found["statistics"]).is_file()
    text = baseline(cli, files).out
    assert text.startswith("baseline of 300 rows\n")
    assert f"wrote {files / 'out' / 'constraints.json'}" in text
    good = check(cli, files, "--labels", files / "labels", "--json")
    assert read(good)["verdict"] == "OK"
    assert check(cli, files, "--labels", files / "labels").out.startswith("✓ OK  300 of 300")
    unknown = check(cli, files, "--json")
    assert read(unknown, 3)["reasons"][0]["code"] == "no_labels"


def test_a_check_that_is_violated_is_1(cli: Cli, files: Path, tmp_path: Path) -> None:
    baseline(cli, files)
    wrong = {f"record-3-{number}": "1" for number in range(300)}
    write_labels(tmp_path, wrong)
    done = check(cli, files, "--labels", tmp_path, "--json")
    found = read(done, 1)
    assert found["verdict"] == "VIOLATED"
    assert {violation["metric_name"] for violation in found["violations"]} >= {"recall", "f2"}


def test_a_window_leaves_out_the_rest(cli: Cli, files: Path) -> None:
    baseline(cli, files)
    window = ("--start", "2026-11-22T10:00:00Z", "--end", "2026-11-22T10:01:00Z")
    done = check(cli, files, "--labels", files / "labels", *window, "--json")
    assert json.loads(done.out)["item_count"] == 60
    assert check(cli, files, "--start", "yesterday").code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("baseline", "model-quality", "missing.csv", "--probability", "p", "-o", "out"), "missing.csv"),
        (("check", "model-quality", "--captures", "missing", "--probability-attribute", "0"), "missing"),
        (
            ("check", "model-quality", "--captures", ".", "--constraints", "no.json", "--inference-attribute", "0"),
            "no.json",
        ),
    ],
)
def test_files_that_are_missing_are_2(
    cli: Cli, words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli(*words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "to do:" in done.err


def test_endpoints(cli: Cli, url: str, model: Path) -> None:
    assert cli("endpoint", "list").out == "(none)\n"
    assert read(cli("endpoint", "list", "--json")) == []
    done = cli("deploy", "churn", "--model", model, "--capture-percent", "50", "--capture", "output")
    assert done.out.splitlines() == [
        f"churn serves {model}",
        f"  POST {url}/endpoints/churn/invocations",
        "  captures 50 % of requests (output)",
    ]
    assert read(cli("deploy", "other", "--model", model, "--json"))["capture"]["percent"] == 100
    header, first, _ = cli("endpoint", "list").out.splitlines()
    assert header.split() == ["endpoint", "model", "captured", "updated"]
    assert first == "churn     xgboost json  50 %      2026-11-22T10:00:00Z"
    answer = cli("invoke", "churn", "--inference-id", "a", text=b"1,2,3\n")
    assert answer.code == 0
    assert 0 < float(answer.out) < 1
    assert cli("invoke", "churn", text=b"1,2\n").code == 2
    changed = read(cli("endpoint", "capture", "churn", "--percent", "100", "--capture", "input,output", "--json"))
    assert (changed["capture"]["percent"], changed["capture"]["input"]) == (100, True)
    assert "None" not in cli("endpoint", "show", "churn").out
    assert read(cli("endpoint", "show", "churn", "--json"))["hours"] == []
    assert cli("endpoint", "capture", "churn", "--capture", "sideways").code == 2
    gone = cli("endpoint", "delete", "other")
    assert (gone.code, gone.out) == (0, "")
    assert cli("endpoint", "delete", "other").code == 2


def test_labels(cli: Cli, url: str, model: Path, tmp_path: Path) -> None:
    cli("deploy", "churn", "--model", model)
    file = tmp_path / "truth.csv"
    file.write_text("who,left\na,1\nb,\n")
    columns = ("--id-column", "who", "--label-column", "left")
    assert cli("labels", "put", "churn", file, *columns).out == "1 labels for churn, 1 rows without a label left out\n"
    assert read(cli("labels", "put", "churn", file, *columns, "--json"))["accepted"] == 1
    refused = cli("labels", "put", "churn", file)
    assert refused.code == 2
    assert "who" in refused.err
    assert cli("labels", "put", "churn", tmp_path / "none.csv").code == 2


def test_schedules_runs_and_alarms(cli: Cli, world: tuple[str, FakeClock], url: str, model: Path, files: Path) -> None:
    baseline(cli, files)
    cli("deploy", "churn", "--model", model)
    options = ("--constraints", files / "out" / "constraints.json", "--probability-attribute", "0")
    made = read(cli("schedule", "create", "hourly", "--endpoint", "churn", *options, "--json"))
    assert (made["cron"], made["baseline"], made["state"]) == ("0 * * * *", "hourly", "active")
    assert cli("schedule", "create", "hourly", "--endpoint", "churn", *options).code == 2
    refused = cli("schedule", "create", "own", "--endpoint", "churn", "--program", "own")
    assert refused.code == 2
    assert "writes a section [program.own] in programs.toml" in refused.err
    for state, command in (("paused", "pause"), ("active", "resume")):
        assert read(cli("schedule", command, "hourly", "--json"))["state"] == state
        assert cli("schedule", command, "hourly").out == f"hourly is {state}\n"
    assert read(cli("schedule", "list", "--json"))[0]["name"] == "hourly"
    assert "hourly" in cli("schedule", "list").out
    asked = cli("schedule", "run", "hourly", "--json")
    run = read(asked, 3)
    assert cli("runs", "show", run["id"]).code == 3
    assert "no captured prediction in the window" in cli("runs", "show", run["id"]).out
    assert read(cli("runs", "show", run["id"], "--json"), 3)["id"] == run["id"]
    assert [row["id"] for row in read(cli("runs", "list", "--schedule", "hourly", "--json"))] == [run["id"]]
    header, row = cli("runs", "list").out.splitlines()
    assert header.split("  ")[0].strip() == "run"
    assert row == f"{run['id']}  2026-11-22 09:00–10:00  UNKNOWN  hourly"
    assert len(row) <= 80
    assert read(cli("schedule", "show", "hourly", "--json"))["runs"][0]["id"] == run["id"]
    assert run["id"] in cli("schedule", "show", "hourly").out
    alarms(cli, world[1])
    assert cli("schedule", "delete", "hourly").code == 0
    assert cli("schedule", "show", "hourly").code == 2


def alarms(cli: Cli, clock: FakeClock) -> None:
    alarm = ("alarm", "put", "low", "--metric", "f2", "--endpoint", "churn", "--schedule", "hourly")
    limits = ("--operator", "LessThanThreshold", "--threshold", "0.6")
    assert cli("alarm", "list").out == "(none)\n"
    made = read(cli(*alarm, *limits, "--on-alarm", "https://hooks.example.com/secret", "--on-ok", "log", "--json"))
    assert made["state"] == "INSUFFICIENT_DATA"
    assert made["definition"]["alarm_actions"] == ["https://hooks.example.com/…"]
    assert cli(*alarm, *limits).out.startswith("low is INSUFFICIENT_DATA")
    assert read(cli("alarm", "list", "--json"))[0]["name"] == "low"
    assert "INSUFFICIENT_DATA" in cli("alarm", "list").out
    shown = read(cli("alarm", "show", "low", "--json"))
    assert (shown["history"], shown["deliveries"]) == ([], [])
    assert "low is INSUFFICIENT_DATA since" in cli("alarm", "show", "low").out
    assert cli(*alarm, "--operator", "Below", "--threshold", "0.6").code == 2
    assert cli(*alarm, "--operator", "LessThanThreshold", "--threshold", "nan").code == 2
    responses(cli)
    assert cli("alarm", "delete", "low").code == 0
    assert cli("alarm", "show", "low").code == 2
    clock.advance(timedelta(seconds=1))


def responses(cli: Cli) -> None:
    muted = read(cli("alarm", "mute", "low", "--minutes", 30, "--reason", "a drill", "--author", "ann", "--json"))
    assert muted["id"] in cli("alarm", "mutes").out
    assert cli("alarm", "set-state", "low", "ALARM", "--reason", "a drill").out == "low is ALARM: a drill\n"
    assert cli("alarm", "set-state", "low", "BROKEN").code == 2
    assert "a drill" in cli("alarm", "history", "low").out
    assert cli("alarm", "ack", "low", "--note", "seen", "--author", "ann").out.endswith("acknowledged by ann\n")
    assert "acknowledged by ann at" in cli("alarm", "show", "low").out
    assert "muted" in cli("alarm", "show", "low").out
    assert cli("alarm", "actions").out == "(none)\n"
    assert read(cli("alarm", "test", "low", "--state", "OK", "--json")) == []
    over = ("alarm", "put", "both", "--rule", "ALARM(low) AND NOT OK(low)", "--on-alarm", "log")
    assert cli(*over).out.startswith("both is ALARM")
    assert cli("alarm", "test", "both").out.splitlines()[1].split() == ["log", "sent", "accepted"]
    assert cli("alarm", "delete", "low").code == 2
    assert cli("alarm", "delete", "both").code == 0
    assert cli("alarm", "unmute", muted["id"]).code == 0


def test_doctor(cli: Cli, url: str, tmp_path: Path) -> None:
    found = read(cli("doctor", "--data", tmp_path, "--json"))
    warned = [finding["what"] for finding in found if finding["state"] != "ok"]
    assert [what.partition(":")[0] for what in warned] == ["access is off"]
    assert any(f"service at {url}" in finding["what"] for finding in found)
    lonely = cli("doctor", "--data", tmp_path / "none", "--url", "http://127.0.0.1:9")
    assert lonely.code == 0
    assert "! no driftline service answers at http://127.0.0.1:9" in lonely.out
    assert f"! there is no data folder {tmp_path / 'none'}" in lonely.out
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").touch()
    broken = cli("doctor", "--data", tmp_path / "file", "--json")
    assert "wrong" in {finding["state"] for finding in read(broken, 2)}


def test_the_demo_wants_an_empty_folder(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep me")
    done = cli("demo", "--once", "--data", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "is not an empty folder" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
