"""Settlement: what may be sent next, what is left after a failure, and whether we arrived.

A plan that fails half-way leaves no orphan: legs that waited for a failed one are cancelled,
and what is left becomes a *new proposal* on real balances, which passes every guardrail again.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace

from dynamic.errors import InvariantBroken
from dynamic.planning.plan import Leg, Plan
from dynamic.policy.proposal import Move, Position, Proposal


@dataclass(frozen=True, slots=True)
class Execution:
    """How a plan ended: every leg is in exactly one of the three."""

    settled: tuple[str, ...]
    failed: tuple[str, ...]
    cancelled: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """True where every leg settled."""
        return not self.failed and not self.cancelled


def ready_legs(plan: Plan, settled: Set[str], final: Set[str]) -> tuple[Leg, ...]:
    """Return the legs that may be sent now: not final yet, and all they wait for has settled."""
    return tuple(
        leg for leg in plan.legs if leg.key not in final and all(k in settled for k in leg.after)
    )


def execute_rebalancing_plan(plan: Plan, carry_out: Callable[[Leg], bool]) -> Execution:
    """Carry out the legs in order; a leg whose money did not arrive is never sent.

    `carry_out` sends one leg and returns whether it settled with effect (RB-18, RB-22).
    """
    settled: list[str] = []
    failed: list[str] = []
    cancelled: list[str] = []
    for leg in plan.legs:
        if any(key not in settled for key in leg.after):
            cancelled.append(leg.key)
        elif carry_out(leg):
            settled.append(leg.key)
        else:
            failed.append(leg.key)
    return Execution(tuple(settled), tuple(failed), tuple(cancelled))


def remaining_proposal(
    original: Proposal,
    plan: Plan,
    settled: Set[str],
    units: Mapping[Position, int],
    hub: Position,
    attempt: int,
) -> Proposal | None:
    """Propose what a plan left undone, within real balances; None where nothing is left.

    Purchases are paid from what the hub really holds, then from releases still to be done;
    what nobody can pay for any more is dropped. Each part keeps its leg's price.
    """
    left = [leg for leg in plan.legs if leg.key not in settled]
    balances = dict(units)
    releases = [_Part(leg, min(leg.spend_units, balances.get(leg.spend, 0))) for leg in left
                if leg.spend != hub]  # fmt: skip
    for part in releases:  # clips of one position share its balance
        part.spend_units = min(part.spend_units, balances.get(part.leg.spend, 0))
        balances[part.leg.spend] = balances.get(part.leg.spend, 0) - part.spend_units
    moves: list[Move] = []
    hub_units = balances.get(hub, 0)
    for leg in left:
        if leg.spend != hub:
            continue
        paid = min(leg.spend_units, hub_units)
        hub_units -= paid
        if paid:
            moves.append(Move(hub, paid, leg.receive, _share(leg, paid)))
        moves.extend(_from_releases(leg, leg.spend_units - paid, releases))
    moves.extend(
        Move(part.leg.spend, part.spend_units, hub, part.brings)
        for part in releases
        if part.spend_units
    )
    if not moves:
        return None
    return replace(original, key=f"{original.key}/rest{attempt}", moves=tuple(moves))


@dataclass(slots=True)
class _Part:
    """What is still to be released by one leg."""

    leg: Leg
    spend_units: int

    @property
    def brings(self) -> int:
        """Return the least hub units the rest of this leg must bring, rounded up."""
        return -(-self.leg.receive_units_min * self.spend_units // self.leg.spend_units)


def _share(leg: Leg, spend_units: int) -> int:
    """Return the least a part of a leg must bring, at the leg's own price, rounded up."""
    return -(-leg.receive_units_min * spend_units // leg.spend_units)


def _from_releases(leg: Leg, needed: int, releases: list[_Part]) -> list[Move]:
    """Pay `needed` hub units of a purchase with releases that are still to be done."""
    moves: list[Move] = []
    for part in releases:
        brings = part.brings
        taken = min(needed, brings)
        if taken <= 0:
            continue
        spend_units = part.spend_units * taken // brings
        if spend_units:
            moves.append(Move(part.leg.spend, spend_units, leg.receive, _share(leg, taken)))
            part.spend_units -= spend_units
            needed -= taken
    return moves


def check_realised(leg: Leg, spent_units: int, received_units: int) -> None:
    """Hold what a settled leg moved against what was previewed (I-9, I-11).

    Raises InvariantBroken where it spent another amount or brought less than its least.
    """
    if spent_units != leg.spend_units:
        raise InvariantBroken(
            f"leg {leg.key} spent {spent_units} of {leg.spend}, permitted {leg.spend_units}"
        )
    if received_units < leg.receive_units_min:
        raise InvariantBroken(
            f"leg {leg.key} brought {received_units} of {leg.receive}, "
            f"at least {leg.receive_units_min} were due"
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

    @property
    def bps(self) -> int:
        """Actual minus target, signed."""
        return self.actual_bps - self.target_bps


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
        Deviation(bucket, plan.target_bps.get(bucket, 0), actual_bps.get(bucket, 0))
        for bucket in sorted({*plan.target_bps, *actual_bps})
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
