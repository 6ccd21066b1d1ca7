"""Reading the store: what API, dashboard, CLI and exports ask, as plain dicts.

Every call takes its own connection and sees one committed state, so threads may share a
reader. `payload` is parsed JSON, except in audit events and tx_logs, where the text itself is
what was hashed. Newest first unless said otherwise.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Self

from sqlalchemy import Connection, Row, RowMapping, Table, and_, exists, func, not_, or_, select

from dynamic.adapters.storage.database import Database
from dynamic.adapters.storage.evidence import check_entries, check_tx_logs, linkage
from dynamic.adapters.storage.migrate import require_head
from dynamic.adapters.storage.plan_json import plan_from_json
from dynamic.adapters.storage.schema import (
    APPROVALS,
    AUDIT_EVENTS,
    DECISIONS,
    ENGINE_STATE,
    ENTRIES,
    METADATA,
    NAV_HISTORY,
    OUTCOMES,
    PLANS,
    POSTINGS,
    SEALS,
    SNAPSHOTS,
    STEPS,
    TX_LOGS,
)
from dynamic.errors import InvariantBroken, NotFound
from dynamic.ledger.audit import GENESIS, AuditEvent, verify
from dynamic.ledger.entry import Entry, EntryKind, Posting
from dynamic.planning.plan import PlanState
from dynamic.records import ApprovalRecord, PlanRecord, StepRecord, StepState

_PAGE = 1_000


class ReadStore:
    """Questions to one database; nothing here writes."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(cls, url: str) -> Self:
        """Open a database for reading only; StoreUnavailable where it is missing or too old."""
        reader = cls(Database(url))
        try:
            with reader.database.reading() as connection:
                require_head(connection)
        except BaseException:
            reader.close()
            raise
        return reader

    def close(self) -> None:
        """Give every connection back."""
        self.database.close()

    # --- market, decisions, plans -----------------------------------------------------------

    def latest_snapshot(self) -> dict[str, Any] | None:
        """Return the newest market snapshot a decision was made on."""
        query = select(SNAPSHOTS).order_by(SNAPSHOTS.c.at_s.desc()).limit(1)
        return self._first(query)

    def snapshot(self, snapshot_id: str) -> dict[str, Any] | None:
        """Return one snapshot."""
        return self._first(select(SNAPSHOTS).where(SNAPSHOTS.c.snapshot_id == snapshot_id))

    def snapshots(self, since_s: int, max_points: int) -> list[dict[str, Any]]:
        """Return snapshots since an instant, oldest first, evenly thinned to `max_points`."""
        total = func.count().over().label("total")
        number = func.row_number().over(order_by=SNAPSHOTS.c.at_s).label("number")
        numbered = select(SNAPSHOTS, number, total).where(SNAPSHOTS.c.at_s >= since_s).subquery()
        # Every n-th from the newest backwards, so that the newest is always there.
        step = (numbered.c.total - 1) // max(1, max_points) + 1
        query = (
            select(*[numbered.c[column.name] for column in SNAPSHOTS.columns])
            .where((numbered.c.total - numbered.c.number) % step == 0)
            .order_by(numbered.c.at_s)
        )
        return self._all(query)

    def decisions(
        self, limit: int = 50, offset: int = 0, since_s: int | None = None
    ) -> list[dict[str, Any]]:
        """Return decisions."""
        query = select(DECISIONS).order_by(DECISIONS.c.seq.desc()).limit(limit).offset(offset)
        if since_s is not None:
            query = query.where(DECISIONS.c.at_s >= since_s)
        return self._all(query)

    def decision(self, decision_id: str) -> dict[str, Any] | None:
        """Return one decision."""
        return self._first(select(DECISIONS).where(DECISIONS.c.decision_id == decision_id))

    def plans(
        self, states: Sequence[str] | None = None, limit: int = 1_000
    ) -> list[dict[str, Any]]:
        """Return plans in any of the states, or all."""
        query = select(PLANS).order_by(PLANS.c.created_at_s.desc(), PLANS.c.plan_id).limit(limit)
        if states is not None:
            query = query.where(PLANS.c.state.in_([str(state) for state in states]))
        return self._all(query)

    def plan(self, plan_id: str) -> dict[str, Any] | None:
        """Return one plan, its content under `payload`."""
        return self._first(select(PLANS).where(PLANS.c.plan_id == plan_id))

    def plan_record(self, plan_id: str) -> PlanRecord:
        """Return one plan as it was handed in; NotFound where there is none."""
        with self.database.reading() as connection:
            row = connection.execute(select(PLANS).where(PLANS.c.plan_id == plan_id)).first()
        if row is None:
            raise NotFound(f"no plan {plan_id}")
        return _plan_record(row)

    def plan_records(self, states: Sequence[str]) -> tuple[PlanRecord, ...]:
        """Return the plans in any of the states, oldest first."""
        query = select(PLANS).where(PLANS.c.state.in_([str(state) for state in states]))
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(PLANS.c.created_at_s, PLANS.c.plan_id))
            return tuple(_plan_record(row) for row in rows)

    def approvals(self, plan_id: str) -> list[dict[str, Any]]:
        """Return what people said of a plan, oldest first."""
        query = select(APPROVALS).where(APPROVALS.c.plan_id == plan_id).order_by(APPROVALS.c.seq)
        return self._all(query)

    def approval_records(self, plan_id: str) -> list[ApprovalRecord]:
        """Return the same as records."""
        return [
            ApprovalRecord(r["plan_id"], r["digest"], r["operator"], r["approved"], r["notes"],
                           r["at_s"])
            for r in self.approvals(plan_id)
        ]  # fmt: skip

    def steps(self, plan_id: str) -> list[dict[str, Any]]:
        """Return the journal of a plan's steps, oldest first."""
        return self._all(select(STEPS).where(STEPS.c.plan_id == plan_id).order_by(STEPS.c.seq))

    def last_steps(self, plan_ids: set[str]) -> tuple[StepRecord, ...]:
        """Return the last journal line of every step of these plans, oldest step first."""
        query = select(STEPS).where(STEPS.c.plan_id.in_(sorted(plan_ids))).order_by(STEPS.c.seq)
        last: dict[str, StepRecord] = {}
        with self.database.reading() as connection:
            for row in connection.execute(query):
                last[row.step_key] = StepRecord(
                    row.step_key, row.plan_id, row.leg_no, StepState(row.state), row.at_s,
                    row.payload,
                )  # fmt: skip
        return tuple(last.values())

    def outcomes(self, decision_id: str | None = None) -> list[dict[str, Any]]:
        """Return what became of one decision, or of all, by horizon."""
        query = select(OUTCOMES).order_by(OUTCOMES.c.due_at_s, OUTCOMES.c.decision_id)
        if decision_id is not None:
            query = query.where(OUTCOMES.c.decision_id == decision_id)
        return self._all(query)

    # --- nav --------------------------------------------------------------------------------

    def latest_nav(self) -> dict[str, Any] | None:
        """Return the newest mark."""
        return self._first(select(NAV_HISTORY).order_by(NAV_HISTORY.c.at_s.desc()).limit(1))

    def nav_series(
        self, since_s: int = 0, until_s: int | None = None, max_points: int = 2_000
    ) -> list[dict[str, Any]]:
        """Return marks, oldest first: evenly thinned to `max_points`, first and last included."""
        table = NAV_HISTORY
        span = [table.c.at_s >= since_s]
        if until_s is not None:
            span.append(table.c.at_s <= until_s)
        number = func.row_number().over(order_by=table.c.at_s).label("number")
        with self.database.reading() as connection:
            total = connection.scalar(select(func.count()).select_from(table).where(*span)) or 0
            numbered = select(table, number).where(*span).subquery()
            step = max(1, -(-(total - 1) // max(1, max_points - 1)))
            query = (
                select(*[numbered.c[column.name] for column in table.columns])
                .where(or_((numbered.c.number - 1) % step == 0, numbered.c.number == total))
                .order_by(numbered.c.at_s)
            )
            return [_plain(row) for row in connection.execute(query).mappings()]

    # --- ledger -----------------------------------------------------------------------------

    def entries(
        self,
        limit: int = 50,
        offset: int = 0,
        account: str | None = None,
        asset: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return entries with their `postings`; the filters ask for one posting that has both."""
        query = select(ENTRIES).order_by(ENTRIES.c.seq.desc()).limit(limit).offset(offset)
        wanted = [POSTINGS.c.entry_seq == ENTRIES.c.seq]
        if account is not None:
            wanted.append(POSTINGS.c.account == account)
        if asset is not None:
            wanted.append(POSTINGS.c.asset == asset)
        if len(wanted) > 1:
            query = query.where(exists().where(and_(*wanted)))
        with self.database.reading() as connection:
            rows = [_plain(row) for row in connection.execute(query).mappings()]
            lines = _postings(connection, [row["seq"] for row in rows])
        for row in rows:
            row["postings"] = [
                {"account": p.account, "asset": p.asset, "base_units": p.base_units}
                for p in lines.get(row["seq"], ())
            ]
        return rows

    def entry(self, entry_id: str) -> Entry | None:
        """Return one entry by its id, or None."""
        with self.database.reading() as connection:
            row = connection.execute(select(ENTRIES).where(ENTRIES.c.entry_id == entry_id)).first()
            if row is None:
                return None
            lines = _postings(connection, [row.seq])
        return Entry(
            row.entry_id, row.at_s, EntryKind(row.kind), row.narration, row.ref,
            tuple(lines.get(row.seq, ())),
        )  # fmt: skip

    def entry_records(self, after_seq: int = 0) -> Iterator[Entry]:
        """Stream all entries, oldest first, for exports and replays of the books."""
        while True:
            query = select(ENTRIES).where(ENTRIES.c.seq > after_seq).order_by(ENTRIES.c.seq)
            with self.database.reading() as connection:
                rows = connection.execute(query.limit(_PAGE)).all()
                lines = _postings(connection, [row.seq for row in rows])
            for row in rows:
                yield Entry(
                    row.entry_id, row.at_s, EntryKind(row.kind), row.narration, row.ref,
                    tuple(lines.get(row.seq, ())),
                )  # fmt: skip
            if len(rows) < _PAGE:
                return
            after_seq = rows[-1].seq

    def balances(self) -> dict[tuple[str, str], int]:
        """Return base units by (account, asset), added exactly; zero balances left out.

        Raises InvariantBroken where an entry is not sealed or a posting has no entry.
        """
        loose = select(func.count()).where(not_(exists().where(SEALS.c.entry_seq == ENTRIES.c.seq)))
        orphans = select(func.count()).where(
            not_(exists().where(ENTRIES.c.seq == POSTINGS.c.entry_seq))
        )
        sums: dict[tuple[str, str], int] = {}
        with self.database.reading() as connection:
            found = (
                connection.scalar(loose.select_from(ENTRIES)),
                connection.scalar(orphans.select_from(POSTINGS)),
            )
            if found != (0, 0):
                raise InvariantBroken(
                    f"the ledger holds {found[0]} entries without a seal and {found[1]} "
                    "postings without an entry"
                )
            columns = (POSTINGS.c.account, POSTINGS.c.asset, POSTINGS.c.base_units)
            for account, asset, units in connection.execute(select(*columns)):
                key = (account, asset)
                sums[key] = sums.get(key, 0) + units
        return {key: units for key, units in sums.items() if units}

    def tx_logs(
        self, limit: int = 50, offset: int = 0, ref_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Return rows of tx_logs; `meta` is parsed."""
        query = select(TX_LOGS).order_by(TX_LOGS.c.seq.desc()).limit(limit).offset(offset)
        if ref_id is not None:
            query = query.where(TX_LOGS.c.ref_id == ref_id)
        return self._all(query)

    # --- audit, memory, counts --------------------------------------------------------------

    def audit_events(self, from_seq: int = 1, limit: int = 1_000) -> list[dict[str, Any]]:
        """Return events from a number on, oldest first; `payload` is the hashed text."""
        query = select(AUDIT_EVENTS).where(AUDIT_EVENTS.c.seq >= from_seq)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(AUDIT_EVENTS.c.seq).limit(limit))
            return [dict(row) for row in rows.mappings()]

    def audit_chain(self) -> Iterator[AuditEvent]:
        """Stream every event, oldest first, by its number."""
        after = -1
        while True:
            rows = self.audit_events(after + 1, _PAGE)
            for row in rows:
                yield AuditEvent(**row)
            if len(rows) < _PAGE:
                return
            after = rows[-1]["seq"]

    def audit_head(self) -> tuple[int, str]:
        """Return the number and hash of the last event; (0, GENESIS) of none."""
        query = select(AUDIT_EVENTS.c.seq, AUDIT_EVENTS.c.hash)
        with self.database.reading() as connection:
            row = connection.execute(query.order_by(AUDIT_EVENTS.c.seq.desc()).limit(1)).first()
        return (row.seq, row.hash) if row else (0, GENESIS)

    def verify_audit(self, anchor: tuple[int, str] | None = None) -> dict[str, Any]:
        """Check both hash chains from their start, and the ledger's entries against them.

        `broken` and `tx_logs_broken` are None or the first bad link: {seq, what};
        `entries_broken` is None or a sentence. `holds` sums it up. `anchor` is a (seq, hash)
        of the audit chain noted elsewhere.
        """
        broken = verify(self.audit_chain(), anchor=anchor)
        rows, odd_row = check_tx_logs(self.database)
        entries, odd_entry = self._check_entries()
        seq, head = self.audit_head()
        return {
            "holds": broken is None and odd_row is None and odd_entry is None,
            "events": seq,
            "head": head,
            "broken": asdict(broken) if broken else None,
            "tx_logs": rows,
            "tx_logs_broken": asdict(odd_row) if odd_row else None,
            "entries": entries,
            "entries_broken": odd_entry,
        }

    def _check_entries(self) -> tuple[int, str | None]:
        try:
            return check_entries(self.database, self.entry_records())
        except InvariantBroken as error:  # an entry so altered that it is none any more
            return 0, error.message

    def linkage(self) -> dict[str, int]:
        """Count the records whose origin is missing, by name; all zero is right (LG-04)."""
        return linkage(self.database)

    def state(self, name: str) -> str | None:
        """Return one engine memory, as the text handed in."""
        return self.states().get(name)

    def states(self) -> dict[str, str]:
        """Return all engine memory by name."""
        with self.database.reading() as connection:
            return {r.name: r.payload for r in connection.execute(select(ENGINE_STATE))}

    def counts(self) -> dict[str, int]:
        """Return the rows of every table."""
        with self.database.reading() as connection:
            return {name: _count(connection, table) for name, table in METADATA.tables.items()}

    def _first(self, query: Any) -> dict[str, Any] | None:
        with self.database.reading() as connection:
            row = connection.execute(query).mappings().first()
        return _plain(row) if row else None

    def _all(self, query: Any) -> list[dict[str, Any]]:
        with self.database.reading() as connection:
            return [_plain(row) for row in connection.execute(query).mappings()]


def _plain(row: RowMapping) -> dict[str, Any]:
    found = dict(row)
    for name in ("payload", "meta"):
        if isinstance(found.get(name), str):
            found[name] = json.loads(found[name])
    return found


def _plan_record(row: Row[Any]) -> PlanRecord:
    return PlanRecord(
        plan_from_json(row.payload), PlanState(row.state), row.updated_at_s, row.expires_at_s,
        row.reason,
    )  # fmt: skip


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _postings(connection: Connection, seqs: Sequence[int]) -> dict[int, list[Posting]]:
    found: dict[int, list[Posting]] = {}
    if seqs:
        query = select(POSTINGS).where(POSTINGS.c.entry_seq.in_(seqs))
        for row in connection.execute(query.order_by(POSTINGS.c.entry_seq, POSTINGS.c.line)):
            posting = Posting(row.account, row.asset, row.base_units)
            found.setdefault(row.entry_seq, []).append(posting)
    return found
