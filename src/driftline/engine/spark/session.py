"""A Spark session: the one that is active, a new one at a master, or one of a Spark Connect server."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from driftline.core.errors import SetupError
from driftline.engine.batches import BATCH_ROWS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MASTERS = re.compile(
    r"(?P<local>local(\[(\*|[1-9]\d*)(,\s*\d+)?\])?|local-cluster\[\d+,\s*\d+,\s*\d+\])"
    r"|(?P<remote>sc://[^/;\s]+(/(;\S*)?)?)"
    r"|spark://\S+:\d+(,\S+:\d+)*|yarn|k8s://\S+"
)
_HINT = "give local[2], spark://HOST:PORT, yarn, k8s://…, or sc://HOST:PORT for Spark Connect"
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
    "spark.sql.execution.arrow.maxBytesPerBatch": str(64 << 20),
}
"""What every session that is opened here has, local or remote."""
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
_LOOPBACK = "127.0.0.1"
_CONNECT_PORT, _KNOCK_SECONDS = 15002, 10.0
_FEW = {"spark.sql.shuffle.partitions": "32"}
"""Of one machine: so few partitions that their states need no merging by tasks of their own."""


def open_spark(
    master: str | None = None, *, name: str = "driftline", settings: Mapping[str, str] | None = None
) -> SparkSession:
    """The session at a master (``local[2]``, ``spark://HOST:PORT`` …) or a Spark Connect server (``sc://HOST:PORT``);
    the active session where none is given.

    A new session shows no web page, says little, reckons in UTC, and on this machine listens on the loopback address
    alone. ``settings`` are further ones of Spark's. A session that is open already is not changed.

    Raises :class:`SetupError` without pyspark or Java, for an address that is none, and where none can be reached.
    """
    spark_session = _pyspark()
    with quietly():
        if master is None:
            return _active(spark_session)
        found = _MASTERS.fullmatch(master)
        if found is None:
            raise SetupError(f"{shown(master)!r} is no Spark master", hint=_HINT)
        if found["remote"]:
            return _remote(spark_session, master, settings or {})
        return _classic(spark_session, master, name, settings or {}, local=found["local"] is not None)


def shown(master: str) -> str:
    """An address without what may be secret in it: parameters of Spark Connect hold tokens.

    >>> shown("sc://spark.example.org:443/;token=abc")
    'sc://spark.example.org:443/'
    """
    return re.sub(r"//[^/@]*@", "//", master.partition(";")[0])


@contextmanager
def quietly() -> Iterator[None]:
    """Without Spark's remark that it is not tested with the newest pandas, of which nothing here makes use."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


def _pyspark() -> type[SparkSession]:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise SetupError(
            "Spark is not installed", evidence=str(error)[:200], hint="pip install 'driftline[spark]'"
        ) from None
    return SparkSession


def _active(kind: type[SparkSession]) -> SparkSession:
    active = kind.getActiveSession()
    if active is None:
        raise SetupError("no Spark session is active", hint=f"open one, or {_HINT}")
    return active


def _remote(kind: type[SparkSession], address: str, settings: Mapping[str, str]) -> SparkSession:
    try:
        _knock(address)
        session = kind.builder.remote(address).getOrCreate()
        for name, value in {**SETTINGS, **settings}.items():
            session.conf.set(name, value)
    except ImportError as error:
        raise SetupError(
            "Spark Connect is not installed", evidence=str(error)[:200], hint="pip install 'pyspark[connect]'"
        ) from None
    except Exception as error:  # the libraries below raise errors of their own, without a common base
        raise SetupError(
            f"no Spark session at {shown(address)}",
            evidence=_first_line(error, address),
            hint="is the Spark Connect server running, and is its address right?",
        ) from None
    return session


def _knock(address: str) -> None:
    """Raise OSError where nobody listens: the library would ask again and again for minutes."""
    parts = urlsplit(address)
    socket.create_connection((parts.hostname or "", parts.port or _CONNECT_PORT), _KNOCK_SECONDS).close()


def _classic(
    kind: type[SparkSession], master: str, name: str, settings: Mapping[str, str], *, local: bool
) -> SparkSession:
    active = kind.getActiveSession()
    if active is not None:
        return _same(active, master)
    _needs_java()
    wanted = {**SETTINGS, **_QUIET, **_logging(), **settings}
    if local:
        # The workers are this machine's: the same Python, and nobody else's business.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("SPARK_LOCAL_IP", _LOOPBACK)
        wanted = {"spark.driver.bindAddress": _LOOPBACK, "spark.driver.host": _LOOPBACK, **_FEW, **wanted}
    builder = kind.builder.master(master).appName(name)
    for key, value in wanted.items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except Exception as error:  # of Java, of its bridge, or of Spark
        raise SetupError(
            f"no Spark session at {shown(master)}",
            evidence=_first_line(error, master),
            hint="Spark needs Java 17 or newer (java -version); of a cluster, its address and this machine's in reach",
        ) from None


def _same(active: SparkSession, master: str) -> SparkSession:
    have = active.conf.get("spark.master", None)
    if have != master:
        raise SetupError(
            f"a Spark session at {shown(str(have))} is active, so none can be opened at {shown(master)}",
            hint="stop that one first, or use it: name no master",
        )
    return active


def _needs_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else shutil.which("java")
    if java is None or not Path(java).exists():
        raise SetupError(
            "Spark needs Java, and there is none",
            evidence=f"JAVA_HOME is {home}" if home else "no program java on the PATH",
            hint="apt-get install openjdk-17-jre-headless, or another Java of 17 or newer",
        )


def _logging() -> dict[str, str]:
    """Errors alone; the profile that Spark ships would tell of itself and of warnings first."""
    profile = files("driftline.engine.spark") / "log4j2.properties"
    return {"spark.driver.extraJavaOptions": f'"-Dlog4j2.configurationFile={profile}"'}


def _first_line(error: Exception, secret: str) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].replace(secret, shown(secret))[:300]
