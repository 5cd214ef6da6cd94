"""Archives: the right member is found, and nothing hostile gets through."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.errors import DriftlineError, ModelError, TooLargeError
from driftline.serving.archive import is_archive, model_member


def packed(*members: tuple[str, bytes], mode: str = "w:gz", **attributes: Any) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in attributes.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_the_only_file_is_the_model(mode: str) -> None:
    data = packed(("some-name", b"model"), mode=mode)
    assert is_archive(data)
    assert model_member(data, "m.tar.gz") == ("some-name", b"model")


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["README", "xgboost-model", "model.json"], "xgboost-model"),
        (["notes.md", "./model.json"], "./model.json"),
        (["notes.md", "booster.ubj"], "booster.ubj"),
        (["._xgboost-model", "code/inference.py", "xgboost-model"], "xgboost-model"),
    ],
)
def test_the_best_name_wins(names: list[str], chosen: str) -> None:
    data = packed(*((name, name.encode()) for name in names))
    assert model_member(data, "m.tar.gz") == (chosen, chosen.encode())


@pytest.mark.parametrize("name", ["/etc/passwd", "../model.json", "a/../../model.json", "..\\model.json"])
def test_a_path_that_points_outside_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="outside the archive"):
        model_member(packed((name, b"x"), ("xgboost-model", b"y")), "m.tar.gz")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_no_model(kind: bytes) -> None:
    with pytest.raises(ModelError, match="holds no model file") as caught:
        model_member(packed(("xgboost-model", b""), type=kind, linkname="/etc/passwd"), "m.tar.gz")
    assert "xgboost-model" in caught.value.evidence


def test_two_equal_candidates_are_named() -> None:
    with pytest.raises(ModelError, match="2 files that could be") as caught:
        model_member(packed(("a.json", b"1"), ("b.json", b"2")), "m.tar.gz")
    assert "a.json, b.json" in caught.value.evidence


def test_limits_hold() -> None:
    bomb = packed(("model.json", bytes(40 << 20)))
    with pytest.raises(TooLargeError, match="unpacks to more than"):
        model_member(bomb, "m.tar.gz")
    with pytest.raises(TooLargeError, match="unpacks to more than 1,000,000 bytes"):
        model_member(packed(("model.json", b"x" * 2_000_000)), "m.tar.gz", max_bytes=1_000_000)
    with pytest.raises(TooLargeError, match="more than 5 files"):
        model_member(packed(*((f"{n}", b"") for n in range(6))), "m.tar.gz", max_members=5)


def test_a_size_that_is_only_claimed_is_an_error() -> None:
    whole = bytearray(packed(("model.json", b"x" * 600), mode="w"))
    assert model_member(bytes(whole), "m").data == b"x" * 600
    for cut in (100, 513, 700, 1000):
        with pytest.raises(ModelError):
            model_member(bytes(whole[:cut]), "m")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=1500), st.booleans(), st.integers(0, 1023), st.binary(min_size=1, max_size=12))
def test_any_bytes_give_a_member_or_our_error(noise: bytes, zipped: bool, position: int, patch: bytes) -> None:
    plain = bytearray(packed(("model.json", b"{}" * 300), mode="w"))
    plain[position : position + len(patch)] = patch
    for data in (noise, bytes(plain), b"\x1f\x8b" + noise, gzip.compress(bytes(plain)) if zipped else noise):
        refused: DriftlineError | None = None
        try:
            assert isinstance(model_member(data, "m").data, bytes)
        except DriftlineError as error:
            refused = error
        assert refused is None or refused.hint


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret", "xgboost-model"])
def test_a_link_beside_the_model_is_passed_over(kind: bytes, target: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        link = tarfile.TarInfo("model.json")
        link.type, link.linkname = kind, target
        archive.addfile(link)
        info = tarfile.TarInfo("xgboost-model")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"model"))
    assert model_member(buffer.getvalue(), "m.tar.gz") == ("xgboost-model", b"model")


@pytest.mark.parametrize("name", ["//etc/passwd", "./../model.json", "a/b/../../../model.json", "C:\\model.json", ".."])
def test_more_paths_that_point_outside_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match="outside the archive"):
        model_member(packed((name, b"x")), "m.tar.gz")


def test_the_ratio_counts_what_is_passed_over_too() -> None:
    bomb = packed(("code/padding", bytes(40 << 20)), ("xgboost-model", b"model"))
    with pytest.raises(TooLargeError, match="unpacks to more than"):
        model_member(bomb, "m.tar.gz")


def test_an_archive_in_an_archive_is_not_opened() -> None:
    inner = packed(("xgboost-model", b"model"))
    assert model_member(packed(("model.tar.gz", inner)), "m.tar.gz").data == inner


def test_reading_an_archive_writes_nothing(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert model_member(packed(("a/b/xgboost-model", b"model")), "m.tar.gz").data == b"model"
    assert list(tmp_path.iterdir()) == []
