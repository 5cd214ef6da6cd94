"""Sessions of Spark: one that is there, one that cannot be; nothing secret in what is said."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driftline.core.errors import SetupError
from driftline.engine.spark.session import open_spark, shown


def test_a_session_that_is_open_is_used(spark: Any) -> None:
    assert open_spark() is spark
    assert open_spark("local[2]") is spark
    with pytest.raises(SetupError, match=r"a Spark session at local\[2\] is active"):
        open_spark("local[1]")


def test_it_is_quiet_reckons_in_utc_and_listens_to_this_machine_alone(spark: Any) -> None:
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.conf.get("spark.driver.host") == "127.0.0.1"
    assert spark.sparkContext.uiWebUrl is None


@pytest.mark.parametrize("master", ["", "local[0]", "local[", "spark://host", "http://host:1", "sc://", "master"])
def test_an_address_that_is_none_is_said(master: str) -> None:
    with pytest.raises(SetupError, match="is no Spark master"):
        open_spark(master)


def test_without_java_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": str(tmp_path)}
    environment.pop("JAVA_HOME", None)
    code = "from driftline.engine.spark.session import open_spark; open_spark('local[1]')"
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert "Spark needs Java, and there is none" in ran.stderr
    assert "openjdk-17-jre-headless" in ran.stderr


def test_without_a_session_and_without_a_master_it_says_so() -> None:
    code = "from driftline.engine.spark.session import open_spark; open_spark()"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "no Spark session is active" in ran.stderr


def test_a_token_is_never_shown() -> None:
    assert shown("sc://user:secret@host:15002/;token=secret") == "sc://host:15002/"
    with pytest.raises(SetupError) as caught:
        open_spark("sc//host:1/;token=secret")
    assert "secret" not in str(caught.value)


def test_a_connect_server_that_is_not_there_is_told_at_once(free_port: Callable[[], int]) -> None:
    address = f"sc://127.0.0.1:{free_port()}"
    with pytest.raises(SetupError, match=f"no Spark session at {address}") as caught:
        open_spark(address)
    assert "refused" in str(caught.value)
