"""Revision 0002 on PostgreSQL: trigger functions, and a constraint checked at commit.

Their error codes are DY001 append-only, DY002 sealed, DY003 unbalanced, DY004 a wrong
hash, DY005 fixed or final, DY006 not the next link of a chain. TRUNCATE is refused too.
"""

from collections.abc import Iterator
from typing import Final

APPEND_ONLY: Final = (
    "audit_events", "entries", "postings", "seals", "approvals", "steps", "tx_logs",
    "decisions",
)  # fmt: skip
FUNCTIONS: Final = {
    "dynamic_append_only": """
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'DY001';
END""",
    "dynamic_sealed": """
BEGIN
  IF EXISTS (SELECT 1 FROM seals WHERE entry_seq = NEW.entry_seq) THEN
    RAISE EXCEPTION 'the entry is sealed: no further posting' USING ERRCODE = 'DY002';
  END IF;
  RETURN NEW;
END""",
    "dynamic_seal_balances": """
BEGIN
  IF NOT EXISTS (SELECT 1 FROM postings WHERE entry_seq = NEW.entry_seq) OR EXISTS (
    SELECT 1 FROM postings WHERE entry_seq = NEW.entry_seq GROUP BY asset
    HAVING sum(base_units) <> 0
  ) THEN
    RAISE EXCEPTION 'the entry does not balance' USING ERRCODE = 'DY003';
  END IF;
  RETURN NEW;
END""",
    "dynamic_entry_balances": """
BEGIN
  IF NOT EXISTS (SELECT 1 FROM postings WHERE entry_seq = NEW.seq) OR EXISTS (
    SELECT 1 FROM postings WHERE entry_seq = NEW.seq GROUP BY asset HAVING sum(base_units) <> 0
  ) THEN
    RAISE EXCEPTION 'the entry does not balance' USING ERRCODE = 'DY003';
  END IF;
  RETURN NULL;
END""",
    "dynamic_audit_chain": """
DECLARE
  last_seq BIGINT := 0;
  last_hash TEXT := repeat('0', 64);
BEGIN
  SELECT seq, hash INTO last_seq, last_hash FROM audit_events ORDER BY seq DESC LIMIT 1;
  IF NEW.seq <> coalesce(last_seq, 0) + 1
    OR NEW.prev_hash <> coalesce(last_hash, repeat('0', 64))
  THEN
    RAISE EXCEPTION 'the chain of audit_events does not continue here' USING ERRCODE = 'DY006';
  END IF;
  IF NEW.hash <> encode(sha256(convert_to(concat_ws(chr(10), NEW.seq, NEW.prev_hash, NEW.at_s,
         NEW.kind, NEW.actor, NEW.payload), 'UTF8')), 'hex')
  THEN
    RAISE EXCEPTION 'the hash of the audit event is not its own' USING ERRCODE = 'DY004';
  END IF;
  RETURN NEW;
END""",
    "dynamic_tx_chain": """
DECLARE
  last_seq BIGINT := 0;
  last_hash TEXT := repeat('0', 64);
BEGIN
  SELECT seq, hash INTO last_seq, last_hash FROM tx_logs ORDER BY seq DESC LIMIT 1;
  IF NEW.seq <> coalesce(last_seq, 0) + 1
    OR NEW.prev_hash <> coalesce(last_hash, repeat('0', 64))
  THEN
    RAISE EXCEPTION 'the chain of tx_logs does not continue here' USING ERRCODE = 'DY006';
  END IF;
  RETURN NEW;
END""",
    "dynamic_plan_fixed": """
BEGIN
  IF NEW.plan_id <> OLD.plan_id OR NEW.digest <> OLD.digest OR NEW.payload <> OLD.payload
    OR NEW.decision_id <> OLD.decision_id OR NEW.created_at_s <> OLD.created_at_s
  THEN
    RAISE EXCEPTION 'the content of a plan is fixed' USING ERRCODE = 'DY005';
  END IF;
  IF OLD.state IN ('done', 'rejected', 'expired', 'abandoned') AND NEW.state <> OLD.state THEN
    RAISE EXCEPTION 'the end of a plan is final' USING ERRCODE = 'DY005';
  END IF;
  RETURN NEW;
END""",
    "dynamic_snapshot_fixed": """
BEGIN
  IF TG_OP = 'UPDATE' OR EXISTS (
    SELECT 1 FROM market_snapshots
    WHERE snapshot_id = NEW.snapshot_id AND (
      payload <> NEW.payload OR at_s <> NEW.at_s OR is_synthetic <> NEW.is_synthetic
    )
  ) THEN
    RAISE EXCEPTION 'the content of a snapshot is fixed' USING ERRCODE = 'DY005';
  END IF;
  RETURN NEW;
END""",
}
# Each trigger: its name, when and where it fires, what it runs.
TRIGGERS: Final = (
    ("postings_sealed", "BEFORE INSERT ON postings", "dynamic_sealed"),
    ("seals_balance", "BEFORE INSERT ON seals", "dynamic_seal_balances"),
    ("audit_events_chain", "BEFORE INSERT ON audit_events", "dynamic_audit_chain"),
    ("tx_logs_chain", "BEFORE INSERT ON tx_logs", "dynamic_tx_chain"),
    ("plans_fixed", "BEFORE UPDATE ON plans", "dynamic_plan_fixed"),
    ("plans_no_delete", "BEFORE DELETE ON plans", "dynamic_append_only"),
    ("snapshots_fixed", "BEFORE INSERT OR UPDATE ON market_snapshots", "dynamic_snapshot_fixed"),
    *((f"{t}_append_only", f"BEFORE UPDATE OR DELETE ON {t}", "dynamic_append_only")
      for t in APPEND_ONLY),
)  # fmt: skip


def up() -> Iterator[str]:
    """Return the statements that put the guards up."""
    for name, body in FUNCTIONS.items():
        yield f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
    for name, moment, function in TRIGGERS:
        yield f"CREATE TRIGGER {name} {moment} FOR EACH ROW EXECUTE FUNCTION {function}()"
    for table in (*APPEND_ONLY, "plans"):
        yield (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION dynamic_append_only()"
        )
    yield (
        "CREATE CONSTRAINT TRIGGER entries_balance AFTER INSERT ON entries DEFERRABLE "
        "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dynamic_entry_balances()"
    )


def down() -> Iterator[str]:
    """Return the statements that take them down: a function takes its triggers with it."""
    return (f"DROP FUNCTION {name}() CASCADE" for name in FUNCTIONS)
