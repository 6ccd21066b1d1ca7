"""The tables as this version of the program reads and writes them; migrations make them.

    market_snapshots <- decisions <- plans <- approvals, steps     what was decided, and done
    entries <- postings, seals                                     the double entry ledger
    audit_events, tx_logs                                          hash chains and journals
    nav_history, outcomes, engine_state                            measures, and memory by name
    idempotency_keys, writer_lease                                 requests, and who may write

Instants are BIGINT seconds, USD BIGINT micro-dollars, token amounts BaseUnits. No float holds
money; `confidence` is an estimate.
"""

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSON

from dynamic.adapters.storage.columns import BaseUnits, Sequence

METADATA = MetaData()
JSON_TEXT = Text().with_variant(JSON(), "postgresql")


def _text(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


def _whole(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


def _seq() -> Column[int]:
    return Column("seq", Sequence, primary_key=True, autoincrement=False)


ENGINE_STATE = Table(
    "engine_state", METADATA,
    Column("name", Text, primary_key=True), *_text("payload"), *_whole("updated_at"),
)  # fmt: skip
SNAPSHOTS = Table(
    "market_snapshots", METADATA,
    Column("snapshot_id", Text, primary_key=True), *_whole("at_s"),
    Column("is_synthetic", Boolean, nullable=False), *_text("payload"),
)  # fmt: skip
DECISIONS = Table(
    "decisions", METADATA,
    _seq(), *_text("decision_id"), *_whole("at_s"),
    *_text("actor", "trigger", "phase", "mode", "outcome"),
    Column("confidence", Double, nullable=False),
    *_text("reasoning", "snapshot_id", "mandate_digest"),
    Column("plan_id", Text), *_text("payload"),
)  # fmt: skip
PLANS = Table(
    "plans", METADATA,
    Column("plan_id", Text, primary_key=True), *_text("decision_id", "state", "digest"),
    *_whole("created_at_s", "updated_at_s", "expires_at_s"), *_text("reason", "payload"),
)  # fmt: skip
APPROVALS = Table(
    "approvals", METADATA,
    _seq(), *_text("plan_id", "digest", "operator"),
    Column("approved", Boolean, nullable=False), *_text("notes"), *_whole("at_s"),
)  # fmt: skip
STEPS = Table(
    "steps", METADATA,
    _seq(), *_text("step_key", "plan_id"), Column("leg_no", Integer, nullable=False),
    *_text("state"), *_whole("at_s"), *_text("payload"),
)  # fmt: skip
ENTRIES = Table(
    "entries", METADATA,
    _seq(), *_text("entry_id"), *_whole("at_s"), *_text("kind", "narration", "ref"),
)  # fmt: skip
POSTINGS = Table(
    "postings", METADATA,
    Column("entry_seq", Sequence, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    *_text("account", "asset"), Column("base_units", BaseUnits, nullable=False),
)  # fmt: skip
SEALS = Table(
    "seals", METADATA,
    Column("entry_seq", Sequence, primary_key=True, autoincrement=False), *_whole("lines"),
)  # fmt: skip
TX_LOGS = Table(
    "tx_logs", METADATA,
    _seq(), *_text("id", "kind", "ref_id"), Column("amount", BaseUnits, nullable=False),
    *_text("asset"), Column("meta", JSON_TEXT, nullable=False), *_whole("created_at"),
    *_text("idempotency_key", "status", "actor", "prev_hash", "hash"),
)  # fmt: skip
AUDIT_EVENTS = Table(
    "audit_events", METADATA,
    _seq(), *_whole("at_s"), *_text("kind", "actor", "payload", "prev_hash", "hash"),
)  # fmt: skip
NAV_HISTORY = Table(
    "nav_history", METADATA,
    Column("at_s", Sequence, primary_key=True, autoincrement=False),
    *_whole("nav_usd_micro", "volatile_usd_micro", "high_water_usd_micro"),
    Column("drawdown_bps", Integer, nullable=False), *_text("payload"),
)  # fmt: skip
OUTCOMES = Table(
    "outcomes", METADATA,
    Column("decision_id", Text, primary_key=True),
    Column("horizon_d", Integer, primary_key=True, autoincrement=False), *_whole("due_at_s"),
    Column("measured_at_s", BigInteger), Column("value_added_usd_micro", BigInteger),
)  # fmt: skip
REQUEST_KEYS = Table(
    "idempotency_keys", METADATA,
    *[Column(name, Text, primary_key=True) for name in ("key", "route", "actor")],
    *_text("request_digest"), Column("status", Integer), Column("body", Text),
    *_whole("created_at"),
)  # fmt: skip
WRITER_LEASE = Table(
    "writer_lease", METADATA,
    Column("name", Text, primary_key=True), *_whole("fencing"), *_text("owner"),
    *_whole("taken_at_s"),
)  # fmt: skip
