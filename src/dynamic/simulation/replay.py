"""Replay: the engine lives through recorded time, cycle by cycle, with no look ahead.

    replay : clock x memory x ports x span -> CycleReport, of every cycle

Nothing in here decides: it moves the clock, lets the world follow, plays the people who would
have signed, and runs the same cycle that runs live. What the people sign is labelled theirs:
`replay-ann` and `replay-bob` are no one, and every record says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from dynamic.planning.plan import PlanState
from dynamic.policy.mandate import Mandate
from dynamic.ports import Ports
from dynamic.simulation.clock import ManualClock
from dynamic.units import DAY_S
from dynamic.workflows.approve import Signature, sign
from dynamic.workflows.memory import Memory
from dynamic.workflows.parameters import Parameters
from dynamic.workflows.treasury_cycle import CycleReport, run_cycle

PEOPLE: Final = ("replay-ann", "replay-bob")
SIGNED_MAX: Final = 3  # plans signed at one instant; a cycle may leave the next one waiting


@dataclass(frozen=True, slots=True)
class Span:
    """From the first cycle to the last, both included, every `step_s` seconds."""

    first_s: int
    last_s: int
    step_s: int = DAY_S

    def instants(self) -> range:
        """Return the instants of all cycles."""
        return range(self.first_s, self.last_s + 1, self.step_s)


@dataclass(slots=True)
class Replay:
    """One run over recorded time."""

    clock: ManualClock
    memory: Memory
    io: Ports
    mandate: Mandate
    parameters: Parameters
    people_sign: bool = True
    sign_after_s: int = 0  # how long they take; an instant of its own where that is between two

    def run(self, span: Span, before: Callable[[int], None] | None = None) -> Iterator[CycleReport]:
        """Live through a span; `before` sees each instant first (deposits, faults)."""
        for now_s in span.instants():
            yield from self._answers_before(now_s)
            yield from self.step(now_s, before)

    def step(
        self, now_s: int, before: Callable[[int], None] | None = None
    ) -> Iterator[CycleReport]:
        """Live through one instant: a cycle, and another after each plan that people signed."""
        self.clock.move_to(now_s)
        if before is not None:
            before(now_s)
        self._renew_policy(now_s)
        yield run_cycle(self.memory, self.io, self.mandate, self.parameters)
        for _ in range(SIGNED_MAX):
            if not (self.people_sign and self.sign_all()):
                return
            yield run_cycle(self.memory, self.io, self.mandate, self.parameters)

    def _answers_before(self, now_s: int) -> Iterator[CycleReport]:
        """Let people answer between two cycles, when their time to do so has come."""
        record = self.memory.plan
        if not self.people_sign or not self.sign_after_s or record is None:
            return
        answer_s = record.plan.created_at_s + self.sign_after_s
        if record.state is PlanState.PENDING_APPROVAL and answer_s < now_s:
            self.clock.move_to(answer_s)
            if self.sign_all():
                yield run_cycle(self.memory, self.io, self.mandate, self.parameters)

    def sign_all(self) -> bool:
        """Let the replay's people sign what waits; true where something was approved."""
        signed = False
        for name in PEOPLE:
            record = self.memory.plan
            if record is None or record.state is not PlanState.PENDING_APPROVAL:
                break
            plan = record.plan
            if self.clock.now_s() < plan.created_at_s + self.sign_after_s:
                break
            answer = Signature(plan.plan_id, plan.digest, name, True, "signed in replay")
            signed = sign(answer, self.memory, self.io, self.mandate).state is PlanState.APPROVED
        return signed

    def _renew_policy(self, now_s: int) -> None:
        """Let the same people renew the emergency policy before its 90 days end (C-04)."""
        diary = self.memory.diary
        if self.people_sign and (diary.policy_signed_until_s or 0) < now_s + DAY_S:
            diary.policy_signed_until_s = (
                now_s + self.mandate.authority.policy_signature_days * DAY_S
            )
