"""The restricted reader: boosters come out, nothing else does, and nothing ever runs."""

from __future__ import annotations

import os
import pickle
import struct
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.core.errors import DriftlineError, ModelError
from driftline.serving.legacy_pickle import is_pickle, read_booster


class Booster:
    """Pickles as the library's class of that name did."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def pickled(state: dict[str, Any], protocol: int = 3) -> bytes:
    Booster.__module__, Booster.__qualname__ = "xgboost.core", "Booster"
    import xgboost.core

    real, xgboost.core.Booster = xgboost.core.Booster, Booster  # type: ignore[misc]
    try:
        return pickle.dumps(Booster(state), protocol=protocol)
    finally:
        xgboost.core.Booster = real  # type: ignore[misc]


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_gives_the_buffer_and_the_attributes(protocol: int) -> None:
    handle = bytes(range(256)) * 5
    state = {"handle": bytearray(handle), "feature_names": ["a", "b"], "best_iteration": 7, "x": None, "y": (1, 2.5)}
    data = pickled(state, protocol)
    assert is_pickle(data)
    read = read_booster(data, "f")
    assert read.handle == handle
    assert read.attributes == {"feature_names": ["a", "b"], "best_iteration": 7, "x": None, "y": (1, 2.5)}


def test_the_published_model_is_read(churn: Path) -> None:
    with tarfile.open(churn / "xgb-churn-prediction-model.tar.gz") as archive:
        member = archive.extractfile("xgboost-model")
        assert member is not None
        booster = read_booster(member.read(), "xgboost-model")
    assert len(booster.handle) == 84_725
    assert booster.attributes["best_iteration"] == 99
    assert booster.attributes["feature_names"] == [f"f{number}" for number in range(69)]


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch hacked",)


@pytest.mark.parametrize("protocol", range(6))
def test_code_is_refused_and_not_run(protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for state in (Evil(), {"handle": Evil()}, [Evil()], {"handle": bytearray(b"x"), "other": Evil()}):
        data = pickled(state, protocol) if isinstance(state, dict) else pickle.dumps(state, protocol)
        with pytest.raises(ModelError, match="not that of an XGBoost booster") as caught:
            read_booster(data, "evil.pkl")
        assert "save_model" in caught.value.hint
    assert not list(tmp_path.iterdir())


_HEAD = b"\x80\x03cxgboost.core\nBooster\n)\x81"


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x03cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.",  # bytearray(2**31 - 1)
        b"\x80\x03cbuiltins\neval\nX\x01\x00\x00\x001\x85R.",
        b"\x80\x03cxgboost.core\nBooster.load_model\n)R.",
        b"\x80\x03cxgboost.core\nBooster\n(X\x01\x00\x00\x00atR.",  # Booster("a")
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.",
        b"\x80\x02(ios\nsystem\n.",
        b"\x80\x02(S'id'\nios\nsystem\n.",
        b"\x80\x02\x82\x01.",  # an extension code
        b"\x80\x02Pid\n.",  # a persistent id
        b"\x80\x03X\xff\xff\xff\xff.",
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b"x.",
        b"\x80\x03r\xff\xff\xff\xff.",
        b"\x80\x03].",
        b"\x80\x03.",
        b"\x80\x03(.",
        b"\x80\x03}(u((((a.",
        _HEAD + b".",
        _HEAD + b"}b.",
        _HEAD + b"}X\x06\x00\x00\x00handleX\x01\x00\x00\x00asb.",
        _HEAD + b"}K\x01K\x02sb.",
        _HEAD + b"]b.",
        b"\x80\x03" + b"(" * 100_000,
        b"\x80\x03" + b"]" * 100_000 + b"a" * 99_999 + b".",
        b"",
    ],
)
def test_other_programs_are_refused(data: bytes) -> None:
    with pytest.raises(ModelError):
        read_booster(data, "x.pkl")


_GOOD = pickled({"handle": bytearray(b"0123456789" * 3), "feature_names": ["f0", "f1"], "best_iteration": 3})


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(_GOOD)), st.binary(max_size=8), st.integers(0, 4), st.binary(max_size=200))
def test_any_bytes_give_a_buffer_or_our_error(position: int, patch: bytes, cut: int, noise: bytes) -> None:
    for data in (_GOOD[:position] + patch + _GOOD[position + cut :], b"\x80\x03" + noise, noise):
        refused: DriftlineError | None = None
        try:
            assert isinstance(read_booster(data, "x").handle, bytes)
        except DriftlineError as error:
            refused = error
        assert refused is None or refused.hint
