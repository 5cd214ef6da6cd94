"""The capture log: records equal to the core's, rotation, counters, and disks that do not do as they are told."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.core import records
from driftline.core.errors import InputError
from driftline.resources.endpoints import CaptureSettings
from driftline.serving.capture_log import CaptureCount, CaptureLog
from driftline.serving.capture_records import Exchange, capture_line, event_id, inference_time
from driftline.serving.endpoints import EndpointConfig
from driftline.serving.sampler import chosen, threshold
from driftline.storage import spool
from driftline.storage.layout import Layout

HOUR = datetime(2026, 11, 22, 10, tzinfo=UTC)


def endpoint(name: str = "churn", **capture: Any) -> EndpointConfig:
    return EndpointConfig(name, Path("model.json"), capture=CaptureSettings(**capture))


def exchange(inference_id: str | None = None) -> Exchange:
    return Exchange(b"1,2,3", "text/csv", b"0.5", "text/csv; charset=utf-8", inference_id)


def files(root: Path) -> list[Path]:
    return sorted(root.rglob("*.jsonl"))


def captured(root: Path) -> list[records.CaptureRecord]:
    """Every record of every file; fails on half a line."""
    lines = [line for file in files(root) for line in file.read_bytes().splitlines(keepends=True)]
    assert all(line.endswith(b"\n") for line in lines)
    return [records.decode_capture(line) for line in lines]


def counts(log: CaptureLog) -> list[tuple[int, int, int]]:
    return [(count.captured, count.sampled_out, count.dropped) for count in log.drain_counters()]


def disk_of(room: int) -> Callable[[int, bytes], int]:
    """An ``os.write`` for a disk with so many bytes left."""
    write = os.write

    def short(file: int, data: bytes) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, "no space left")
        count = write(file, data[:room])
        room -= count
        return count

    return short


text = st.text(max_size=30)


@given(
    st.binary(max_size=60) | text.map(lambda value: value.encode("utf-8", "replace")),
    text.map(lambda value: value.encode("utf-8", "replace").decode()),
    st.sampled_from(["text/csv", "text/csv; charset=utf-8", "application/json", "image/png", "text/x-own", "é"]),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.integers(0, 4_000_000_000),
    st.sampled_from([(True, True), (True, False), (False, True)]),
)
def test_a_line_is_what_the_core_writes(
    body: bytes, attributes: str, content_type: str, inference_id: str | None, second: int, sides: tuple[bool, bool]
) -> None:
    settings = CaptureSettings(input=sides[0], output=sides[1], csv_types=("text/csv", "text/x-own"))
    event = event_id()
    custom = attributes or None
    fast = Exchange(body, content_type, b"0.5", "text/csv; charset=utf-8", inference_id, custom, event)

    def encoding(kind: str) -> records.Encoding:
        return records.encoding_of(kind, settings.csv_types, settings.json_types)

    record = records.CaptureRecord(
        records.CaptureData(
            records.payload(body, content_type, "INPUT", encoding(content_type)) if sides[0] else None,
            records.payload(b"0.5", "text/csv; charset=utf-8", "OUTPUT", "CSV") if sides[1] else None,
        ),
        records.EventMetadata(event, inference_id, [custom] if custom else None, records.utc(second)),
    )
    assert capture_line(fast, settings, inference_time(second)) == records.encode_line(record)


def test_event_ids_are_random_uuids_of_version_4() -> None:
    from uuid import UUID

    ids = {event_id() for _ in range(2000)}
    assert len(ids) == 2000
    assert {(UUID(text).version, UUID(text).variant) for text in ids} == {(4, "specified in RFC 4122")}
    assert all(str(UUID(text)) == text for text in ids)


def test_path_and_content(tmp_path: Path, clock: Any) -> None:
    log = CaptureLog(tmp_path, clock)
    given_id = exchange("o-17")
    log.append(endpoint(), [exchange(), given_id])
    (path,) = files(tmp_path)
    assert path.parent == tmp_path / "churn/AllTraffic/2026/11/22/10"
    assert path.name.startswith("30-15-250-")
    first, second = captured(tmp_path)
    assert second.join_key == "o-17"
    assert second.event_metadata.event_id == given_id.event_id
    assert first.event_metadata.inference_time == datetime(2026, 11, 22, 10, 30, 15, tzinfo=UTC)
    assert log.drain_counters() == [CaptureCount("churn", HOUR, 2, 0, 0)]
    assert log.drain_counters() == []


def test_hours_sizes_and_ages_rotate(tmp_path: Path, clock: Any) -> None:
    closed: list[Path] = []
    log = CaptureLog(tmp_path, clock, max_bytes=1000, max_age=60, closed=closed.append)
    start = clock.now
    steps = [(0.0, 1), (1.0, 1), (1.5, 1), (2.0, 2), (61.5, 2), (62.0, 3), (29 * 60 + 45, 4), (29 * 60, 5)]
    for offset, number in steps:
        clock.now = start + offset
        log.append(endpoint(), [exchange()])
        assert len(files(tmp_path)) == number, offset
    assert len(closed) == 4
    assert len(captured(tmp_path)) == len(steps)
    for file in files(tmp_path):
        hours = {
            f"{records.decode_capture(line).event_metadata.inference_time:%H}"
            for line in file.read_bytes().splitlines()
        }
        assert hours == {file.parent.name}
    assert [(count.hour.hour, count.captured) for count in log.drain_counters()] == [(10, 7), (11, 1)]


def test_idle_files_are_closed_by_rotate(tmp_path: Path, clock: Any) -> None:
    closed: list[Path] = []
    log = CaptureLog(tmp_path, clock, max_age=60, closed=closed.append)
    log.append(endpoint(), [exchange()])
    log.append(endpoint("other"), [exchange()])
    log.rotate()
    assert closed == []
    log.release("other")
    assert len(closed) == 1
    clock.now += 61
    log.rotate()
    assert sorted(closed) == files(tmp_path)
    log.append(endpoint(), [exchange()])
    log.close()
    assert len(closed) == 3


def test_settings_choose_what_is_kept(tmp_path: Path, clock: Any) -> None:
    log = CaptureLog(tmp_path, clock)
    log.append(endpoint(input=False), [exchange()])
    log.append(endpoint(output=False), [exchange()])
    left_out = [exchange(), exchange()]
    log.append(endpoint(input=False, output=False), left_out)
    log.append(endpoint(percent=0), left_out)
    assert [one.event_id for one in left_out] == [None, None]
    first, second = captured(tmp_path)
    assert first.capture_data.endpoint_input is None
    assert second.capture_data.endpoint_output is None
    assert counts(log) == [(2, 4, 0)]


@pytest.mark.parametrize("percent", [0.5, 20, 99.5])
def test_sampling_is_a_function_of_the_id(percent: float, tmp_path: Path, clock: Any) -> None:
    log = CaptureLog(tmp_path, clock)
    many = [exchange(f"o-{number}") for number in range(4000)]
    log.append(endpoint(percent=percent), many)
    kept = {record.join_key for record in captured(tmp_path)}
    assert kept == {f"o-{number}" for number in range(4000) if chosen(f"o-{number}", threshold(percent))}
    assert kept == {one.inference_id for one in many if one.event_id}
    assert abs(len(kept) / 40 - percent) < 4 * (percent * (100 - percent) / 4000) ** 0.5
    assert counts(log) == [(len(kept), 4000 - len(kept), 0)]


def test_without_an_inference_id_the_event_id_decides(tmp_path: Path, clock: Any) -> None:
    log = CaptureLog(tmp_path, clock)
    log.append(endpoint(percent=50), [exchange() for _ in range(400)])
    kept = [record.event_metadata.event_id for record in captured(tmp_path)]
    assert 140 < len(kept) < 260
    assert all(chosen(event, threshold(50)) for event in kept)


@pytest.mark.parametrize("percent", [-1, 100.1, float("nan"), float("inf")])
def test_a_percentage_out_of_range_is_refused(percent: float) -> None:
    with pytest.raises(InputError, match="out of range"):
        CaptureSettings(percent=percent)


@pytest.mark.parametrize("cut", [0, 1, 200, 450, 700, 901])
def test_a_short_write_keeps_whole_lines(cut: int, tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    log = CaptureLog(tmp_path, clock)
    log.append(endpoint(), [exchange("before")])
    write = os.write
    monkeypatch.setattr(os, "write", disk_of(cut))
    batch = [exchange("a"), exchange("b"), exchange("c")]
    log.append(endpoint(), batch)
    monkeypatch.setattr(os, "write", write)
    log.append(endpoint(), [exchange("after")])
    kept = [one.inference_id for one in batch if one.event_id]
    assert [record.join_key for record in captured(tmp_path)] == ["before", *kept, "after"]
    assert counts(log) == [(2 + len(kept), 0, 3 - len(kept))]
    assert len(files(tmp_path)) == 1


def test_a_write_that_was_only_interrupted_is_completed(
    tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = CaptureLog(tmp_path, clock)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:100]))
    log.append(endpoint(), [exchange("a"), exchange("b")])
    assert [record.join_key for record in captured(tmp_path)] == ["a", "b"]
    assert counts(log) == [(2, 0, 0)]


def test_half_a_line_that_stays_is_never_followed(tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    log = CaptureLog(tmp_path, clock)
    log.append(endpoint(), [exchange("before")])

    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", disk_of(40))
        patch.setattr(os, "ftruncate", fail)
        log.append(endpoint(), [exchange("half")])
    log.append(endpoint(), [exchange("after")])
    whole = [file.read_bytes() for file in files(tmp_path)]
    assert sorted(data.count(b"\n") for data in whole) == [1, 1]
    assert [data.endswith(b"\n") for data in whole].count(False) == 1
    assert counts(log) == [(2, 0, 1)]


@pytest.mark.parametrize(("code", "expected"), [(errno.ENOSPC, 1), (errno.EFBIG, 2), (errno.EIO, 2)])
def test_a_failed_write_is_a_counted_drop(
    code: int, expected: int, tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = CaptureLog(tmp_path, clock)
    log.append(endpoint(), [exchange("before")])

    def fail(*_: Any) -> int:
        raise OSError(code, os.strerror(code))

    lost = exchange("lost")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        log.append(endpoint(), [lost])
    log.append(endpoint(), [exchange("after")])
    assert lost.event_id is None
    assert sorted(record.join_key for record in captured(tmp_path)) == ["after", "before"]
    assert len(files(tmp_path)) == expected
    assert counts(log) == [(2, 0, 1)]


def test_a_folder_that_cannot_be_made_is_a_counted_drop(tmp_path: Path, clock: Any) -> None:
    (tmp_path / "churn").write_text("in the way")
    log = CaptureLog(tmp_path, clock)
    log.append(endpoint(), [exchange(), exchange()])
    assert counts(log) == [(0, 0, 2)]
    (tmp_path / "churn").unlink()
    log.append(endpoint(), [exchange()])
    assert counts(log) == [(1, 0, 0)]


def test_a_deleted_file_is_noticed_within_a_second(tmp_path: Path, clock: Any) -> None:
    log = CaptureLog(tmp_path, clock)
    log.append(endpoint(), [exchange("a")])
    files(tmp_path)[0].unlink()
    clock.now += 1
    log.append(endpoint(), [exchange("b")])
    assert [record.join_key for record in captured(tmp_path)] == ["b"]


def test_a_forked_process_opens_its_own_file(tmp_path: Path, clock: Any, fork: Callable[[Any], int]) -> None:
    log = CaptureLog(tmp_path, clock)
    log.append(endpoint(), [exchange("parent")])
    clock.now += 1
    assert fork(lambda: log.append(endpoint(), [exchange("child")])) == 0
    log.append(endpoint(), [exchange("parent")])
    assert sorted(file.read_bytes().count(b"\n") for file in files(tmp_path)) == [1, 2]


@pytest.fixture
def fork() -> Callable[[Callable[[], None]], int]:
    """Runs a function in a forked process and returns its exit code."""

    def run(function: Callable[[], None]) -> int:
        process = os.fork()
        if process == 0:
            code = 1
            try:
                function()
                code = 0
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

    return run


def test_a_full_spool_drops_and_counts_and_no_request_fails(tmp_path: Path) -> None:
    layout, now = Layout(tmp_path), 1_800_000_000.0
    moment = [now]
    log = CaptureLog(tmp_path / "captures", lambda: moment[0])
    log.append(endpoint(), [exchange()])
    spool.tell(layout, spool.Shipping(now, full=True))
    moment[0] += 1
    refused = [exchange(), exchange()]
    log.append(endpoint(), refused)
    assert [one.event_id for one in refused] == [None, None]
    log.rotate()
    assert spool.dropped(tmp_path) == 2
    spool.tell(layout, spool.Shipping(now))
    log.rotate()
    log.append(endpoint(), [exchange()])
    assert counts(log) == [(2, 0, 2)]
    assert len(captured(tmp_path / "captures")) == 2
    log.close()


def test_the_mark_of_a_shipper_that_is_gone_counts_for_nothing(tmp_path: Path) -> None:
    spool.tell(Layout(tmp_path), spool.Shipping(0.0, full=True))
    assert spool.full(tmp_path)
    long_ago = (tmp_path / "spool.full").stat().st_mtime - spool.STALE
    os.utime(tmp_path / "spool.full", (long_ago, long_ago))
    assert not spool.full(tmp_path)
