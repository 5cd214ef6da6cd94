"""Captures that also appear in a bucket of the data folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driftline.core.errors import ConflictError, InputError
from driftline.core.uris import object_uri
from driftline.jobs.shared.process import needed
from driftline.service import Service
from driftline.storage.buckets import open_objects
from driftline.testing import capture, write_captures


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.delenv("DRIFTLINE_S3_ENDPOINT", raising=False)
    with Service(tmp_path / "data") as service:
        yield service


def link_of(service: Service, name: str = "churn", prefix: str = "lake/some/where") -> Path:
    return service.layout.data / "s3" / prefix / name


def test_captures_appear_below_their_destination_and_move_with_the_folder(service: Service) -> None:
    made = service.register_endpoint("churn", {"destination": "s3://lake/some/where/"})
    assert made.capture.destination == "s3://lake/some/where/"
    write_captures(service.layout.captures("churn") / "AllTraffic", [capture("0.5", "e1")])
    found = list(open_objects(service.layout).listing(object_uri("s3://lake/some/where/churn/")))
    assert [str(one.uri) for one in found] == [
        "s3://lake/some/where/churn/AllTraffic/2026/11/22/10/00-00-000.jsonl"
    ]  # fmt: skip
    assert not link_of(service).readlink().is_absolute()
    service.configure_capture("churn", {"percent": 50})
    service.configure_capture("churn", {"destination": "s3://other-lake"})
    assert link_of(service, prefix="other-lake").resolve() == service.layout.captures("churn").resolve()
    assert service.configure_capture("churn", {"destination": ""}).capture.destination == ""


def test_an_empty_folder_is_no_obstacle_and_files_are(service: Service) -> None:
    link_of(service).mkdir(parents=True)
    service.register_endpoint("churn", {"destination": "s3://lake/some/where"})
    assert link_of(service).is_symlink()
    link_of(service, "other").mkdir()
    (link_of(service, "other") / "mine.txt").write_text("mine")
    with pytest.raises(ConflictError, match="captures cannot appear at s3://lake/some/where/other"):
        service.register_endpoint("other", {"destination": "s3://lake/some/where"})
    assert [one.name for one in service.list_endpoints()] == ["churn"]
    assert (link_of(service, "other") / "mine.txt").read_text() == "mine"


def test_a_destination_among_captures_is_refused(service: Service) -> None:
    service.register_endpoint("churn", {"destination": "s3://lake/some/where"})
    with pytest.raises(ConflictError, match="among the captures of another endpoint"):
        service.register_endpoint("other", {"destination": "s3://lake/some/where/churn"})
    assert not service.layout.captures("churn").joinpath("other").exists()


def test_what_is_no_destination_is_refused(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="names no object"):
        service.register_endpoint("churn", {"destination": "somewhere"})
    monkeypatch.setenv("DRIFTLINE_S3_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="names no object"):
        service.register_endpoint("churn", {"destination": "somewhere"})
    assert service.list_endpoints() == []


def test_where_buckets_are_elsewhere_a_destination_is_the_shippers(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_S3_ENDPOINT", "http://127.0.0.1:9")
    assert service.register_endpoint("churn", {"destination": "s3://lake"}).capture.destination == "s3://lake"
    assert not link_of(service, prefix="lake").is_symlink()
    assert needed(service.layout)


def test_a_destination_in_another_cloud_wants_a_shipper(service: Service) -> None:
    assert not needed(service.layout)
    service.register_endpoint("other", {"destination": "s3://lake"})
    assert not needed(service.layout)
    service.register_endpoint("churn", {"destination": "gs://some-lake/x"})
    assert needed(service.layout)
