"""The register of environment variables, and what their texts mean."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import driftline
from driftline.core.configuration import (
    ALLOW_UPSTREAM,
    BYTES,
    COMPACT_AFTER,
    LEASE,
    SECONDS,
    SETTINGS,
    SPOOL_BYTES,
    SSE,
    TOKEN,
    Setting,
    bytes_of,
    seconds_of,
)
from driftline.core.errors import InputError

SOURCE = Path(driftline.__file__).parent


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0", 0), ("10GiB", 10 * 2**30), ("10 gib", 10 * 2**30), ("1.5Ki", 1536), ("2TB", 2 * 10**12), (".5k", 500)],
)
def test_bytes(text: str, amount: int) -> None:
    assert bytes_of(text) == amount


@pytest.mark.parametrize("text", ["", "GiB", "-1", "1e400", "ten", "10 GiBs", "1,5GB", "nan", "inf", "9" * 400, "PT"])
def test_what_is_no_amount(text: str) -> None:
    for read in (bytes_of, seconds_of):
        with pytest.raises(ValueError, match="such as"):
            read(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("0.5", 0.5), ("2m", 120), ("15 MIN", 900), ("7d", 604800), ("PT6H", 21600)]
)
def test_seconds(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


def test_what_is_not_set_or_empty_is_the_default() -> None:
    for environment in ({}, {"DRIFTLINE_SPOOL_BYTES": ""}, {"DRIFTLINE_SPOOL_BYTES": "  "}):
        assert SPOOL_BYTES.of(environment) is None
    assert ALLOW_UPSTREAM.of({}) == ()
    assert ALLOW_UPSTREAM.of({"DRIFTLINE_ALLOW_UPSTREAM": " 10.0.0.0/8, ,host"}) == ("10.0.0.0/8", "host")


def test_a_duration_may_be_never_where_that_means_something() -> None:
    assert COMPACT_AFTER.of({"DRIFTLINE_COMPACT_AFTER": "never"}) is None
    assert COMPACT_AFTER.of({"DRIFTLINE_COMPACT_AFTER": "PT30M"}) == 1800


def test_every_default_can_be_understood() -> None:
    for setting in SETTINGS:
        setting.of({})


def test_an_error_names_the_variable_and_shows_what_it_holds() -> None:
    with pytest.raises(InputError, match="DRIFTLINE_LEASE is not a duration above 0") as raised:
        LEASE.of({"DRIFTLINE_LEASE": "0"})
    assert "'0'" in raised.value.evidence
    with pytest.raises(InputError, match="DRIFTLINE_SSE is not one of bucket, AES256, aws:kms, aws:kms:dsse"):
        SSE.of({"DRIFTLINE_SSE": "rot13"})


@pytest.mark.parametrize("kind", [BYTES, SECONDS])
def test_what_a_secret_variable_holds_is_in_no_message(kind: object) -> None:
    setting: Setting[object] = Setting("DRIFTLINE_X", "", kind, secret=True)  # type: ignore[arg-type]
    with pytest.raises(InputError) as raised:
        setting.of({"DRIFTLINE_X": "hunter2"})
    error: BaseException | None = raised.value
    assert "DRIFTLINE_X" in str(error)
    while error is not None:
        assert "hunter2" not in f"{error} {error.args}"
        error = error.__cause__


def test_what_may_hold_a_password_is_secret() -> None:
    assert {one.name for one in SETTINGS if one.secret} >= {TOKEN.name, "DRIFTLINE_DATABASE", "DRIFTLINE_SPARK"}


def test_names_are_unique_and_ours() -> None:
    names = [one.name for one in SETTINGS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"DRIFTLINE_[A-Z0-9_]+", name) for name in names)


def test_every_name_in_the_source_is_in_the_register() -> None:
    known = {one.name for one in SETTINGS}
    for path in SOURCE.rglob("*.*"):
        if path.suffix in {".py", ".html", ".js", ".css"}:
            found = set(re.findall(r"\bDRIFTLINE_[A-Z0-9_]*[A-Z0-9]", path.read_text(encoding="utf-8")))
            assert found <= known, path


def test_the_register_alone_says_how_a_variable_is_read() -> None:
    read = re.compile(r"""(environ|getenv)\W*(\.get|\.pop|\.setdefault)?\W*["']DRIFTLINE_""")
    assert [path for path in SOURCE.rglob("*.py") if read.search(path.read_text(encoding="utf-8"))] == []
