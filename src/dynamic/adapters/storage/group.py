"""Group commit: many batches in one transaction, for a replay that can be run again.

    GroupCommit(store, every=500)     durable on flush, on recover and on close

Batches keep their order and stay whole: a crash loses the batches since the last flush, never
a part of one. Engine memory and plans are written once per group, as they stand at its end.
"""

from typing import Self

from dynamic.adapters.storage.reader import ReadStore
from dynamic.adapters.storage.store import SqlStore
from dynamic.records import Batch, PlanRecord, Recovered


class GroupCommit:
    """A store that buffers; not for money that cannot be replayed."""

    def __init__(self, store: SqlStore, every: int = 500) -> None:
        if every < 1:
            raise ValueError(f"expected groups of at least one batch, found {every}")
        self.store = store
        self.every = every
        self._group = Batch()
        self._plans: dict[str, PlanRecord] = {}
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None:
            self.close()
        else:
            self.store.close()

    def commit(self, batch: Batch) -> None:
        """Take a batch; every so many of them become durable together."""
        group = self._group
        group.audit += batch.audit
        group.snapshots += batch.snapshots
        group.decisions += batch.decisions
        group.approvals += batch.approvals
        group.steps += batch.steps
        group.entries += batch.entries
        group.tx_logs += batch.tx_logs
        group.navs += batch.navs
        group.outcomes += batch.outcomes
        group.states.update(batch.states)
        for record in batch.plans:
            self._plans[record.plan.plan_id] = record
        self._count += 1
        if self._count >= self.every:
            self.flush()

    def flush(self) -> None:
        """Make everything taken so far durable; on an error it stays here, to be tried again."""
        if not self._count:
            return
        self._group.plans = list(self._plans.values())
        self.store.commit(self._group)
        self._group, self._plans, self._count = Batch(), {}, 0

    def recover(self) -> Recovered:
        """Flush, then read back."""
        self.flush()
        return self.store.recover()

    def reader(self) -> ReadStore:
        """Return a reader; it sees what was flushed."""
        return self.store.reader()

    def close(self) -> None:
        """Flush and close the store, the latter in any case."""
        try:
            self.flush()
        finally:
            self.store.close()
