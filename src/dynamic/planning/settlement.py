"""Settlement: whether a plan arrived, how long it took, and whether what moved was permitted.

check_realised      a settled leg against its preview: anything else halts (I-9, I-11)
execution_seconds   approval to last confirmation (C-60)
verify              where we are against where the plan was going, per bucket (RB-11)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dynamic.errors import InvariantBroken
from dynamic.planning.plan import Leg, Plan
from dynamic.policy.proposal import Position


def check_realised(leg: Leg, moved: Mapping[Position, int]) -> None:
    """Hold what a settled leg moved, in base units by position, against what was previewed.

    Raises InvariantBroken where it spent another amount, brought less than its least, or
    touched anything beside.
    """
    spent, received = -moved.get(leg.spend, 0), moved.get(leg.receive, 0)
    beside = {place: n for place, n in moved.items() if place not in (leg.spend, leg.receive)}
    if spent != leg.spend_units or received < leg.receive_units_min or beside:
        raise InvariantBroken(
            f"{leg.key}: expected {leg.spend_units} {leg.spend} for at least "
            f"{leg.receive_units_min} {leg.receive}, found {spent} for {received}, beside {beside}"
        )


def execution_seconds(
    plan: Plan, approved_at_s: int, settled_at_s: Mapping[str, int], whole_legs_max: int
) -> tuple[int, ...]:
    """Return the time from approval to the last confirmation (RB-16, C-60).

    Plans of at most `whole_legs_max` legs report one figure; longer, sliced ones report each
    slice from the confirmation of the slice before it. Unsettled legs are left out.
    """
    moments = [settled_at_s[leg.key] for leg in plan.legs if leg.key in settled_at_s]
    if not moments:
        return ()
    if len(plan.legs) <= whole_legs_max:
        return (max(moments) - approved_at_s,)
    return tuple(
        at - before for before, at in zip([approved_at_s, *moments], moments, strict=False)
    )


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far one bucket ended from its target."""

    bucket: str
    target_bps: int
    actual_bps: int
    bps: int  # actual minus target


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the plan arrived: within the limit, or off by named reasons (RB-11)."""

    deviations: tuple[Deviation, ...]
    beyond: tuple[Deviation, ...]
    reasons: tuple[str, ...]

    @property
    def is_accounted_for(self) -> bool:
        """True where every bucket is within the limit or the difference is explained."""
        return not self.beyond or bool(self.reasons)


def verify(
    plan: Plan, actual_bps: Mapping[str, int], reasons: tuple[str, ...], deviation_bps_max: int
) -> Verification:
    """Compare where we are with where the plan was going; record every bucket's deviation."""
    deviations = tuple(
        Deviation(bucket, plan.target_bps.get(bucket, 0), actual_bps.get(bucket, 0), off)
        for bucket, off in bucket_deltas(plan.target_bps, actual_bps).items()
    )
    beyond = tuple(d for d in deviations if abs(d.bps) > deviation_bps_max)
    return Verification(deviations, beyond, reasons)


def bucket_deltas(current_bps: Mapping[str, int], target_bps: Mapping[str, int]) -> dict[str, int]:
    """Return target minus current per bucket, in bps; they sum to zero (RB-01).

    Raises InvariantBroken where either side does not sum to the same whole.
    """
    deltas = {
        bucket: target_bps.get(bucket, 0) - current_bps.get(bucket, 0)
        for bucket in sorted({*current_bps, *target_bps})
    }
    if sum(deltas.values()):
        raise InvariantBroken(f"bucket deltas sum to {sum(deltas.values())} bps, expected 0")
    return deltas
