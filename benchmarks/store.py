"""How fast things become durable: one audit event, one booked leg, and a replay's groups.

    python -m benchmarks.store [--postgres URL]      URL of an EMPTY database, left full

Latencies are of whole commits: SQLite with synchronous=FULL, PostgreSQL as its server is set.
Without a URL the report says that PostgreSQL was not measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import machine
from dynamic.adapters.storage.group import GroupCommit
from dynamic.adapters.storage.store import SqlStore
from dynamic.ledger.audit import AuditChain
from dynamic.ledger.entry import EntryKind
from dynamic.ledger.posting import capital_entry, transfer_entry
from dynamic.records import Batch

APPENDS = 300
LEGS = 300
GROUPED = 6_000
AT_S = 1_700_000_000


def measure(url: str) -> dict[str, object]:
    """Measure one database from empty."""
    with SqlStore(url) as store:
        recovered = store.recover()
        if recovered.audit_seq:
            raise SystemExit(f"expected an empty database, found {recovered.audit_seq} events")
        chain = AuditChain(recovered.audit_seq, recovered.audit_hash)
        appends = [_timed(store, _event(chain)) for _ in range(APPENDS)]
        store.commit(Batch(entries=[capital_entry(AT_S, "capital", "wallet", "USDC", 10**12)]))
        legs = [_timed(store, _leg(chain, n)) for n in range(LEGS)]
        grouped = GroupCommit(store, 500)
        begun = time.perf_counter()
        for n in range(LEGS, LEGS + GROUPED):
            grouped.commit(_leg(chain, n))
        grouped.flush()
        seconds = time.perf_counter() - begun
        counts = store.reader().counts()
        begun = time.perf_counter()
        evidence = store.reader().verify_audit()
        verified_s = time.perf_counter() - begun
        assert evidence["broken"] is None
    rows_each = 1 + 1 + 2 + 1 + 1  # event, entry, two postings, seal, engine state
    return {
        "audit_append_ms_median": _ms(appends, 50),
        "audit_append_ms_p99": _ms(appends, 99),
        "booked_leg_ms_median": _ms(legs, 50),
        "booked_leg_ms_p99": _ms(legs, 99),
        "grouped_legs_per_second": round(GROUPED / seconds),
        "grouped_rows_per_second": round(GROUPED * rows_each / seconds),
        "audit_events_verified_per_second": round(counts["audit_events"] / verified_s),
        "rows": sum(counts.values()),
    }


def _event(chain: AuditChain) -> Batch:
    return Batch(audit=[chain.append(AT_S, "cycle", "engine", {"note": "measured"})])


def _leg(chain: AuditChain, number: int) -> Batch:
    """One leg as it is booked: an entry, its event, and engine memory."""
    ref = f"leg-{number}"
    kind = EntryKind.DEPOSIT
    entry = transfer_entry(AT_S, ref, kind, "wallet", "aave_v3", "USDC", 1_000 + number)
    event = chain.append(AT_S, "entry", "engine", {"entry": entry.entry_id})
    return Batch(audit=[event], entries=[entry], states={"diary": json.dumps({"n": number})})


def _timed(store: SqlStore, batch: Batch) -> float:
    begun = time.perf_counter()
    store.commit(batch)
    return time.perf_counter() - begun


def _ms(seconds: list[float], percent: int) -> float:
    ordered = sorted(seconds)
    return round(1_000 * ordered[min(len(ordered) * percent // 100, len(ordered) - 1)], 2)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--postgres", help="URL of an empty database")
    chosen = parser.parse_args()
    report: dict[str, object] = {"machine": machine()}
    with tempfile.TemporaryDirectory(prefix="dynamic-store-") as home:
        report["sqlite_full"] = measure(f"sqlite:///{Path(home) / 'treasury.db'}")
    report["postgresql"] = (
        measure(chosen.postgres) if chosen.postgres else "not measured: no --postgres URL"
    )
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
