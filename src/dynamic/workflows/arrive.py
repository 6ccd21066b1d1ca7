"""Arrive: a plan is over; did it get where it was going, and how long did it take?

    arrival : plan x settled legs x what is held now  ->  what the audit log keeps

Every bucket's distance from the plan's target is written down, whatever its size (RB-11). A
distance beyond the mandate's limit needs a reason: a leg that failed, or a price that moved.
A price that moved by less than the limit cannot move a share of NAV by more than it, so such a
move explains nothing. Without a reason people are told.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dynamic.planning.plan import Plan
from dynamic.planning.settlement import execution_seconds, verify
from dynamic.policy.situation import Situation
from dynamic.records import ApprovalRecord, StepRecord, StepState
from dynamic.units import BPS
from dynamic.workflows.measure import buckets

_WHOLE_LEGS_MAX: Final = 6  # C-60: up to here one figure is for the whole plan


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the audit log keeps of a plan's end; `alarm` is a distance nobody can explain."""

    payload: Mapping[str, object]
    alarm: str | None = None


def arrival(
    plan: Plan,
    failed: Sequence[str],
    steps: Mapping[str, StepRecord],
    approvals: Sequence[ApprovalRecord],
    situation: Situation,
    planned_prices: Mapping[str, int],
    deviation_bps_max: int,
) -> Arrival:
    """Measure where the plan ended, on what is held and priced now.

    `planned_prices` are all prices when it was made, of what it does not touch as well: they
    move the shares of NAV alike.
    """
    settled_at_s = {
        key: int(json.loads(step.payload)["settled_at_s"])
        for key, step in steps.items()
        if step.state is StepState.SETTLED
    }
    begun_at_s = max((a.at_s for a in approvals), default=plan.created_at_s)
    seconds = execution_seconds(plan, begun_at_s, settled_at_s, _WHOLE_LEGS_MAX)
    timed: dict[str, object] = {"execution_s": list(seconds)}
    unpriced = [str(p) for p in situation.units if p not in situation.values_usd_micro]
    if unpriced:
        return Arrival(timed | {"deviations": None, "reasons": [f"no price: {unpriced}"]})
    reasons = (*failed, *_moves(planned_prices, situation, deviation_bps_max))
    actual = buckets(dict(situation.values_usd_micro)).bps()
    found = verify(plan, actual, reasons, deviation_bps_max)
    payload = timed | {
        "deviations": [[d.bucket, d.target_bps, d.actual_bps, d.bps] for d in found.deviations],
        "reasons": list(reasons),
    }
    if found.is_accounted_for:
        return Arrival(payload)
    far = ", ".join(f"{d.bucket} {d.bps:+} bps" for d in found.beyond)
    return Arrival(
        payload, f"plan {plan.plan_id} ended {far} from its target, limit {deviation_bps_max} bps"
    )


def _moves(
    planned_prices: Mapping[str, int], situation: Situation, least_bps: int
) -> tuple[str, ...]:
    """Name the prices that have moved far enough since planning to move a share of NAV."""
    found = []
    for symbol, was in planned_prices.items():
        fact = situation.prices.get(symbol)
        if fact is not None and abs(fact.usd_micro - was) * BPS > least_bps * was:
            found.append(f"{symbol} moved {(fact.usd_micro - was) * BPS // was:+} bps")
    return tuple(found)
