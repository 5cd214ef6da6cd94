"""Commands for models that are served elsewhere: register, proxy, and the imports of folders."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftline import Client
from driftline.client.trees import pieces, tree_of
from driftline.engine.compacted.hour import compact, look

Cli = Callable[..., Any]
HOUR = datetime(2026, 11, 20, 9, tzinfo=UTC)


def capture(name: str) -> str:
    side = {"data": "0.75", "encoding": "CSV", "mode": "OUTPUT"}
    metadata = {"eventId": name, "inferenceTime": "2026-11-20T09:10:11Z"}
    return json.dumps({"captureData": {"endpointOutput": side}, "eventMetadata": metadata, "eventVersion": "0"}) + "\n"


def truth(name: str) -> str:
    return json.dumps({"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": name}}) + "\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Captures of another system, with a broken line, links and files that are none."""
    hour = tmp_path / "bucket" / "churn" / "blue" / "2026" / "11" / "20" / "09"
    hour.mkdir(parents=True)
    (hour / "10-11-000-a.jsonl").write_text(capture("a") + capture("b"))
    (hour / "10-12-000-b.jsonl").write_text(capture("c") + '{"captureData"')
    (hour / "manifest.txt").write_text("no captures")
    secret = tmp_path / "secret.jsonl"
    secret.write_text(capture("secret"))
    (hour / "link.jsonl").symlink_to(secret)
    (hour / "inside.jsonl").symlink_to(hour / "10-11-000-a.jsonl")
    (tmp_path / "bucket" / "up").symlink_to(tmp_path)
    (tmp_path / "bucket" / "loop").symlink_to(tmp_path / "bucket")
    return tmp_path / "bucket"


def test_register_and_proxy(cli: Cli, url: str) -> None:
    made = cli("endpoint", "register", "far", "--capture-percent", "20")
    assert made.code == 0, made.err
    assert f"{url}/api/endpoints/far/events" in made.out
    shown = json.loads(cli("endpoint", "show", "far", "--json").out)
    assert (shown["model_path"], shown["capture"]["percent"]) == ("", 20)
    proxied = cli("endpoint", "proxy", "far", "--upstream", "http://127.0.0.1:9/predict")
    assert (proxied.code, "forwards to http://127.0.0.1:9/predict" in proxied.out) == (0, True)
    assert "to http://127.0.0.1:9/predict" in cli("endpoint", "list").out
    refused = cli("endpoint", "proxy", "far", "--upstream", "http://169.254.169.254/")
    assert (refused.code, "refused" in refused.err) == (2, True)


def test_a_tree_of_captures_is_imported_once_and_never_left(cli: Cli, url: str, tree: Path) -> None:
    assert cli("endpoint", "register", "imported").code == 0
    done = cli("captures", "import", "imported", tree, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["records"], found["repeated"], found["refused"], found["read"], found["outside"]) == (3, 2, 1, 3, 2)
    assert done.err.count("leads out of") == 2
    again = json.loads(cli("captures", "import", "imported", tree, "--json").out)
    assert (again["records"], again["files"], again["repeated"]) == (0, 0, 5)
    assert cli("captures", "import", "imported", tree / "none").code == 2
    assert cli("captures", "import", "nobody", tree).code == 2


def test_labels_of_a_tree_and_of_one_file(cli: Cli, url: str, tmp_path: Path) -> None:
    assert cli("endpoint", "register", "labelled").code == 0
    hour = tmp_path / "truth" / "2026" / "11" / "21" / "00"
    hour.mkdir(parents=True)
    (hour / "a.jsonl").write_text(truth("a") + truth("b"))
    single = tmp_path / "more.jsonl"
    single.write_text(truth("c"))
    os.utime(single, (1_795_000_000, 1_795_000_000))
    for place, expected in ((tmp_path / "truth", "2 labels"), (single, "1 labels"), (single, "0 labels")):
        done = cli("labels", "import", "labelled", place)
        assert (done.code, done.out.splitlines()[0].startswith(expected)) == (0, True), done


def test_pieces_are_whole_lines_and_always_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"".join(b"%d" % n + b"x" * n + b"\n" for n in range(50)) + b"half")
    cut = list(pieces(file, 100))
    assert b"".join(cut) == file.read_bytes()
    assert all(piece.endswith(b"\n") for piece in cut[:-1])
    assert cut == list(pieces(file, 100))


def test_folders_tell_variant_and_hour(tree: Path) -> None:
    found = tree_of(tree)
    assert {(file.variant, f"{file.moment:%Y-%m-%dT%H}") for file in found.files} == {("blue", "2026-11-20T09")}
    [one] = tree_of(tree / "churn" / "blue" / "2026" / "11" / "20" / "09" / "10-11-000-a.jsonl").files
    assert one.variant == "blue"


