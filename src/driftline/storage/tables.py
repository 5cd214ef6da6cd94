"""The tables. A change here needs a new file in ``migrations/versions``; a test compares the two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from driftline.core.documents import Violation
from driftline.core.verdict import Reason
from driftline.resources.alarms import Alarm, Datapoint
from driftline.resources.endpoints import CaptureSettings, ModelDescription
from driftline.resources.executions import ExecutionStep, RejectedRecords
from driftline.storage.types import Json, UtcTime

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)


def _text(name: str, **options: Any) -> Column[Any]:
    return Column(name, Text, nullable=False, **options)


def _time(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, UtcTime, nullable=nullable)


def _json(name: str, kind: Any = Any, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Json(kind), nullable=nullable)


counters = Table("counters", metadata, _text("name", primary_key=True), Column("value", BigInteger, nullable=False))

endpoints = Table(
    "endpoints",
    metadata,
    _text("name", primary_key=True),
    _text("model_path"),
    _json("model", ModelDescription),
    _json("capture", CaptureSettings),
    _text("variant"),
    Column("revision", BigInteger, nullable=False, unique=True),
    Column("deleted", Boolean, nullable=False),
    _time("created"),
    _time("updated"),
    Column("upstream", Text),
    _json("retention", dict[str, Any], nullable=True),
)

baselines = Table(
    "baselines",
    metadata,
    _text("name", primary_key=True),
    _text("monitor"),
    Column("statistics", LargeBinary, nullable=False),
    Column("constraints", LargeBinary, nullable=False),
    _time("created"),
)

baseline_versions = Table(
    "baseline_versions",
    metadata,
    Column("baseline", Text, ForeignKey("baselines.name", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _text("monitor"),
    Column("constraints", LargeBinary, nullable=False),
    _text("author"),
    _text("note"),
    _time("created"),
)

schedules = Table(
    "schedules",
    metadata,
    _text("name", primary_key=True),
    _text("endpoint"),
    _text("monitor"),
    _text("cron"),
    _text("start_offset"),
    _text("end_offset"),
    Column("baseline", Text),
    _text("problem_type"),
    _json("attributes", dict[str, Any]),
    _text("state"),
    _time("created"),
    _time("last_tick"),
    _time("next_tick", nullable=True),
    Column("catch_up", Text, nullable=False, server_default="all"),
    Column("time_limit", Float, nullable=False, server_default="1800"),
    Column("memory_limit", BigInteger, nullable=False, server_default="2147483648"),
    Column("rejudge_step", Float, nullable=False, server_default="0.05"),
    Index(None, "endpoint"),
)

executions = Table(
    "executions",
    metadata,
    _text("id", primary_key=True),
    Column("schedule", Text, ForeignKey("schedules.name", ondelete="CASCADE"), nullable=False),
    _text("endpoint"),
    _time("window_start"),
    _time("window_end"),
    Column("revision", Integer, nullable=False),
    _time("tick"),
    _text("status"),
    _text("report"),
    Column("verdict", Text),
    _json("reasons", tuple[Reason, ...]),
    _json("violations", tuple[Violation, ...]),
    _json("steps", tuple[ExecutionStep, ...]),
    _json("counts", dict[str, int]),
    _json("statistics", dict[str, Any]),
    _json("rejects", tuple[RejectedRecords, ...]),
    Column("item_count", BigInteger),
    Column("message", Text),
    Column("error", Text),
    Column("trace", Text),
    Column("attempts", Integer, nullable=False),
    Column("lease_owner", Text),
    _time("lease_until", nullable=True),
    _time("created"),
    _time("started", nullable=True),
    _time("finished", nullable=True),
    Column("cause", Text, nullable=False, server_default="tick"),
    _time("resume_after", nullable=True),
    _time("waiting_since", nullable=True),
    Column("captures", Text),
    UniqueConstraint("schedule", "window_start", "window_end", "revision"),
    Index(None, "status", "tick"),
    Index(None, "schedule", "tick"),
    Index(None, "endpoint", "tick"),
)

metrics = Table(
    "metrics",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _text("namespace"),
    _text("name"),
    _text("dimensions"),
    _time("time"),
    Column("value", Float),
    Column("sum", Float),
    Column("minimum", Float),
    Column("maximum", Float),
    Column("count", Float, nullable=False),
    Column("run", Text),
    Column("resolution", Integer, nullable=False, server_default="0"),
    Index(None, "namespace", "name", "dimensions", "time"),
    Index(None, "run"),
)

alarms = Table(
    "alarms",
    metadata,
    _text("name", primary_key=True),
    _text("namespace"),
    _text("metric"),
    _text("dimensions"),
    _json("definition", Alarm),
    _text("state"),
    _time("state_since"),
    _text("reason"),
    _json("acknowledged", dict[str, Any], nullable=True),
    Index(None, "namespace", "metric", "dimensions"),
)

mutes = Table(
    "mutes",
    metadata,
    _text("id", primary_key=True),
    Column("alarm", Text),
    _time("start"),
    _time("end"),
    _text("reason"),
    _text("author"),
    _time("created"),
    Index(None, "end"),
)

alarm_history = Table(
    "alarm_history",
    metadata,
    _text("id", primary_key=True),
    _text("alarm"),
    _text("from_state"),
    _text("to_state"),
    _time("time"),
    _text("reason"),
    _json("datapoints", tuple[Datapoint, ...]),
    Column("run", Text),
    Index(None, "alarm", "time"),
)

deliveries = Table(
    "deliveries",
    metadata,
    _text("id", primary_key=True),
    Column("transition", Text, ForeignKey("alarm_history.id", ondelete="CASCADE"), nullable=False),
    _text("target"),
    _json("body", dict[str, Any]),
    _text("status"),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    _time("created"),
    _time("due"),
    _time("sent", nullable=True),
    Index(None, "status", "due"),
    Index(None, "transition"),
)

capture_counts = Table(
    "capture_counts",
    metadata,
    _text("endpoint", primary_key=True),
    Column("hour", UtcTime, primary_key=True),
    Column("captured", BigInteger, nullable=False),
    Column("sampled_out", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
    Column("withheld", BigInteger, nullable=False, server_default="0"),
)

tokens = Table(
    "tokens",
    metadata,
    _text("id", primary_key=True),
    _text("name", unique=True),
    _text("role"),
    _text("digest", unique=True),
    _time("created"),
    _time("expires", nullable=True),
    _time("last_used", nullable=True),
    Column("revoked", Boolean, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    _text("digest", primary_key=True),
    Column("token", Text, ForeignKey("tokens.id", ondelete="CASCADE"), nullable=False),
    _time("created"),
    _time("expires"),
    Index(None, "expires"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _time("time"),
    _text("actor"),
    _text("role"),
    _text("action"),
    _text("target"),
    _text("outcome"),
    _json("detail", dict[str, Any]),
    Index(None, "time"),
    Index(None, "target", "time"),
)

registered = Table(
    "registered",
    metadata,
    _text("kind", primary_key=True),
    _text("name", primary_key=True),
    _json("document", dict[str, Any]),
    _json("tags", dict[str, str]),
    _time("created"),
    _time("updated"),
    Index(None, "kind", "created"),
)

batch_jobs = Table(
    "batch_jobs",
    metadata,
    _text("name", primary_key=True),
    _text("kind"),
    _json("settings", dict[str, Any]),
    _text("status"),
    Column("message", Text),
    Column("error", Text),
    _json("result", dict[str, Any]),
    _time("created"),
    _time("started", nullable=True),
    _time("finished", nullable=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease_owner", Text),
    _time("lease_until", nullable=True),
    Index(None, "status", "created"),
)

nodes = Table(
    "nodes",
    metadata,
    _text("name", primary_key=True),
    _text("version"),
    _time("started"),
    _time("seen"),
    _time("captured_until", nullable=True),
    Column("spool_files", BigInteger, nullable=False, server_default="0"),
    Column("spool_bytes", BigInteger, nullable=False, server_default="0"),
    Column("trouble", Text),
    Column("folder", Text),
)

signs = Table(
    "signs",
    metadata,
    _text("node", primary_key=True),
    _text("part", primary_key=True),
    _time("seen"),
)

schema_revisions = Table(
    "schema_revisions",
    metadata,
    _text("revision", primary_key=True),
    _text("compatible_since"),
)

arrivals = Table(
    "arrivals",
    metadata,
    _text("endpoint", primary_key=True),
    _text("kind", primary_key=True),
    Column("hour", UtcTime, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Index(None, "number"),
)

secrets = Table(
    "secrets",
    metadata,
    _text("name", primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

compactions = Table(
    "compactions",
    metadata,
    _text("key", primary_key=True),
    _text("endpoint"),
    _time("hour"),
    _text("status"),
    _time("started", nullable=True),
    _time("finished", nullable=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease_owner", Text),
    _time("lease_until", nullable=True),
    Index(None, "endpoint", "hour"),
)
