"""All tables, with their keys and the references between them."""

from typing import Final

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# {seq} is a 64-bit key, {units} exact base units, {units_ok}/{whole} what SQLite must be told.
TABLES: Final = """
CREATE TABLE engine_state (
  name TEXT PRIMARY KEY NOT NULL, payload TEXT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE TABLE writer_lease (
  name TEXT PRIMARY KEY NOT NULL, fencing BIGINT NOT NULL, owner TEXT NOT NULL,
  taken_at_s BIGINT NOT NULL
);
CREATE TABLE market_snapshots (
  snapshot_id TEXT PRIMARY KEY NOT NULL, at_s BIGINT NOT NULL, is_synthetic BOOLEAN NOT NULL,
  payload TEXT NOT NULL
);
CREATE TABLE decisions (
  seq {seq} PRIMARY KEY NOT NULL, decision_id TEXT NOT NULL UNIQUE, at_s BIGINT NOT NULL,
  actor TEXT NOT NULL, trigger TEXT NOT NULL, phase TEXT NOT NULL, mode TEXT NOT NULL,
  outcome TEXT NOT NULL, confidence DOUBLE PRECISION NOT NULL, reasoning TEXT NOT NULL,
  snapshot_id TEXT NOT NULL REFERENCES market_snapshots (snapshot_id)
    DEFERRABLE INITIALLY DEFERRED,
  mandate_digest TEXT NOT NULL, plan_id TEXT, payload TEXT NOT NULL
);
CREATE INDEX decisions_at ON decisions (at_s);
CREATE INDEX decisions_plan ON decisions (plan_id) WHERE plan_id IS NOT NULL;
CREATE TABLE plans (
  plan_id TEXT PRIMARY KEY NOT NULL,
  decision_id TEXT NOT NULL REFERENCES decisions (decision_id) DEFERRABLE INITIALLY DEFERRED,
  state TEXT NOT NULL, digest TEXT NOT NULL, created_at_s BIGINT NOT NULL,
  updated_at_s BIGINT NOT NULL, expires_at_s BIGINT NOT NULL, reason TEXT NOT NULL,
  payload TEXT NOT NULL
);
CREATE INDEX plans_state ON plans (state);
CREATE TABLE approvals (
  seq {seq} PRIMARY KEY NOT NULL,
  plan_id TEXT NOT NULL REFERENCES plans (plan_id) DEFERRABLE INITIALLY DEFERRED,
  digest TEXT NOT NULL, operator TEXT NOT NULL, approved BOOLEAN NOT NULL, notes TEXT NOT NULL,
  at_s BIGINT NOT NULL, UNIQUE (plan_id, digest, operator)
);
CREATE TABLE steps (
  seq {seq} PRIMARY KEY NOT NULL, step_key TEXT NOT NULL,
  plan_id TEXT NOT NULL REFERENCES plans (plan_id) DEFERRABLE INITIALLY DEFERRED,
  leg_no INTEGER NOT NULL, state TEXT NOT NULL, at_s BIGINT NOT NULL, payload TEXT NOT NULL,
  UNIQUE (step_key, state)
);
CREATE UNIQUE INDEX steps_end_once ON steps (step_key)
  WHERE state IN ('settled', 'reverted', 'abandoned');
CREATE INDEX steps_plan ON steps (plan_id);
CREATE TABLE entries (
  seq {seq} PRIMARY KEY NOT NULL REFERENCES seals (entry_seq) DEFERRABLE INITIALLY DEFERRED,
  entry_id TEXT NOT NULL UNIQUE, at_s BIGINT NOT NULL, kind TEXT NOT NULL,
  narration TEXT NOT NULL, ref TEXT NOT NULL, UNIQUE (ref, kind)
);
CREATE TABLE postings (
  entry_seq {seq} NOT NULL REFERENCES entries (seq) DEFERRABLE INITIALLY DEFERRED,
  line INTEGER NOT NULL, account TEXT NOT NULL, asset TEXT NOT NULL,
  base_units {units} NOT NULL {units_ok}, PRIMARY KEY (entry_seq, line)
){without_rowid};
CREATE TABLE seals (
  entry_seq {seq} PRIMARY KEY NOT NULL REFERENCES entries (seq) DEFERRABLE INITIALLY DEFERRED,
  lines BIGINT NOT NULL
);
CREATE TABLE tx_logs (
  seq {seq} PRIMARY KEY NOT NULL, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
  ref_id TEXT NOT NULL, amount {units} NOT NULL {amount_ok}, asset TEXT NOT NULL,
  meta {json} NOT NULL {json_ok}, created_at BIGINT NOT NULL,
  idempotency_key TEXT NOT NULL UNIQUE, status TEXT NOT NULL, actor TEXT NOT NULL,
  prev_hash TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE INDEX tx_logs_ref ON tx_logs (ref_id);
CREATE TABLE audit_events (
  seq {seq} PRIMARY KEY NOT NULL, at_s BIGINT NOT NULL, kind TEXT NOT NULL,
  actor TEXT NOT NULL, payload TEXT NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE nav_history (
  at_s {seq} PRIMARY KEY NOT NULL, nav_usd_micro BIGINT NOT NULL,
  volatile_usd_micro BIGINT NOT NULL, high_water_usd_micro BIGINT NOT NULL,
  drawdown_bps INTEGER NOT NULL, payload TEXT NOT NULL {nav_whole}
);
CREATE TABLE outcomes (
  decision_id TEXT NOT NULL REFERENCES decisions (decision_id) DEFERRABLE INITIALLY DEFERRED,
  horizon_d INTEGER NOT NULL, due_at_s BIGINT NOT NULL, measured_at_s BIGINT,
  value_added_usd_micro BIGINT, PRIMARY KEY (decision_id, horizon_d) {outcome_whole}
);
CREATE INDEX outcomes_due ON outcomes (due_at_s) WHERE measured_at_s IS NULL;
CREATE TABLE idempotency_keys (
  key TEXT NOT NULL, route TEXT NOT NULL, actor TEXT NOT NULL, request_digest TEXT NOT NULL,
  status INTEGER, body TEXT, created_at BIGINT NOT NULL, PRIMARY KEY (key, route, actor)
)
"""
# The circle between an entry and its seal: PostgreSQL closes it after both exist.
CIRCLE: Final = " REFERENCES seals (entry_seq) DEFERRABLE INITIALLY DEFERRED"
NAMES: Final = (
    "idempotency_keys", "outcomes", "nav_history", "audit_events", "tx_logs",
    "seals", "postings", "entries", "steps", "approvals", "plans", "decisions",
    "market_snapshots", "writer_lease", "engine_state",
)  # fmt: skip