def test_what_was_imported_is_judged_like_any_other(cli: Cli, url: str, tmp_path: Path) -> None:
    assert cli("endpoint", "register", "judged").code == 0
    hour = tmp_path / "2026" / "11" / "21" / "00"
    hour.mkdir(parents=True)
    (tmp_path / "captures.jsonl").write_text("".join(capture(f"e-{n}") for n in range(40)))
    (hour / "truth.jsonl").write_text("".join(truth(f"e-{n}") for n in range(40)))
    for what, file in (("captures", tmp_path / "captures.jsonl"), ("labels", hour / "truth.jsonl")):
        assert cli(what, "import", "judged", file).code == 0
    limits = {"recall": {"threshold": 0.5, "comparison_operator": "LessThanThreshold"}}
    with Client(url) as client:
        client.put_baseline("imported", {"version": 0.0, "binary_classification_constraints": limits})
        attributes = {"probability_attribute": "0"}
        client.create_schedule(
            "imported", endpoint="judged", cron="0 * * * *", baseline="imported", attributes=attributes
        )
        asked = client.run_schedule("imported", start=HOUR, end=HOUR + timedelta(hours=1))
        run = client.wait_for_run(asked.id)
    assert (run.verdict, run.item_count) == ("OK", 40), run.violations


def test_a_proxy_answers_what_the_model_behind_it_answers(cli: Cli, url: str, model: Path) -> None:
    assert cli("deploy", "behind", "--model", model).code == 0
    assert cli("endpoint", "proxy", "front", "--upstream", f"{url}/endpoints/behind/invocations").code == 0
    direct, through = (cli("invoke", name, text=b"1,2,3") for name in ("behind", "front"))
    assert (through.code, through.out) == (0, direct.out), through.err
    assert cli("deploy", "front", "--model", model).code == 0
    with Client(url) as client:
        assert client.get_endpoint("front").upstream is None


def test_hours_are_compacted_and_restored(cli: Cli, tmp_path: Path) -> None:
    hour = tmp_path / "data" / "captures" / "churn" / "AllTraffic" / "2026" / "11" / "20" / "09"
    hour.mkdir(parents=True)
    made = {f"{number:02d}-00-000-a.jsonl": capture(f"c{number}") * 2 for number in range(9)}
    for name, text in made.items():
        (hour / name).write_text(text)
    where = ("churn", "--data", tmp_path / "data")
    early = cli("captures", "compact", *where, "--before", "2026-11-20T09:59Z")
    assert (early.code, "0 files of 0 hours compacted" in early.out) == (0, True), early.err
    tried = cli("captures", "compact", *where, "--dry-run", "--before", "2026-11-20T10:00Z")
    assert (tried.code, "9 files of 1 hours would be compacted" in tried.out) == (0, True), tried.err
    assert len(list(hour.iterdir())) == 9
    (done,) = json.loads(cli("captures", "compact", *where, "--before", "2026-11-20T10:00Z", "--json").out)
    assert (done["hour"], done["files"], len(done["paths"])) == ("2026-11-20T09:00:00Z", 9, 1)
    for name in made:
        (hour / name).unlink()
    copied = json.loads(cli("captures", "restore", *where, "--to", tmp_path / "copy", "--json").out)
    assert {Path(path).name: Path(path).read_text() for path in copied} == made
    assert "9 files of churn restored" in cli("captures", "restore", *where).out
    assert "0 files of churn restored" in cli("captures", "restore", *where).out
    assert {path.name: path.read_text() for path in hour.glob("*.jsonl")} == made


def test_compacted_hours_are_imported_line_by_line(cli: Cli, url: str, tmp_path: Path) -> None:
    hour = tmp_path / "bucket" / "AllTraffic" / "2026" / "11" / "20" / "09"
    hour.mkdir(parents=True)
    for number in range(9):
        (hour / f"{number:02d}-00-000-a.jsonl").write_text(capture(f"c{number}").removesuffix("\n" * (number % 2)))
    compact(look(hour))
    (hour / "00-00-000-a.jsonl").unlink()
    (hour / "50-00-000-a.jsonl").write_text(capture("late"))
    cli("endpoint", "register", "copied")
    ran = cli("captures", "import", "copied", tmp_path / "bucket", "--json")
    assert ran.code == 0, ran.err
    done = json.loads(ran.out)
    assert (done["records"], done["refused"], done["read"]) == (10, 0, 2)
