"""Records as rows: the statements of one batch, in the order references want them.

    encode : Batch x Position -> ((sql, rows), ...) x Position

`Ends` are the ends of the numbered tables; they move only once the batch is durable. Rows
are plain tuples and the statements fixed text, since this is on the path of every cycle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table

from dynamic.adapters.storage import schema
from dynamic.adapters.storage.columns import checked_units, units_text
from dynamic.adapters.storage.plan_json import plan_to_json
from dynamic.errors import InvariantBroken
from dynamic.ledger.audit import GENESIS
from dynamic.ledger.canonical import canonical_json, text_digest
from dynamic.records import Batch, PlanRecord, TxLogRecord

Row = tuple[Any, ...]
Statement = tuple[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Ends:
    """The last number used in each numbered table, the head of tx_logs, the latest instant."""

    decisions: int = 0
    approvals: int = 0
    steps: int = 0
    entries: int = 0
    tx_logs: int = 0
    tx_head: str = GENESIS
    at_s: int = 0


# What an insert does where its key exists; tables not named here refuse.
_ON_CONFLICT: Final = {
    "engine_state": "(name) DO UPDATE SET payload = excluded.payload, "
    "updated_at = excluded.updated_at",
    # The guard refuses another content under the same id.
    "market_snapshots": "(snapshot_id) DO NOTHING",
    # The digest goes along so that the guard can refuse another content.
    "plans": "(plan_id) DO UPDATE SET state = excluded.state, reason = excluded.reason, "
    "updated_at_s = excluded.updated_at_s, expires_at_s = excluded.expires_at_s, "
    "digest = excluded.digest, payload = excluded.payload",
    "nav_history": "(at_s) DO UPDATE SET nav_usd_micro = excluded.nav_usd_micro, "
    "volatile_usd_micro = excluded.volatile_usd_micro, "
    "high_water_usd_micro = excluded.high_water_usd_micro, "
    "drawdown_bps = excluded.drawdown_bps, payload = excluded.payload",
    "outcomes": "(decision_id, horizon_d) DO UPDATE SET due_at_s = excluded.due_at_s, "
    "measured_at_s = excluded.measured_at_s, "
    "value_added_usd_micro = excluded.value_added_usd_micro",
}


def insert_sql(table: Table, on_sqlite: bool) -> str:
    """Return the insert of whole rows of a table, in its column order."""
    names = [column.name for column in table.columns]
    marks = ", ".join(["?" if on_sqlite else "%s"] * len(names))
    # Names and clauses are our own constants; values are always bound.
    sql = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
    clause = _ON_CONFLICT.get(table.name)
    return f"{sql} ON CONFLICT {clause}" if clause else sql


class RowWriter:
    """Turns batches into rows for one kind of database."""

    def __init__(self, on_sqlite: bool) -> None:
        self._units: Callable[[int], str | int] = units_text if on_sqlite else checked_units
        self._sql = {
            table.name: insert_sql(table, on_sqlite) for table in schema.METADATA.tables.values()
        }

    def encode(
        self, batch: Batch, tx_logs: Sequence[TxLogRecord], ends: Ends
    ) -> tuple[list[Statement], Ends]:
        """Return the statements of a batch and where the tables end after it.

        `tx_logs` are those of the batch that are not stored yet.
        """
        at_s = max(ends.at_s, _latest(batch))
        rows: dict[str, list[Row]] = {
            "market_snapshots": [
                (r.snapshot_id, r.at_s, r.is_synthetic, r.payload) for r in batch.snapshots
            ],
            "decisions": [
                (ends.decisions + n, r.decision_id, r.at_s, r.actor, r.trigger, r.phase, r.mode,
                 r.outcome.value, r.confidence, r.reasoning, r.snapshot_id, r.mandate_digest,
                 r.plan_id, r.payload)
                for n, r in enumerate(batch.decisions, 1)
            ],
            "plans": [_plan_row(r) for r in batch.plans],
            "approvals": [
                (ends.approvals + n, r.plan_id, r.digest, r.operator, r.approved, r.notes, r.at_s)
                for n, r in enumerate(batch.approvals, 1)
            ],
            "steps": [
                (ends.steps + n, r.step_key, r.plan_id, r.leg_no, r.state.value, r.at_s, r.payload)
                for n, r in enumerate(batch.steps, 1)
            ],
            "audit_events": [
                (r.seq, r.at_s, r.kind, r.actor, r.payload, r.prev_hash, r.hash)
                for r in batch.audit
            ],
            "nav_history": [
                (r.at_s, r.nav_usd_micro, r.volatile_usd_micro, r.high_water_usd_micro,
                 r.drawdown_bps, r.payload)
                for r in batch.navs
            ],
            "outcomes": [
                (r.decision_id, r.horizon_d, r.due_at_s, r.measured_at_s, r.value_added_usd_micro)
                for r in batch.outcomes
            ],
            "engine_state": [
                (name, state if isinstance(state, str) else state(), at_s)
                for name, state in batch.states.items()
            ],
        }  # fmt: skip
        self._ledger_rows(batch, ends, rows)
        rows["tx_logs"], head = self._tx_rows(tx_logs, ends)
        after = Ends(
            ends.decisions + len(batch.decisions), ends.approvals + len(batch.approvals),
            ends.steps + len(batch.steps), ends.entries + len(batch.entries),
            ends.tx_logs + len(tx_logs), head, at_s,
        )  # fmt: skip
        return [(self._sql[table], found) for table, found in rows.items() if found], after

    def _ledger_rows(self, batch: Batch, ends: Ends, rows: dict[str, list[Row]]) -> None:
        entries: list[Row] = []
        postings: list[Row] = []
        seals: list[Row] = []
        for seq, entry in enumerate(batch.entries, ends.entries + 1):
            entries.append(
                (seq, entry.entry_id, entry.at_s, entry.kind.value, entry.narration, entry.ref)
            )
            seals.append((seq, len(entry.postings)))
            for line, posting in enumerate(entry.postings, 1):
                units = self._units(posting.base_units)
                postings.append((seq, line, posting.account, posting.asset, units))
        # A seal is admitted only over postings that balance, so it comes last.
        rows.update(entries=entries, postings=postings, seals=seals)

    def _tx_rows(self, records: Sequence[TxLogRecord], ends: Ends) -> tuple[list[Row], str]:
        rows: list[Row] = []
        head = ends.tx_head
        for seq, record in enumerate(records, ends.tx_logs + 1):
            link = tx_hash(seq, head, record)
            rows.append(
                (seq, record.log_id, record.kind, record.ref_id, self._units(record.amount),
                 record.asset, record.meta, record.created_at_s, record.idempotency_key,
                 record.status, record.actor, head, link)
            )  # fmt: skip
            head = link
        return rows, head


def tx_hash(seq: int, prev_hash: str, record: TxLogRecord) -> str:
    """Return the hash of one tx_logs row: everything it says and the hash before it."""
    return text_digest(canonical_json([
        seq, prev_hash, record.log_id, record.kind, record.ref_id, record.amount, record.asset,
        record.meta, record.created_at_s, record.idempotency_key, record.status, record.actor,
    ]))  # fmt: skip


def _plan_row(record: PlanRecord) -> Row:
    plan = record.plan
    return (
        plan.plan_id, plan.decision_id, record.state.value, plan.digest, plan.created_at_s,
        record.updated_at_s, record.expires_at_s, record.reason, plan_to_json(plan),
    )  # fmt: skip


def _latest(batch: Batch) -> int:
    """Return the latest instant a batch speaks of: when its states were written, repeatably."""
    instants = [r.at_s for r in batch.audit]
    instants += [r.at_s for r in batch.navs]
    instants += [r.at_s for r in batch.steps]
    return max(instants, default=0)


def once(records: Sequence[TxLogRecord]) -> list[TxLogRecord]:
    """Leave out repeated keys; InvariantBroken where one key says two things."""
    seen: dict[str, TxLogRecord] = {}
    for record in records:
        if seen.setdefault(record.idempotency_key, record) != record:
            raise InvariantBroken(f"two tx_logs under one key {record.idempotency_key}")
    return list(seen.values())