def _digits(column: str) -> str:
    return (
        f"CHECK (typeof({column}) = 'text' AND length({column}) = 79 "
        f"AND {column} NOT GLOB '*[^0-9]*' AND {column} < '2')"
    )


SQLITE: Final = {
    "seq": "INTEGER",
    "units": "TEXT",
    "units_ok": _digits("base_units"),
    "amount_ok": _digits("amount"),
    "json": "TEXT",
    "json_ok": "CHECK (json_valid(meta))",
    "without_rowid": " WITHOUT ROWID",
    # SQLite would keep 0.5 in a BIGINT column.
    "nav_whole": ", CHECK (typeof(nav_usd_micro) = 'integer' AND typeof(volatile_usd_micro) = "
    "'integer' AND typeof(high_water_usd_micro) = 'integer')",
    "outcome_whole": ", CHECK (typeof(value_added_usd_micro) IN ('integer', 'null'))",
}
POSTGRESQL: Final = {
    "seq": "BIGINT", "units": "NUMERIC(78,0)", "units_ok": "", "amount_ok": "", "json": "JSON",
    "json_ok": "", "without_rowid": "", "nav_whole": "", "outcome_whole": "",
}  # fmt: skip


def upgrade() -> None:
    """Make the tables."""
    connection = op.get_bind()
    on_sqlite = connection.dialect.name == "sqlite"
    text = TABLES if on_sqlite else TABLES.replace(CIRCLE, "", 1)
    for statement in text.format_map(SQLITE if on_sqlite else POSTGRESQL).split(";"):
        op.execute(statement)
    if not on_sqlite:
        op.execute(f"ALTER TABLE entries ADD CONSTRAINT entries_sealed FOREIGN KEY (seq){CIRCLE}")


def downgrade() -> None:
    """Drop the tables and all that is in them."""
    connection = op.get_bind()
    cascade = "" if connection.dialect.name == "sqlite" else " CASCADE"
    for name in NAMES:
        op.execute(f"DROP TABLE {name}{cascade}")
