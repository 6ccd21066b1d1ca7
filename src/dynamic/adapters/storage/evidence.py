"""Evidence: whether the stored chains hold, and whether every record has its origin.

check_tx_logs   the hash chain of tx_logs, row by row
check_entries   every entry against the digest its audit event noted
linkage         how many records lack what must have come before them; all zero is right
"""

import json
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Text, cast, select, text

from dynamic.adapters.storage.database import Database
from dynamic.adapters.storage.rows import tx_hash
from dynamic.adapters.storage.schema import AUDIT_EVENTS, TX_LOGS
from dynamic.ledger.audit import GENESIS, BrokenLink, entry_digest
from dynamic.ledger.entry import Entry
from dynamic.records import TxLogRecord

_PAGE: Final = 1_000

# Anti-joins (LG-04, MI-24, PE-15): each counts what must not exist.
_MISSING: Final = {
    "decisions_without_snapshot": "SELECT count(*) FROM decisions d WHERE NOT EXISTS "
    "(SELECT 1 FROM market_snapshots s WHERE s.snapshot_id = d.snapshot_id)",
    "decisions_without_plan": "SELECT count(*) FROM decisions d WHERE d.plan_id IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM plans p WHERE p.plan_id = d.plan_id)",
    "plans_without_decision": "SELECT count(*) FROM plans p WHERE NOT EXISTS "
    "(SELECT 1 FROM decisions d WHERE d.decision_id = p.decision_id)",
    "steps_without_plan": "SELECT count(*) FROM steps s WHERE NOT EXISTS "
    "(SELECT 1 FROM plans p WHERE p.plan_id = s.plan_id)",
    "settled_steps_without_entry": "SELECT count(*) FROM steps s WHERE s.state = 'settled' "
    "AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.ref = s.step_key)",
    "executed_without_proposed": "SELECT count(*) FROM tx_logs t WHERE t.status IN "
    "('executed', 'settled', 'reverted') AND NOT EXISTS (SELECT 1 FROM tx_logs p "
    "WHERE p.ref_id = t.ref_id AND p.status = 'proposed' AND p.seq < t.seq)",
}


def linkage(database: Database) -> dict[str, int]:
    """Count, by name, the records whose origin is missing."""
    with database.reading() as connection:
        return {name: connection.scalar(text(query)) or 0 for name, query in _MISSING.items()}


def check_tx_logs(database: Database) -> tuple[int, BrokenLink | None]:
    """Return how many rows of tx_logs hold, and the first that does not."""
    seq, head = 0, GENESIS
    columns = [column for column in TX_LOGS.columns if column.name != "meta"]
    # The text that was hashed, not what a driver makes of it.
    query = select(*columns, cast(TX_LOGS.c.meta, Text).label("meta_text")).order_by(TX_LOGS.c.seq)
    while True:
        with database.reading() as connection:
            rows = connection.execute(query.where(TX_LOGS.c.seq > seq).limit(_PAGE)).all()
        for row in rows:
            record = TxLogRecord(
                row.id, row.kind, row.ref_id, row.amount, row.asset, row.status, row.actor,
                row.meta_text, row.created_at, row.idempotency_key,
            )  # fmt: skip
            if row.seq != seq + 1:
                return seq, BrokenLink(seq + 1, f"gap: the next row is {row.seq}")
            if row.prev_hash != head or tx_hash(row.seq, head, record) != row.hash:
                return seq, BrokenLink(row.seq, "altered content or hash")
            seq, head = row.seq, row.hash
        if len(rows) < _PAGE:
            return seq, None


def check_entries(database: Database, entries: Iterable[Entry]) -> tuple[int, str | None]:
    """Compare stored entries, oldest first, with the audit chain.

    Returns how many agree with the digest noted when they were booked, and what is wrong with
    the first that does not: altered, never noted (where any was), or noted and gone.
    """
    noted: dict[str, str] = {}
    query = select(AUDIT_EVENTS.c.payload).where(AUDIT_EVENTS.c.kind == "entry")
    with database.reading() as connection:
        for event in connection.execute(query.order_by(AUDIT_EVENTS.c.seq)).scalars():
            try:
                payload = json.loads(event)
                noted[payload["entry"]] = payload["digest"]
            except (ValueError, KeyError, TypeError):
                return 0, "an event of the audit chain no longer says which entry it is about"
    if not noted:
        return 0, None
    agreed = 0
    for entry in entries:
        expected = noted.pop(entry.entry_id, None)
        if expected is None:
            return agreed, f"{entry.entry_id} is in the books and not in the audit chain"
        if entry_digest(entry) != expected:
            return agreed, f"{entry.entry_id} is not what was booked"
        agreed += 1
    if noted:
        return agreed, f"{min(noted)} is in the audit chain and not in the books"
    return agreed, None
