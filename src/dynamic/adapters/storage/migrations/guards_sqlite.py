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
APPEND_ONLY: Final = (
    "audit_events", "entries", "postings", "seals", "approvals", "steps", "tx_logs",
    "decisions",
)  # fmt: skip
# Their unique keys. Postings are guarded by the seal, audit events by their chain.
KEYS: Final = {
    "entries": ("seq = NEW.seq", "entry_id = NEW.entry_id", "ref = NEW.ref AND kind = NEW.kind"),
    "seals": ("entry_seq = NEW.entry_seq",),
    "approvals": (
        "seq = NEW.seq",
        "plan_id = NEW.plan_id AND digest = NEW.digest AND operator = NEW.operator",
    ),
    "steps": (
        "seq = NEW.seq",
        "step_key = NEW.step_key AND state = NEW.state",
        f"step_key = NEW.step_key AND state IN {_ENDS} AND NEW.state IN {_ENDS}",
    ),
    "tx_logs": ("id = NEW.id", "idempotency_key = NEW.idempotency_key"),
    "decisions": ("seq = NEW.seq", "decision_id = NEW.decision_id"),
}
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


def _guard(name: str, moment: str, *refusals: tuple[str, str]) -> tuple[str, str]:
    """Return a trigger's name and text; refusals are (condition, message), asked in order."""
    condition = " OR ".join(f"({when})" for when, _ in refusals)
    words = " ".join(f"WHEN {when} THEN RAISE(ABORT, '{what}')" for when, what in refusals)
    return name, (
        f"CREATE TRIGGER {name} BEFORE {moment} WHEN {condition} BEGIN SELECT CASE {words} END; END"
    )


def _guards() -> Iterator[tuple[str, str]]:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            name, what = f"{table}_no_{verb.lower()}", f"{table} is append-only: {verb} refused"
            yield _guard(name, f"{verb} ON {table}", ("1", what))
    inserts: dict[str, list[tuple[str, str]]] = {
        "entries": [_KEYS_ON],
        "postings": [_SEALED],
        "audit_events": [_in_place("audit_events"), _HASHED],
        "tx_logs": [_in_place("tx_logs")],
    }
    for table, keys in KEYS.items():
        used = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {key})" for key in keys)
        inserts.setdefault(table, []).append((used, f"duplicate: already in {table}"))
    inserts["seals"].append((unbalanced("NEW.entry_seq"), "the entry does not balance"))
    for table, refusals in inserts.items():
        yield _guard(f"{table}_insert", f"INSERT ON {table}", *refusals)
    yield from _plan_guards()


_KEYS_ON: Final = (
    "(SELECT foreign_keys FROM pragma_foreign_keys) <> 1",
    "entries need PRAGMA foreign_keys = ON",
)
_SEALED: Final = (
    "EXISTS (SELECT 1 FROM seals WHERE entry_seq = NEW.entry_seq)",
    "the entry is sealed: no further posting",
)
_HASHED: Final = (
    (
        "NEW.hash <> dynamic_sha256(NEW.seq || char(10) || NEW.prev_hash || char(10) || NEW.at_s "
        "|| char(10) || NEW.kind || char(10) || NEW.actor || char(10) || NEW.payload)"
    ),
    "the hash of the audit event is not its own",
)


def _in_place(table: str) -> tuple[str, str]:
    last = f"(SELECT seq || hash FROM {table} ORDER BY seq DESC LIMIT 1)"
    return (
        f"(NEW.seq - 1) || NEW.prev_hash <> coalesce({last}, '0{_ZERO}')",
        f"duplicate: the chain of {table} does not continue here",
    )


def _plan_guards() -> Iterator[tuple[str, str]]:
    final = "('done', 'rejected', 'expired', 'abandoned')"
    # Asked on insert too: REPLACE would swap a whole row without an update.
    for moment in ("INSERT", "UPDATE"):
        old = "EXISTS (SELECT 1 FROM plans o WHERE o.plan_id = {} AND ({}))".format
        key = "NEW.plan_id" if moment == "INSERT" else "OLD.plan_id"
        content = (
            "NEW.plan_id <> o.plan_id OR NEW.digest <> o.digest OR NEW.payload <> o.payload "
            "OR NEW.decision_id <> o.decision_id OR NEW.created_at_s <> o.created_at_s"
        )
        yield _guard(
            f"plans_{moment.lower()}",
            f"{moment} ON plans",
            (old(key, content), "the content of a plan is fixed"),
            (
                old(key, f"o.state IN {final} AND NEW.state <> o.state"),
                "the end of a plan is final",
            ),
        )
    yield _guard("plans_no_delete", "DELETE ON plans", ("1", "plans are kept"))
    fixed = "the content of a snapshot is fixed"
    altered = (
        "EXISTS (SELECT 1 FROM market_snapshots WHERE snapshot_id = NEW.snapshot_id AND "
        "(payload <> NEW.payload OR at_s <> NEW.at_s OR is_synthetic <> NEW.is_synthetic))"
    )
    yield _guard("snapshots_insert", "INSERT ON market_snapshots", (altered, fixed))
    yield _guard("snapshots_no_update", "UPDATE ON market_snapshots", ("1", fixed))


def up() -> Iterator[str]:
    """Return the statements that put the guards up."""
    return (statement for _, statement in _guards())


def down() -> Iterator[str]:
    """Return the statements that take them down."""
    return (f"DROP TRIGGER {name}" for name, _ in _guards())
