"""Captures in a bucket come back when the link to them was deleted, and only then."""

from __future__ import annotations

from pathlib import Path

from driftline.jobs.shown_captures import show_again
from driftline.service import Service


def test_a_link_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    with Service(tmp_path / "data") as service:
        service.register_endpoint("churn", {"destination": "s3://bucket/captured"}, upstream="http://x.test")
        link = service.layout.data / "s3" / "bucket" / "captured" / "churn"
        assert link.is_symlink()
        link.unlink()
        link.parent.rmdir()
        show_again(service.store, service.layout)
        assert link.resolve() == service.layout.captures("churn").resolve()
        link.unlink()
        link.write_text("another's")
        show_again(service.store, service.layout)
        assert link.read_text() == "another's"
