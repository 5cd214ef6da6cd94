"""``capture.log``: what is recorded, what is counted, and that nothing but a wrong name is ever raised."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline import InputError, Service, Window, capture
from driftline.core.records import CaptureRecord
from driftline.resources.endpoints import CaptureSettings

Records = Callable[[], list[CaptureRecord]]


def test_text_is_csv_and_values_are_json(data: Path, records: Records) -> None:
    first = capture.log("churn", "1,2,3", "0.7", data=data, inference_id="o-1")
    second = capture.log("churn", {"a": [1, 2]}, np.float64(0.25), data=data, custom_attributes="shop=7")
    third = capture.log("churn", b"\xff\x00", np.array([[0.5, 0.5]]), data=data, input_type="image/png")
    one, two, three = records()
    assert [one.event_metadata.event_id, two.event_metadata.event_id, three.event_metadata.event_id] == [
        first,
        second,
        third,
    ]
    assert (one.join_key, two.event_metadata.custom_attributes) == ("o-1", ["shop=7"])
    sides = [
        (s.data, s.encoding)
        for r in (one, two)
        for s in (r.capture_data.endpoint_input, r.capture_data.endpoint_output)
        if s
    ]
    assert sides == [("1,2,3", "CSV"), ("0.7", "CSV"), ('{"a":[1,2]}', "JSON"), ("0.25", "JSON")]
    assert three.capture_data.endpoint_input is not None
    assert (three.capture_data.endpoint_input.data, three.capture_data.endpoint_input.encoding) == ("/wA=", "BASE64")
    assert capture.counts("churn", data=data) == (3, 0, 0)


def test_what_cannot_be_captured_is_counted_and_never_raised(data: Path, records: Records) -> None:
    assert capture.log("churn", object(), "1", data=data) is None
    assert capture.log("churn", "1", "1", data=data, inference_id="bad\nid") is None
    assert capture.log("churn", "1", "1", data=data, inference_id="x" * 2000) is None
    assert capture.log("churn", "\ud800", "1", data=data) is None
    assert capture.counts("churn", data=data) == (0, 0, 3 + 1)
    assert records() == []
    with pytest.raises(InputError, match="not a name for an endpoint"):
        capture.log("../etc", "1", "1", data=data)


def test_a_folder_that_cannot_be_written_fails_no_prediction(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert capture.log("churn", "1", "1", data=tmp_path / "file") is None
    assert capture.counts("churn", data=tmp_path / "file") == (0, 0, 1)


def test_sampling_and_sides(data: Path, records: Records) -> None:
    half = CaptureSettings(percent=50, input=False)
    kept = [capture.log("churn", "1", "2", data=data, inference_id=f"o-{n}", capture=half) for n in range(200)]
    captured, out, dropped = capture.counts("churn", data=data)
    assert captured == len(records()) == sum(event is not None for event in kept)
    assert (captured + out, dropped) == (200, 0)
    assert 60 < captured < 140
    assert all(record.capture_data.endpoint_input is None for record in records())


def test_the_counts_reach_the_service_s_store(data: Path) -> None:
    with Service(data) as service:
        service.register_endpoint("churn")
        capture.log("churn", "1", "2", data=data)
        capture.log("churn", object(), "2", data=data)
        capture.flush(data=data)
        now = datetime.now(UTC)
        hours = service.capture_counts("churn", Window(now - timedelta(hours=2), now + timedelta(hours=1)))
        assert (sum(hour.captured for hour in hours), sum(hour.dropped for hour in hours)) == (1, 1)


def test_many_processes_write_whole_lines_and_a_fork_counts_for_itself(data: Path, records: Records) -> None:
    code = """
import os, sys
from driftline import capture
data = sys.argv[1]
capture.log("churn", "0", "parent", data=data)
children = []
for child in range(3):
    pid = os.fork()
    if pid == 0:
        for n in range(200):
            assert capture.log("churn", str(n), "x" * 500, data=data, inference_id=f"{child}-{n}")
        assert capture.counts("churn", data=data) == (200, 0, 0)
        capture.flush(data=data)
        os._exit(0)
    children.append(pid)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
assert capture.counts("churn", data=data) == (1, 0, 0)
sys.exit(max(codes))
"""
    ran = subprocess.run([sys.executable, "-c", code, str(data)], env=os.environ, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found = records()
    assert len(found) == 601
    assert len({record.event_metadata.event_id for record in found}) == 601


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.text(max_size=50),
        st.recursive(st.none() | st.integers() | st.floats(), st.lists, max_leaves=5),
    ),
    name=st.none() | st.text(max_size=20),
)
def test_any_value_and_id_is_one_line_or_one_count(data: Path, records: Records, body: Any, name: str | None) -> None:
    before, dropped = len(records()), capture.counts("prop", data=data).dropped
    event = capture.log("prop", body, body, data=data, inference_id=name)
    after = len(records()) - before, capture.counts("prop", data=data).dropped - dropped
    assert after == ((1, 0) if event else (0, 1))
