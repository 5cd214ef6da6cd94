"""The environment variables that driftline reads: one register, from which the reference is made.

Who reads a variable takes its :class:`Setting` from here and hands it the environment; nothing is read here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from driftline.core.errors import InputError
from driftline.core.window import parse_duration

T = TypeVar("T")
Reader = Literal["service", "client", "program"]
"""Who reads a variable: the processes of a service, whatever talks to one, or a program that driftline starts."""
_AMOUNT = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)", re.IGNORECASE)
_BYTES = {
    **{f"{letter}{end}": 1000**power for power, letter in enumerate("kmgtp", 1) for end in ("", "b")},
    **{f"{letter}i{end}": 1024**power for power, letter in enumerate("kmgtp", 1) for end in ("", "b")},
    "": 1,
    "b": 1,
}
_DURATION = "a duration such as 90s, 15min, 2h, 3d or PT6H"
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def bytes_of(text: str) -> int:
    """A number of bytes; raises :class:`ValueError` for a text that is none.

    >>> bytes_of("10GiB"), bytes_of("1.5 kB"), bytes_of("512Mi"), bytes_of("4096")
    (10737418240, 1500, 536870912, 4096)
    """
    return int(_amount(text, _BYTES, "a number of bytes such as 500MB or 10GiB"))


def seconds_of(text: str) -> float:
    """A duration in seconds; raises :class:`ValueError` for a text that is none.

    >>> seconds_of("90"), seconds_of("15min"), seconds_of("2h"), seconds_of("PT6H")
    (90.0, 900.0, 7200.0, 21600.0)
    """
    if text.startswith("P"):
        try:
            return parse_duration(text).total_seconds()
        except InputError:
            raise ValueError(_DURATION) from None
    return _amount(text, _SECONDS, _DURATION)


def _amount(text: str, units: Mapping[str, float], wanted: str) -> float:
    found = _AMOUNT.fullmatch(text.strip())
    unit = units.get(found[2].lower()) if found else None
    amount = float(found[1]) * unit if found and unit else math.inf
    if not math.isfinite(amount):
        raise ValueError(wanted)
    return amount


@dataclass(frozen=True)
class Kind(Generic[T]):
    """What a variable holds: a word for readers, and what makes the value of its text or raises :class:`ValueError`
    with a description of what was wanted."""

    word: str
    value: Callable[[str], T]


@dataclass(frozen=True)
class Setting(Generic[T]):
    """A variable. ``default`` is the text that stands for one that is not set or empty; the value of a secret one is in
    no message."""

    name: str
    meaning: str
    kind: Kind[T]
    default: str = ""
    secret: bool = False
    reader: Reader = "service"

    def of(self, environment: Mapping[str, str]) -> T:
        """The value in an environment; raises :class:`InputError` for one that cannot be understood.

        >>> LEASE.of({}), LEASE.of({"DRIFTLINE_LEASE": "2min"})
        (60.0, 120.0)
        """
        given = environment.get(self.name, "").strip() or self.default
        try:
            return self.kind.value(given)
        except ValueError as error:
            seen = "its value is not shown, as it may be secret" if self.secret else repr(given[:80])
            raise InputError(f"{self.name} is not {error}", evidence=seen, hint=f"correct {self.name}") from None


def _above_nothing(text: str) -> float:
    seconds = seconds_of(text)
    if seconds <= 0:
        raise ValueError("a duration above 0")
    return seconds


def _one_of(*values: str) -> Kind[str]:
    def value(text: str) -> str:
        if text not in values:
            raise ValueError(f"one of {', '.join(values)}")
        return text

    return Kind(" or ".join(f"`{value}`" for value in values), value)


def _by_comma(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


TEXT: Kind[str] = Kind("text", str)
URL: Kind[str] = Kind("URL", str)
LIST: Kind[tuple[str, ...]] = Kind("list, by comma", _by_comma)
BYTES: Kind[int] = Kind("bytes", bytes_of)
MAYBE_BYTES: Kind[int | None] = Kind("bytes", lambda text: bytes_of(text) if text else None)
SECONDS: Kind[float] = Kind("duration", seconds_of)
NEVER_OR_SECONDS: Kind[float | None] = Kind(
    "duration, or `never`", lambda text: None if text == "never" else seconds_of(text)
)

DATABASE = Setting(
    "DRIFTLINE_DATABASE",
    "The database of the state, `postgresql+psycopg://USER:PASSWORD@HOST/NAME`; without it, `driftline.db` in the data"
    " folder. Many nodes need one PostgreSQL. Give a password here and not on a command line, where other users of the"
    " machine can read it.",
    URL,
    secret=True,
)
LEASE = Setting(
    "DRIFTLINE_LEASE",
    "How long a scheduler that died holds its runs until another takes them up; one that lives renews its lease.",
    Kind("duration", _above_nothing),
    default="60s",
)
ALLOW_UPSTREAM = Setting(
    "DRIFTLINE_ALLOW_UPSTREAM",
    "Hosts and networks behind which a proxy endpoint may stand although they are link-local or tell machines their"
    " credentials, such as `169.254.7.0/24,metadata.internal`.",
    LIST,
)
S3_ENDPOINT = Setting(
    "DRIFTLINE_S3_ENDPOINT",
    "Where the S3 service of buckets is: a URL such as `http://minio:9000`, or `aws` for Amazon's own. Without it"
    " buckets are folders of the data folder's `s3/`; with `DRIFTLINE_STORE=s3://…` it is Amazon's own. Keys come from"
    " where AWS clients find them.",
    URL,
)
STORE = Setting(
    "DRIFTLINE_STORE",
    "Where captures, labels, reports, models and what was measured of each hour are kept for all nodes:"
    " `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`. Without it a data folder stands alone.",
    URL,
)
SHIP_AGE = Setting(
    "DRIFTLINE_SHIP_AGE",
    "Age from which what an open capture file holds so far is put into the store; a closed one goes at once.",
    SECONDS,
    default="30s",
)
SPOOL_BYTES = Setting(
    "DRIFTLINE_SPOOL_BYTES",
    "How much may wait on a node's disk for a store that cannot be reached; beyond it captures are dropped and"
    " counted. Without it, as much as the disk holds.",
    MAYBE_BYTES,
)
DISK_RESERVE = Setting(
    "DRIFTLINE_DISK_RESERVE",
    "How much of the disk captures that wait for the store leave free; with less, they are dropped and counted.",
    BYTES,
    default="256MiB",
)
CACHE_BYTES = Setting(
    "DRIFTLINE_CACHE_BYTES",
    "How much of what is in the store a node keeps on its disk as well; the least recently used goes first.",
    BYTES,
    default="10GiB",
)
CAPTURE_GRACE = Setting(
    "DRIFTLINE_CAPTURE_GRACE",
    "How long a window waits for a node that has not yet put all its captures of the window into the store. After that"
    " it is judged without them, says so, and is judged again when they come.",
    SECONDS,
    default="10min",
)
STORE_PATIENCE = Setting(
    "DRIFTLINE_STORE_PATIENCE",
    "How long a run is tried again while the store cannot be reached; after that it has failed.",
    SECONDS,
    default="1h",
)
SSE = Setting(
    "DRIFTLINE_SSE",
    "How the S3 service encrypts what is put into it: with its own keys (`AES256`), with a key of KMS (`aws:kms`,"
    " `aws:kms:dsse`), or as the bucket says (`bucket`).",
    _one_of("bucket", "AES256", "aws:kms", "aws:kms:dsse"),
    default="bucket",
)
SSE_KMS_KEY = Setting(
    "DRIFTLINE_SSE_KMS_KEY",
    "With `DRIFTLINE_SSE=aws:kms`: the id or ARN of the key; without it, the account's default key.",
    TEXT,
)
COMPACT_AFTER = Setting(
    "DRIFTLINE_COMPACT_AFTER",
    "How long after an hour's end its small capture files are made into one Parquet file; `never` leaves all as they"
    " are.",
    NEVER_OR_SECONDS,
    default="6h",
)
SPARK = Setting(
    "DRIFTLINE_SPARK",
    "Where Spark is: a master such as `local[2]` or `spark://host:7077`, or Spark Connect, `sc://host:15002`. Without"
    " it every run is on this machine's own engine.",
    URL,
    secret=True,
)
SPARK_ABOVE = Setting(
    "DRIFTLINE_SPARK_ABOVE",
    "Runs whose captures are larger than this go to Spark, where a schedule does not say itself which engine it wants.",
    BYTES,
    default="20GiB",
)
SERVICE_URL = Setting(
    "DRIFTLINE_URL",
    "The address of the service that commands and the Python client talk to.",
    URL,
    default="http://127.0.0.1:8080",
    reader="client",
)
TOKEN = Setting(
    "DRIFTLINE_TOKEN",
    "The token that commands and the Python client show to a service that asks for one (`driftline token create`).",
    TEXT,
    secret=True,
    reader="client",
)
PROCESS = Setting(
    "DRIFTLINE_PROCESS",
    "The mark by which a program that driftline started is found again, with all that it started. Leave it as it is.",
    TEXT,
    reader="program",
)
DELIVERY = Setting(
    "DRIFTLINE_DELIVERY",
    "For an alarm's command: the key of this delivery, the same when it is tried again.",
    TEXT,
    reader="program",
)

SETTINGS: tuple[
    Setting[str]
    | Setting[int]
    | Setting[int | None]
    | Setting[float]
    | Setting[float | None]
    | Setting[tuple[str, ...]],
    ...,
] = (
    DATABASE,
    STORE,
    S3_ENDPOINT,
    SSE,
    SSE_KMS_KEY,
    SPOOL_BYTES,
    DISK_RESERVE,
    CACHE_BYTES,
    SHIP_AGE,
    CAPTURE_GRACE,
    STORE_PATIENCE,
    COMPACT_AFTER,
    SPARK,
    SPARK_ABOVE,
    LEASE,
    ALLOW_UPSTREAM,
    SERVICE_URL,
    TOKEN,
    PROCESS,
    DELIVERY,
)
"""Every variable whose name begins with ``DRIFTLINE_``, in the order of the reference."""


def check_environment(environment: Mapping[str, str]) -> None:
    """Raise :class:`InputError` for a variable whose value cannot be understood: before anything is started, not when
    it is first needed."""
    for setting in SETTINGS:
        setting.of(environment)


OTHERS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE, AWS_REGION": "keys and region of buckets"
    " elsewhere, with all else that AWS clients look at, such as the role of a machine",
    "AWS_CA_BUNDLE, SSL_CERT_FILE": "files of certificates that AWS clients, and clients of a service, trust",
    "ARROW_DEFAULT_MEMORY_POOL": "Arrow's allocator; the command line sets `system` where nothing is set",
    "NO_COLOR, TERM": "whether output has colours",
    "NO_PROXY": "hosts that AWS clients under `driftline aws run` reach directly",
}
"""Variables of others that matter here."""
