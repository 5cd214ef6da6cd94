"""The ledger of what is in buckets."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from driftline.core.errors import SetupError
from driftline.jobs.shared.ledger import Entry, Ledger, Owed

TARGET = "s3://lake/x"
ONE = Entry("captures/a/1.jsonl", 3, "tag", "sent", 5.0)


def test_entries_are_of_a_target_and_below_a_folder(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "shipping.db")
    beside = Entry("captures/a-b/1.jsonl", 4, "", "fetched", 6.0)
    ledger.enter(TARGET, [ONE, beside])
    ledger.enter("s3://lake/y", [ONE._replace(size=9)])
    assert ledger.entry(TARGET, ONE.path) == ONE
    assert ledger.entries(TARGET, "captures/a") == {ONE.path: ONE}
    assert set(ledger.entries(TARGET)) == {ONE.path, beside.path}
    ledger.enter(TARGET, [ONE._replace(size=7)])
    assert ledger.entries(TARGET, "captures/a")[ONE.path].size == 7
    ledger.strike([ONE.path])
    assert ledger.entry(TARGET, ONE.path) is None
    assert ledger.entry("s3://lake/y", ONE.path) is None


def test_what_is_owed_is_owed_until_it_is_told(tmp_path: Path) -> None:
    first, second = Owed("a", "captures", 3600.0), Owed("a", "labels", 0.0)
    Ledger(tmp_path / "shipping.db").enter(TARGET, [ONE], [first, second, first])
    ledger = Ledger(tmp_path / "shipping.db")
    owed = ledger.owed()
    assert owed == [second, first._replace(times=2)]
    ledger.enter(TARGET, [ONE], [first])
    ledger.settle(owed)
    assert ledger.owed() == [first._replace(times=3)]
    ledger.settle(ledger.owed())
    assert ledger.owed() == []


def test_a_file_that_is_read_is_not_evicted(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "shipping.db")
    other = ONE._replace(path="captures/b/1.jsonl")
    for entry in (ONE, other):
        (tmp_path / entry.path).parent.mkdir(parents=True)
        (tmp_path / entry.path).write_bytes(b"abc")
    ledger.enter(TARGET, [ONE, other])
    ledger.reading(["captures/a"], 100.0)
    assert ledger.evict(tmp_path, [ONE.path, other.path, "captures/c/none"], 50.0) == 3
    assert (tmp_path / ONE.path).exists()
    assert list(ledger.entries(TARGET)) == [ONE.path]
    assert ledger.evict(tmp_path, [ONE.path], 101.0) == 3


@pytest.mark.parametrize("damage", ["removed", "no database", "cut", "before it is opened"])
def test_a_lost_or_damaged_ledger_is_made_anew(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "shipping.db"
    ledger = Ledger(file)
    ledger.learnt(TARGET)
    ledger.enter(TARGET, [ONE._replace(path=f"captures/{number}") for number in range(2000)])
    assert ledger.knows(TARGET)
    if damage == "removed":
        for path in tmp_path.glob("shipping.db*"):
            path.unlink()
    elif damage == "cut":
        ledger._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        content = file.read_bytes()
        file.write_bytes(content[:4096] + b"\x00" * (len(content) - 4096))
    else:
        for path in tmp_path.glob("shipping.db-*"):
            path.unlink()
        file.unlink()
        file.write_bytes(b"something else " * 1000)
    if damage in ("cut", "before it is opened"):
        ledger = Ledger(file)
    # Whoever had it open is told of the damage once.
    with suppress(SetupError):
        ledger.enter(TARGET, [ONE])
    ledger.enter(TARGET, [ONE])
    assert ledger.entry(TARGET, ONE.path) == ONE
    assert not ledger.knows(TARGET)
    assert file.with_name("shipping.db.damaged").exists() == (damage != "removed")


def test_threads_and_processes_enter_at_once(tmp_path: Path) -> None:
    file = tmp_path / "shipping.db"
    code = (
        "import sys; from pathlib import Path; from driftline.jobs.shared.ledger import Entry, Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "for n in range(40): ledger.enter('t', [Entry(f'{sys.argv[2]}/{n}', n, '', 'sent', 0.0)])"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(file), name]) for name in ("p", "q")]
    ledger = Ledger(file)

    def enter(name: str) -> None:
        for number in range(40):
            ledger.enter("t", [Entry(f"{name}/{number}", number, "", "sent", 0.0)])

    threads = [threading.Thread(target=enter, args=(name,)) for name in ("r", "s")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait(60) for other in others] == [0, 0]
    assert len(ledger.entries("t")) == 160
