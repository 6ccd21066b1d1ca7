"""Revision 0002 on SQLite: triggers, which fire for every client and every language.

The balance is checked in SQL alone, exactly, for amounts to 10**78: the 79 digits are added in
limbs of 15 and the carries passed on; n postings balance where the sum is n x 10**78. A client
that leaves foreign keys off could skip the seal, so entries refuse it. The hash of an audit
event needs `dynamic_sha256`, which our connections register: a client without it cannot append.
INSERT OR REPLACE deletes without firing delete triggers, so used keys are refused up front.
"""

# ruff: noqa: S608  (statements are made of our own names; no value enters them)

from collections.abc import Iterator
from typing import Final

_ENDS: Final = "('settled', 'reverted', 'abandoned')"
# Every unique key of every table that only grows.
APPEND_ONLY: Final = {
    "audit_events": ("seq = NEW.seq",),
    "entries": (
        "seq = NEW.seq", "entry_id = NEW.entry_id", "ref = NEW.ref AND kind = NEW.kind",
    ),
    "postings": ("entry_seq = NEW.entry_seq AND line = NEW.line",),
    "seals": ("entry_seq = NEW.entry_seq",),
    "approvals": (
        "seq = NEW.seq",
        "plan_id = NEW.plan_id AND digest = NEW.digest AND operator = NEW.operator",
    ),
    "steps": (
        "seq = NEW.seq", "step_key = NEW.step_key AND state = NEW.state",
        f"step_key = NEW.step_key AND state IN {_ENDS} AND NEW.state IN {_ENDS}",
    ),
    "tx_logs": ("seq = NEW.seq", "id = NEW.id", "idempotency_key = NEW.idempotency_key"),
    "decisions": ("seq = NEW.seq", "decision_id = NEW.decision_id"),
    "switch_log": ("seq = NEW.seq",),
}  # fmt: skip
_LIMB: Final = 10**15
# Digits 65-79, 50-64, ... as substr() counts them, the lowest first; the top limb has four.
_LIMBS: Final = ((65, 15), (50, 15), (35, 15), (20, 15), (5, 15), (1, 4))
_ZERO: Final = "0" * 64


def unbalanced(entry_seq: str) -> str:
    """Return a condition that holds where the entry has no postings or an odd asset."""
    sums = ", ".join(
        f"sum(CAST(substr(base_units, {start}, {length}) AS INTEGER)) AS s{i}"
        for i, (start, length) in enumerate(_LIMBS)
    )
    odd, carry = [], "0"
    for i in range(len(_LIMBS) - 1):
        total = f"(s{i} + {carry})"
        odd.append(f"{total} % {_LIMB} <> 0")
        carry = f"{total} / {_LIMB}"
    # 10**78 is a thousand of the top limb.
    odd.append(f"s{len(_LIMBS) - 1} + {carry} <> n * 1000")
    return (
        f"NOT EXISTS (SELECT 1 FROM postings WHERE entry_seq = {entry_seq}) OR EXISTS ("
        f"SELECT 1 FROM (SELECT count(*) AS n, {sums} FROM postings "
        f"WHERE entry_seq = {entry_seq} GROUP BY asset) WHERE {' OR '.join(odd)})"
    )


def _guard(name: str, moment: str, condition: str, message: str) -> str:
    return (
        f"CREATE TRIGGER {name} BEFORE {moment} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _guards() -> Iterator[tuple[str, str]]:
    for table, keys in APPEND_ONLY.items():
        for verb in ("UPDATE", "DELETE"):
            yield f"{table}_no_{verb.lower()}", _guard(
                f"{table}_no_{verb.lower()}", f"{verb} ON {table}", "1",
                f"{table} is append-only: {verb} refused",
            )  # fmt: skip
        used = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {key})" for key in keys)
        yield (
            f"{table}_once",
            _guard(f"{table}_once", f"INSERT ON {table}", used, f"duplicate: already in {table}"),
        )
    yield from _ledger_guards()
    yield from _chain_guards()
    yield from _plan_guards()


def _ledger_guards() -> Iterator[tuple[str, str]]:
    yield "entries_need_keys", _guard(
        "entries_need_keys", "INSERT ON entries",
        "(SELECT foreign_keys FROM pragma_foreign_keys) <> 1",
        "entries need PRAGMA foreign_keys = ON",
    )  # fmt: skip
    yield "postings_sealed", _guard(
        "postings_sealed", "INSERT ON postings",
        "EXISTS (SELECT 1 FROM seals WHERE entry_seq = NEW.entry_seq)",
        "the entry is sealed: no further posting",
    )  # fmt: skip
    yield "seals_balance", _guard(
        "seals_balance", "INSERT ON seals", unbalanced("NEW.entry_seq"),
        "the entry does not balance",
    )  # fmt: skip


def _chain_guards() -> Iterator[tuple[str, str]]:
    for table in ("audit_events", "tx_logs"):
        broken = (
            f"NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM {table}) OR NEW.prev_hash <> "
            f"coalesce((SELECT hash FROM {table} WHERE seq = NEW.seq - 1), '{_ZERO}')"
        )
        if table == "audit_events":
            broken += (
                " OR NEW.hash <> dynamic_sha256(NEW.seq || char(10) || NEW.prev_hash || char(10)"
                " || NEW.at_s || char(10) || NEW.kind || char(10) || NEW.actor || char(10)"
                " || NEW.payload)"
            )
        message = f"the chain of {table} does not continue"
        yield f"{table}_chain", _guard(f"{table}_chain", f"INSERT ON {table}", broken, message)


def _plan_guards() -> Iterator[tuple[str, str]]:
    final = "('done', 'rejected', 'expired', 'abandoned')"
    yield "plans_fixed", _guard(
        "plans_fixed", "UPDATE ON plans",
        "NEW.plan_id <> OLD.plan_id OR NEW.digest <> OLD.digest OR NEW.payload <> OLD.payload "
        "OR NEW.decision_id <> OLD.decision_id OR NEW.created_at_s <> OLD.created_at_s",
        "the content of a plan is fixed",
    )  # fmt: skip
    yield "plans_final", _guard(
        "plans_final", "UPDATE ON plans",
        f"OLD.state IN {final} AND NEW.state <> OLD.state", "the end of a plan is final",
    )  # fmt: skip
    yield "plans_no_delete", _guard("plans_no_delete", "DELETE ON plans", "1", "plans are kept")
    yield "snapshots_fixed", _guard(
        "snapshots_fixed", "INSERT ON market_snapshots",
        "EXISTS (SELECT 1 FROM market_snapshots WHERE snapshot_id = NEW.snapshot_id "
        "AND payload <> NEW.payload)",
        "the content of a snapshot is fixed",
    )  # fmt: skip
    yield "snapshots_no_update", _guard(
        "snapshots_no_update", "UPDATE ON market_snapshots", "1",
        "the content of a snapshot is fixed",
    )  # fmt: skip


def up() -> Iterator[str]:
    """Return the statements that put the guards up."""
    return (statement for _, statement in _guards())


def down() -> Iterator[str]:
    """Return the statements that take them down."""
    return (f"DROP TRIGGER {name}" for name, _ in _guards())
