"""Carry out the plan in hand, leg by leg, until it is over or must wait.

    PENDING_APPROVAL --enough signatures--> APPROVED --> EXECUTING --> DONE | ABANDONED
            |--time, price, mandate--> EXPIRED
            \\--risk must be reduced--> ABANDONED

A plan that is not, field by field, what its digest was taken over is not carried out (GV-03).
Every leg is judged again on fresh state just before it is sent (GR-26). A leg whose money did
not arrive is never sent; what a failed plan leaves undone is decided anew from real balances
in the next cycle (RB-18). However it ends, the distance to its target is written down (RB-11).
The same function continues after a crash.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from dynamic.errors import InvariantBroken
from dynamic.ledger.canonical import canonical_json
from dynamic.planning.plan import Leg, LegKind, PlanState
from dynamic.planning.validity import is_authentic, is_void
from dynamic.policy.authority import past_moves
from dynamic.policy.case import measure
from dynamic.policy.guardrails import Denial, judge
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Move, Proposal, Urgency
from dynamic.policy.situation import Situation
from dynamic.ports import Ports
from dynamic.records import PlanRecord, StepState
from dynamic.workflows.arrive import Arrival, arrival
from dynamic.workflows.execute_step import FINAL, Progress, Step, advance
from dynamic.workflows.memory import Memory
from dynamic.workflows.observe import View, assess


class Ending(StrEnum):
    """Where the plan in hand stands after a pass over it."""

    WAITING = "waiting"  # for people, for gas, or for evidence
    DONE = "done"
    ABANDONED = "abandoned"
    EXPIRED = "expired"
    NONE = "none"  # there was no plan


@dataclass(frozen=True, slots=True)
class Passage:
    """One pass over the plan in hand: how it ended, and the legs that settled in it."""

    ending: Ending
    settled: tuple[Leg, ...] = ()


def carry_out(
    memory: Memory, view: View, io: Ports, mandate: Mandate, phase: str, residues: int
) -> Passage:
    """Do whatever the plan in hand allows now."""
    record = memory.plan
    if record is None:
        return Passage(Ending.NONE)
    if not is_authentic(record.plan):
        raise InvariantBroken(
            f"plan {record.plan.plan_id} is not what its digest {record.plan.digest[:12]} was "
            "taken over; nothing more of it is sent"
        )
    now_s = io.clock.now_s()
    if record.state in (PlanState.PENDING_APPROVAL, PlanState.APPROVED):
        situation = assess(view, memory, mandate, io.switch.state(), phase, residues, now_s)
        reason = _void(record, situation, mandate)
        if reason is not None:
            _close(memory, io, PlanState.EXPIRED, reason)
            return Passage(Ending.EXPIRED)
        if record.state is PlanState.PENDING_APPROVAL:
            return Passage(Ending.WAITING)
        _move_to(memory, io, PlanState.EXECUTING)
    return _legs(memory, view, io, mandate, phase, residues)


def collect(
    memory: Memory, view: View, io: Ports, mandate: Mandate, until_s: int | None
) -> tuple[Leg, ...]:
    """Book the orders in flight that became final by `until_s`; return the legs that settled.

    A movement that is explained by our own journal is not a residue (I-2). What lending moved
    is counted at the index known then, so older evidence is booked before interest accrues.
    """
    record, settled = memory.plan, []
    if record is None or until_s is None:
        return ()
    for number, leg in enumerate(record.plan.legs):
        journaled = memory.steps.get(leg.key)
        if journaled is None or journaled.state in FINAL:
            continue
        receipt = io.venue.outcome(leg.key)
        if receipt is None or receipt.settled_at_s > until_s:
            continue
        now_s = io.clock.now_s()
        situation = assess(view, memory, mandate, io.switch.state(), "unknown", 0, now_s)
        step = _step(record, number, leg, situation, view, mandate)
        if advance(step, memory, io, lambda: None) is Progress.SETTLED:
            settled.append(leg)
    return tuple(settled)


def withdraw(memory: Memory, io: Ports, reason: str) -> bool:
    """Take back a plan that only waits for people, so that it cannot stand in the way.

    Only what the mandate does not demand is taken back; of it nothing has been sent.
    """
    record = memory.plan
    if (
        record is None
        or record.state is not PlanState.PENDING_APPROVAL
        or record.plan.urgency in (Urgency.MANDATORY, Urgency.EMERGENCY)
    ):
        return False
    _close(memory, io, PlanState.ABANDONED, reason)
    return True


def _void(record: PlanRecord, situation: Situation, mandate: Mandate) -> str | None:
    """Say why the plan may no longer be begun; risk reduction that was decided still may."""
    return is_void(
        record.plan,
        situation,
        mandate_digest=mandate.digest,
        price_move_bps_max=mandate.authority.plan_price_move_bps_max,
    )


def _legs(
    memory: Memory, view: View, io: Ports, mandate: Mandate, phase: str, residues: int
) -> Passage:
    record = memory.plan
    assert record is not None
    now_s = io.clock.now_s()
    settled: set[str] = set()
    fresh: list[Leg] = []
    failed: list[str] = []
    for number, leg in enumerate(record.plan.legs):
        if any(key not in settled for key in leg.after):
            failed.append(f"{leg.key} had no funds")
            continue
        situation = assess(view, memory, mandate, io.switch.state(), phase, residues, now_s)
        step = _step(record, number, leg, situation, view, mandate)

        def objection(leg: Leg = leg, situation: Situation = situation) -> str | None:
            return _objection(record, leg, situation, mandate)

        journaled = memory.steps.get(leg.key)
        match advance(step, memory, io, objection):
            case Progress.WAITING:
                return Passage(Ending.WAITING, tuple(fresh))
            case Progress.SETTLED:
                settled.add(leg.key)
                if journaled is None or journaled.state not in FINAL:
                    fresh.append(leg)
            case Progress.REVERTED | Progress.ABANDONED:
                failed.append(f"{leg.key} {_why(memory, leg)}")
    memory.diary.last_rebalance_at_s = io.clock.now_s()
    situation = assess(view, memory, mandate, io.switch.state(), phase, residues, now_s)
    ended = arrival(
        record.plan, failed, memory.steps, memory.approvals, situation,
        memory.diary.planned_prices, mandate.trades.deviation_bps_max,
    )  # fmt: skip
    if failed:
        _close(memory, io, PlanState.ABANDONED, "; ".join(failed), ended)
        return Passage(Ending.ABANDONED, tuple(fresh))
    _close(memory, io, PlanState.DONE, "", ended)
    return Passage(Ending.DONE, tuple(fresh))


def leg_proposal(record: PlanRecord, leg: Leg) -> Proposal:
    """Put one leg on the table by itself, to be judged like any proposal.

    A leg that puts freed money to work is no reduction once it stands alone, so it claims none.
    """
    plan = record.plan
    urgency = plan.urgency
    if leg.kind is LegKind.DEPOSIT and urgency is not Urgency.MAINTENANCE:
        urgency = Urgency.DISCRETIONARY
    move = Move(leg.spend, leg.spend_units, leg.receive, leg.receive_units_min)
    return Proposal(leg.key, "rules", plan.trigger, urgency, (move,), "last gate")


def _objection(record: PlanRecord, leg: Leg, situation: Situation, mandate: Mandate) -> str | None:
    """Judge one leg on fresh state. Signatures were counted over the whole plan."""
    void = _void(record, situation, mandate)
    if void is not None:
        return void
    verdict = judge(leg_proposal(record, leg), situation, mandate)
    return verdict.message if isinstance(verdict, Denial) else None


def _step(
    record: PlanRecord, number: int, leg: Leg, situation: Situation, view: View, mandate: Mandate
) -> Step:
    plan = record.plan
    case = measure(leg_proposal(record, leg), situation, mandate)
    measured = case.moves[0] if case.moves else None
    urgent = plan.urgency in (Urgency.MANDATORY, Urgency.EMERGENCY)
    gas = mandate.gas.emergency_price_wei_max if urgent else mandate.gas.price_wei_max
    moves = () if measured is None else past_moves(measured, situation.now_s, plan.urgency)
    return Step(
        plan_id=plan.plan_id,
        leg_no=number,
        leg=leg,
        reduces_risk=not case.acquires and not case.enters,
        deadline_s=situation.now_s + mandate.authority.plan_ttl_s,
        gas_price_wei_max=gas,
        prices=dict(view.prices),
        moves=moves,
        window_s=mandate.authority.rolling_window_s,
    )


def _why(memory: Memory, leg: Leg) -> str:
    step = memory.steps[leg.key]
    return f"{step.state.value}: {step.payload}" if step.state is not StepState.SETTLED else ""


def _move_to(memory: Memory, io: Ports, state: PlanState) -> None:
    assert memory.plan is not None
    memory.plan = replace(memory.plan, state=state, updated_at_s=io.clock.now_s())
    batch = memory.batch()
    batch.plans.append(memory.plan)
    plan = memory.plan.plan
    memory.note(
        batch, "plan", "engine", {"plan": plan.plan_id, "state": state.value}, io.clock.now_s()
    )
    io.store.commit(batch)


def _close(
    memory: Memory, io: Ports, state: PlanState, reason: str, ended: Arrival | None = None
) -> None:
    """End the plan in the store, then forget it; what remains is decided anew."""
    assert memory.plan is not None
    now_s = io.clock.now_s()
    record = replace(memory.plan, state=state, updated_at_s=now_s, reason=reason)
    batch = memory.batch()
    batch.plans.append(record)
    payload = {"plan": record.plan.plan_id, "state": state.value, "reason": reason}
    measured = {} if ended is None else ended.payload
    memory.note(batch, "plan", "engine", {**payload, **measured}, now_s)
    memory.close_plan()
    memory.seal(batch)
    io.store.commit(batch)
    if state is not PlanState.DONE:
        io.notifier.alert("warning", f"plan-{state.value}", canonical_json(payload), now_s)
    if ended is not None and ended.alarm is not None:
        io.notifier.alert("warning", "plan-deviation", ended.alarm, now_s)
