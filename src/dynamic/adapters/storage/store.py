"""The store: everything of a batch becomes durable together, or nothing does.

    SqlStore(url)      opens, upgrades and takes the lease; Conflict where another writes
    commit(batch)      one transaction, fenced
    recover()          what a starting process must know

Implements `ports.Store`. After an error whose outcome is not known the ends of the tables are
read again before the next commit; a batch that was stored after all is then a Conflict.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Self

from sqlalchemy import Connection

from dynamic.adapters.storage.columns import units_from_text
from dynamic.adapters.storage.database import Database
from dynamic.adapters.storage.lease import WriterLease
from dynamic.adapters.storage.migrate import upgrade
from dynamic.adapters.storage.reader import ReadStore
from dynamic.adapters.storage.rows import Ends, RowWriter, once
from dynamic.errors import Conflict
from dynamic.ledger.audit import GENESIS
from dynamic.planning.plan import PlanState
from dynamic.records import Batch, Recovered, TxLogRecord

OPEN_STATES = (PlanState.PENDING_APPROVAL, PlanState.APPROVED, PlanState.EXECUTING)
KEYS_PER_QUERY = 500  # SQLite binds 999 values and more, by version


def _wall_clock_s() -> int:
    return int(time.time())


class SqlStore:
    """The single writer of one database; threads may share it."""

    def __init__(
        self, url: str, *, durable: bool = True, clock_s: Callable[[], int] = _wall_clock_s
    ) -> None:
        self.database = Database(url, durable=durable)
        self._lease = WriterLease(self.database)
        self._rows = RowWriter(self.database.on_sqlite)
        self._lock = threading.RLock()
        self._ends: Ends | None = None
        self._connection: Connection | None = None
        try:
            connection = self._connected()
            upgrade(self.database)
            with self.database.transaction(connection):
                self._lease.fence(connection, clock_s())
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def fencing(self) -> int:
        """Our number in the row of writers."""
        return self._lease.fencing

    def reader(self) -> ReadStore:
        """Return a reader of the same database, for other threads."""
        return ReadStore(self.database)

    def commit(self, batch: Batch) -> None:
        """Make the batch durable, whole.

        Raises StoreUnavailable, Conflict (a key is taken, or another process took over) or
        InvariantBroken (the database refused); then nothing of it is stored, unless the
        connection was lost in the last moment, which a Conflict on retry reveals.
        """
        with self._lock:
            connection = self._connected()
            try:
                with self.database.transaction(connection):
                    self._lease.check(connection)
                    ends = self._ends or self._read_ends(connection)
                    fresh = self._not_stored(connection, batch.tx_logs)
                    statements, after = self._rows.encode(batch, fresh, ends)
                    for sql, rows in statements:
                        connection.exec_driver_sql(sql, rows)
            except BaseException:
                self._ends = None
                raise
            self._ends = after

    def recover(self) -> Recovered:
        """Read back states, balances, open plans (oldest first) and their steps."""
        with self._lock:
            reader = self.reader()
            head = reader.audit_head()
            plans = reader.plan_records([state.value for state in OPEN_STATES])
            ids = {record.plan.plan_id for record in plans}
            return Recovered(
                audit_seq=head[0],
                audit_hash=head[1],
                states=reader.states(),
                balances=reader.balances(),
                open_plans=plans,
                plan_steps=reader.last_steps(ids),
                approvals=tuple(
                    a for plan_id in sorted(ids) for a in reader.approval_records(plan_id)
                ),
            )

    def close(self) -> None:
        """Give the lease and every connection back."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._lease.release()
            self.database.close()

    def _connected(self) -> Connection:
        """Return the kept connection; after a lost one, a new one under the same number."""
        if self._connection is not None and self._connection.invalidated:
            self._connection.close()
            self._connection = None
        if self._connection is None:
            connection = self.database.connect()
            try:
                with self.database.translated():
                    self._lease.lock(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _read_ends(self, connection: Connection) -> Ends:
        last = {
            table: connection.exec_driver_sql(
                f"SELECT coalesce(max(seq), 0) FROM {table}"  # noqa: S608  (our own names)
            ).scalar_one()
            for table in ("decisions", "approvals", "steps", "entries", "tx_logs")
        }
        head = connection.exec_driver_sql(
            "SELECT hash FROM tx_logs ORDER BY seq DESC LIMIT 1"
        ).scalar()
        at_s = connection.exec_driver_sql(
            "SELECT coalesce(max(updated_at), 0) FROM engine_state"
        ).scalar_one()
        return Ends(**last, tx_head=head or GENESIS, at_s=at_s)

    def _not_stored(
        self, connection: Connection, records: Sequence[TxLogRecord]
    ) -> list[TxLogRecord]:
        """Leave out what is stored already: a retry writes one row (PE-25)."""
        once_each = once(records)
        known = {}
        for start in range(0, len(once_each), KEYS_PER_QUERY):
            keys = tuple(r.idempotency_key for r in once_each[start : start + KEYS_PER_QUERY])
            marks = ", ".join(["?" if self.database.on_sqlite else "%s"] * len(keys))
            rows = connection.exec_driver_sql(
                "SELECT id, kind, ref_id, amount, asset, status, idempotency_key "  # noqa: S608
                f"FROM tx_logs WHERE idempotency_key IN ({marks})",
                keys,
            )
            known.update({row.idempotency_key: row for row in rows})
        fresh = []
        for record in once_each:
            row = known.get(record.idempotency_key)
            if row is None:
                fresh.append(record)
                continue
            amount = units_from_text(row.amount) if self.database.on_sqlite else int(row.amount)
            stored = (row.id, row.kind, row.ref_id, amount, row.asset, row.status)
            if stored != (record.log_id, record.kind, record.ref_id, record.amount,
                          record.asset, record.status):  # fmt: skip
                raise Conflict(f"tx_logs {record.idempotency_key} is stored with another content")
        return fresh
