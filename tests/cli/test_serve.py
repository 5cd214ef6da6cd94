"""What cannot be used is told before ``driftline serve`` starts any process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DRIFTLINE_SHIP_AGE", "soon", "DRIFTLINE_SHIP_AGE is not a duration"),
        ("DRIFTLINE_CACHE_BYTES", "much", "DRIFTLINE_CACHE_BYTES is not a number of bytes"),
        ("DRIFTLINE_STORE", "lake/x", "'lake/x' names no object"),
        ("DRIFTLINE_S3_ENDPOINT", "minio", "DRIFTLINE_S3_ENDPOINT holds no address"),
    ],
)
def test_a_variable_that_says_nothing_is_told(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv("DRIFTLINE_STORE", "s3://lake/x")
    monkeypatch.setenv("DRIFTLINE_S3_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv(name, value)
    done = cli("serve", "--data", tmp_path / "data", "--port", "0")
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert "to do:" in done.err
