"""Approve or reject the plan that waits, and resume after a pause: what only people may do.

    sign   : operator's yes or no over the digest -> APPROVED | REJECTED | still PENDING
    resume : two distinct operators end a drawdown pause or approve a cycle reset

A signature binds to the digest. Four eyes are checked by `policy.approval`; nothing is sent
here: the next pass over the plan judges it again first.
"""

from dataclasses import dataclass, replace

from dynamic.errors import Conflict, NotFound, Refused
from dynamic.planning.plan import PlanState
from dynamic.policy.approval import State, may_sign, people, standing
from dynamic.policy.mandate import Mandate
from dynamic.ports import Ports
from dynamic.records import ApprovalRecord, PlanRecord
from dynamic.workflows.memory import Memory


@dataclass(frozen=True, slots=True)
class Signature:
    """One person's answer to one plan; who proposed it, memory knows."""

    plan_id: str
    digest: str
    operator: str
    approved: bool
    notes: str


def sign(signature: Signature, memory: Memory, io: Ports, mandate: Mandate) -> PlanRecord:
    """Record one answer; return the plan's record after it.

    Raises NotFound for another plan, Conflict where it is already decided or expired, Refused
    where the signature would not count.
    """
    record = memory.plan
    if record is None or record.plan.plan_id != signature.plan_id:
        raise NotFound(f"expected a plan that waits, found none called {signature.plan_id}")
    if record.state is not PlanState.PENDING_APPROVAL:
        raise Conflict(f"{signature.plan_id} is {record.state.value}; it was not signed")
    now_s = io.clock.now_s()
    plan = record.plan
    proposer = memory.diary.proposer
    may_sign(signature.operator, proposer, signature.digest, plan.digest, memory.approvals)
    approval = ApprovalRecord(
        plan.plan_id, plan.digest, signature.operator, signature.approved, signature.notes, now_s
    )
    memory.approvals.append(approval)
    stands = standing(
        memory.approvals,
        digest=plan.digest,
        proposer=proposer,
        signatures_required=plan.signatures_required,
        created_at_s=plan.created_at_s,
        now_s=now_s,
        authority=mandate.authority,
    )
    state = {
        State.PENDING: PlanState.PENDING_APPROVAL,
        State.GRANTED: PlanState.APPROVED,
        State.REJECTED: PlanState.REJECTED,
        State.EXPIRED: PlanState.EXPIRED,
    }[stands.state]
    record = replace(record, state=state, updated_at_s=now_s, reason=stands.reason)
    batch = memory.batch()
    batch.approvals.append(approval)
    batch.plans.append(record)
    memory.note(
        batch,
        "approval",
        signature.operator,
        {
            "plan": plan.plan_id, "digest": plan.digest, "approved": signature.approved,
            "notes": signature.notes, "state": state.value,
        },
        now_s,
    )  # fmt: skip
    memory.plan = record
    if state in (PlanState.REJECTED, PlanState.EXPIRED):
        memory.close_plan()
    memory.seal(batch)
    io.store.commit(batch)
    return record


def resume(
    operators: tuple[str, ...], reason: str, memory: Memory, io: Ports, *, reset_cycle: bool
) -> None:
    """End the pause after -20 % from a new peak; with `reset_cycle` also forget the cycle.

    Raises Refused unless two distinct people say so and say why (C-22, C-62, C-07).
    """
    named = people(operators)
    if len(named) < 2 or not reason.strip():
        raise Refused(
            f"expected two distinct people and a reason, found {len(named)}; nothing was resumed"
        )
    now_s = io.clock.now_s()
    # The people who resume accept the present value as the new peak; without that the next
    # cycle would pause again at once.
    nav = memory.last_nav_usd_micro
    memory.sizing = replace(memory.sizing, is_paused=False, peak_usd_micro=nav)
    if reset_cycle:
        memory.signal = memory.signal.after_approved_reset()
    batch = memory.batch()
    payload = {"operators": list(named), "reason": reason, "reset_cycle": reset_cycle}
    memory.note(batch, "resume", ",".join(named), payload, now_s)
    memory.seal(batch)
    io.store.commit(batch)
