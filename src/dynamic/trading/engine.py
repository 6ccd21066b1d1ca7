"""The engine: one treasury's memory behind one lock, and everything that may change it.

    cycle · fund                   one at a time; these begin a treasury that was never funded
    sign · resume · correct · note wait for a running cycle, then change what they change
    inspect · compare              asks memory and changes nothing, `version` included

A failure of any kind forgets memory: the next call recovers it from the store, which is how
every process starts. A broken invariant lowers the switch to HALTED first.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import structlog

from dynamic.errors import Conflict, InvariantBroken, Refused, StoreUnavailable
from dynamic.ledger.reconcile import NamedItem, Reconciliation, reconcile
from dynamic.policy.approval import people
from dynamic.policy.situation import SwitchState
from dynamic.protocols import aave_v3
from dynamic.records import PlanRecord
from dynamic.trading.capital import CapitalFlow, move_capital
from dynamic.trading.paper import PaperTreasury
from dynamic.units import DAY_S
from dynamic.workflows.approve import Signature, resume, sign
from dynamic.workflows.correct import Correction, correct
from dynamic.workflows.decide import Ask
from dynamic.workflows.instruments import AAVE
from dynamic.workflows.memory import Memory, recover
from dynamic.workflows.observe import INDEX
from dynamic.workflows.treasury_cycle import CycleReport, run_cycle

T = TypeVar("T")
log = structlog.get_logger("dynamic.engine")


class Engine:
    """One treasury in one process. `begin` is run once, on a memory that was never funded."""

    def __init__(self, treasury: PaperTreasury, begin: Callable[[Memory], None]) -> None:
        self.treasury = treasury
        self.last: CycleReport | None = None
        self.version = 0  # moves with every change, and never back
        self._begin = begin
        self._memory: Memory | None = None
        self._lock = threading.RLock()
        self._running = threading.Lock()

    @property
    def now_s(self) -> int:
        """The treasury's own time."""
        return self.treasury.io.clock.now_s()

    def cycle(self, ask: Ask | None = None) -> CycleReport:
        """Run one cycle, after the one that may be running."""
        with self._running:
            return self._cycle(ask)

    def cycle_for(self, ask: Ask) -> CycleReport:
        """Run one cycle for a person, or raise Conflict: one at a time, one plan in hand (RB-19).

        Nothing is waited for: a person who asks while another cycle runs is told so.
        """
        if not self._running.acquire(blocking=False):
            raise Conflict("a cycle is running; nothing was started")
        try:
            record = self.plan()
            if record is not None:
                raise Conflict(
                    f"plan {record.plan.plan_id} is {record.state.value}; nothing was started"
                )
            asked = {"force": ask.force, "slippage_bps_max": ask.slippage_bps_max}
            self.note(ask.operator, "rebalance-asked", asked)
            return self._cycle(ask)
        finally:
            self._running.release()

    def _cycle(self, ask: Ask | None) -> CycleReport:
        with self._changing(begins=True) as memory:
            treasury = self.treasury
            self.last = run_cycle(memory, treasury.io, treasury.mandate, treasury.parameters, ask)
            return self.last

    def fund(self, flow: CapitalFlow, is_booked: Callable[[], bool]) -> bool:
        """Move and book the owner's capital, once per key; False where it was booked before.

        `is_booked` is asked of the store while nothing else may change the books. Raises Refused
        and Conflict as `capital.move_capital` does.
        """
        with self._running, self._changing(begins=True) as memory:
            if is_booked():
                return False
            move_capital(flow, memory, self.treasury)
            return True

    def sign(self, signature: Signature) -> PlanRecord:
        """Record one person's answer to the plan in hand."""
        with self._changing() as memory:
            return sign(signature, memory, self.treasury.io, self.treasury.mandate)

    def resume(self, operators: tuple[str, ...], reason: str, *, reset_cycle: bool) -> None:
        """End a drawdown pause, or forget the ladder's cycle, as two people decided."""
        with self._changing() as memory:
            resume(operators, reason, memory, self.treasury.io, reset_cycle=reset_cycle)

    def correct(self, correction: Correction) -> None:
        """Book a residue that two people explain; raises as `workflows.correct` does."""
        with self._running, self._changing() as memory:
            correct(correction, memory, self.treasury.io, self.treasury.mandate)

    def note(self, actor: str, kind: str, payload: Mapping[str, object]) -> None:
        """Append one event to the audit chain."""
        with self._changing() as memory:
            batch = memory.batch()
            memory.note(batch, kind, actor, payload, self.now_s)
            self.treasury.io.store.commit(batch)

    def inspect(self, question: Callable[[Memory], T]) -> T:
        """Answer a question of memory, which it must not change."""
        with self._lock, self._halting():
            return question(self._recalled())

    def compare(self) -> Reconciliation:
        """Compare books and venue now, to the base unit.

        Interest since the last cycle is a difference with a name: our own scaled balance at the
        index the protocol shows. The next cycle books it.
        """
        io, now_s = self.treasury.io, self.now_s

        def compared(memory: Memory) -> Reconciliation:
            index = next((int(o.value) for o in io.venue.observe(now_s) if o.key == INDEX), None)
            named = []
            if index is not None and memory.diary.scaled:
                earned = aave_v3.claim(memory.diary.scaled, index) - memory.book.units(*AAVE)
                if earned:
                    named.append(NamedItem(AAVE, earned, "interest not yet booked"))
            observed = {tuple(p): units for p, units in io.venue.balances(now_s).items()}
            return reconcile(memory.book.position_units(), observed, named)  # type: ignore[arg-type]

        return self.inspect(compared)

    def plan(self) -> PlanRecord | None:
        """Return the plan in hand."""
        return self.inspect(lambda memory: memory.plan)

    def renew_policy(self, until_s: int, operators: tuple[str, ...]) -> None:
        """Note that two people have signed the emergency policy until then (C-04).

        Raises Refused for fewer people, or for longer than the mandate lets a signature live.
        """
        found = len(people(operators))
        if found < 2:
            raise Refused(
                f"expected two distinct people to sign the emergency policy, found {found}; "
                "nothing was signed"
            )
        days = self.treasury.mandate.authority.policy_signature_days
        if until_s > self.now_s + days * DAY_S:
            raise Refused(f"expected a signature for at most {days} days; nothing was signed")
        with self._changing() as memory:
            memory.diary.policy_signed_until_s = until_s
            batch = memory.batch()
            payload = {"until_s": until_s, "operators": list(operators)}
            memory.note(batch, "policy-signed", ",".join(operators), payload, self.now_s)
            memory.seal(batch)
            self.treasury.io.store.commit(batch)

    # --- memory -------------------------------------------------------------------------------

    @contextmanager
    def _changing(self, *, begins: bool = False) -> Iterator[Memory]:
        with self._lock:
            finished = False
            try:
                with self._halting():
                    memory = self._recalled()
                    if begins and memory.diary.funded_at_s is None:
                        self._begin(memory)
                    yield memory
                finished = True
            finally:
                self.version += 1
                if not finished:
                    self._memory = None

    def _recalled(self) -> Memory:
        if self._memory is None:
            self._memory = recover(self.treasury.io.store.recover())
        return self._memory

    @contextmanager
    def _halting(self) -> Iterator[None]:
        """Lower the switch to HALTED where an invariant breaks; the breach itself goes on."""
        try:
            yield
        except InvariantBroken as broken:
            try:
                self.treasury.io.switch.lower(
                    SwitchState.HALTED, "engine", broken.message, self.now_s
                )
            except StoreUnavailable as problem:
                log.critical("the switch's file could not be written", reason=problem.message)
            raise
