"""What pages load: nothing but files of our own, small, and of a known origin."""

from __future__ import annotations

import gzip
import hashlib
from importlib.resources import files
from typing import Any

from litestar.testing import TestClient

from driftline.web.pages.static import assets, link

VENDORED = {
    "uPlot.iife.min.js": "4408ace91a18b4888998171e122da65b9ab28711c30f19a6a591491c5a82caf1",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
"""Release 1.6.32 of uPlot, as its repository has it under ``dist``."""
BUDGET = 40 << 10


def test_what_others_wrote_is_unchanged_and_has_its_licence() -> None:
    folder = files("driftline.web") / "static" / "vendor"
    for name, digest in VENDORED.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    licence = (folder / "uPlot.LICENSE").read_text()
    assert "MIT License" in licence
    assert "Leon Sorokin" in licence


def test_all_scripts_together_are_within_the_budget() -> None:
    weight = sum(len(gzip.compress(asset.body)) for name, asset in assets().items() if name.endswith(".js"))
    assert weight <= BUDGET, f"{weight} bytes"


def test_files_may_be_kept_by_browsers_as_long_as_they_are_the_same(web: TestClient[Any]) -> None:
    fresh = web.get(link("style.css"))
    assert fresh.status_code == 200
    assert "immutable" in fresh.headers["cache-control"]
    assert web.get("/static/style.css").headers["cache-control"] == "no-cache"
    assert web.get("/static/style.css?v=old").headers["cache-control"] == "no-cache"
    assert web.get("/static/uPlot.LICENSE").status_code == 404
