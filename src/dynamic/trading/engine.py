"""The engine: one treasury's memory behind one lock, and everything that may change it.

    cycle · sign · resume · note        one at a time; memory is rebuilt after any failure

A failure of any kind forgets memory: the next call recovers it from the store, which is how
every process starts. A broken invariant lowers the switch to HALTED first.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from dynamic.errors import Conflict, InvariantBroken
from dynamic.policy.situation import SwitchState
from dynamic.records import PlanRecord
from dynamic.trading.paper import PaperTreasury
from dynamic.workflows.approve import Signature, resume, sign
from dynamic.workflows.decide import Ask
from dynamic.workflows.memory import Memory, recover
from dynamic.workflows.treasury_cycle import CycleReport, run_cycle

T = TypeVar("T")


class Engine:
    """One treasury in one process. `begin` is run once, on a memory that was never funded."""

    def __init__(self, treasury: PaperTreasury, begin: Callable[[Memory], None]) -> None:
        self.treasury = treasury
        self.last: CycleReport | None = None
        self.version = 0
        self._begin = begin
        self._memory: Memory | None = None
        self._lock = threading.RLock()
        self._running = threading.Lock()

    @property
    def now_s(self) -> int:
        """The treasury's own time."""
        return self.treasury.io.clock.now_s()

    def cycle(self, ask: Ask | None = None, *, wait: bool = True) -> CycleReport:
        """Run one cycle; with `wait` false raise Conflict where one is running (RB-19)."""
        if not self._running.acquire(blocking=wait):
            raise Conflict("a cycle is running; nothing was started")
        try:
            with self._changing() as memory:
                treasury = self.treasury
                self.last = run_cycle(
                    memory, treasury.io, treasury.mandate, treasury.parameters, ask
                )
                return self.last
        finally:
            self._running.release()

    def sign(self, signature: Signature) -> PlanRecord:
        """Record one person's answer to the plan in hand."""
        with self._changing() as memory:
            return sign(signature, memory, self.treasury.io, self.treasury.mandate)

    def resume(self, operators: tuple[str, ...], reason: str, *, reset_cycle: bool) -> None:
        """End a drawdown pause, or forget the ladder's cycle, as two people decided."""
        with self._changing() as memory:
            resume(operators, reason, memory, self.treasury.io, reset_cycle=reset_cycle)

    def note(self, actor: str, kind: str, payload: Mapping[str, object]) -> None:
        """Append one event to the audit chain."""
        with self._changing() as memory:
            batch = memory.batch()
            memory.note(batch, kind, actor, payload, self.now_s)
            self.treasury.io.store.commit(batch)

    def inspect(self, question: Callable[[Memory], T]) -> T:
        """Answer a question of memory, which it must not change."""
        with self._changing() as memory:
            self.version -= 1  # nothing moved
            return question(memory)

    def plan(self) -> PlanRecord | None:
        """Return the plan in hand."""
        return self.inspect(lambda memory: memory.plan)

    def renew_policy(self, until_s: int, operators: tuple[str, ...]) -> None:
        """Note that these people have signed the emergency policy until then (C-04)."""
        with self._changing() as memory:
            memory.diary.policy_signed_until_s = until_s
            batch = memory.batch()
            payload = {"until_s": until_s, "operators": list(operators)}
            memory.note(batch, "policy-signed", ",".join(operators), payload, self.now_s)
            memory.seal(batch)
            self.treasury.io.store.commit(batch)

    @contextmanager
    def _changing(self) -> Iterator[Memory]:
        with self._lock:
            finished = False
            try:
                if self._memory is None:
                    self._memory = recover(self.treasury.io.store.recover())
                    if self._memory.diary.funded_at_s is None:
                        self._begin(self._memory)
                yield self._memory
                finished = True
            except InvariantBroken as broken:
                self.treasury.io.switch.lower(
                    SwitchState.HALTED, "engine", broken.message, self.now_s
                )
                raise
            finally:
                self.version += 1
                if not finished:
                    self._memory = None
