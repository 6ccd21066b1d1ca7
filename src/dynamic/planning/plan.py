"""A plan: the legs that carry out permitted moves, in an order that never spends what is not there.

Leg    one economic action at one venue, with its least acceptable result
Plan   legs, their order, their cost, and a digest that approvals bind to
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dynamic.policy.proposal import Position, Urgency


class LegKind(StrEnum):
    """What a leg does (S1's tx_type, extended)."""

    WITHDRAW = "withdraw"
    REDEEM = "redeem"
    SWAP = "swap"
    DEPOSIT = "deposit"
    STAKE = "stake"
    UNSTAKE = "unstake"
    CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class Leg:
    """Spend exactly `spend_units` at `venue`; accept no less than `receive_units_min`.

    `gas_units` is the estimate for this leg; `notional_usd_micro` values what is spent,
    rounded up; `after` names the legs that must have settled first.
    """

    key: str
    kind: LegKind
    venue: str
    spend: Position
    spend_units: int
    receive: Position
    receive_units_expected: int
    receive_units_min: int
    notional_usd_micro: int
    gas_units: int
    slippage_bps_max: int
    after: tuple[str, ...] = ()


class PlanState(StrEnum):
    """Where a plan stands; the last four are final."""

    PENDING_APPROVAL = "pending_approval"
    APPROVED = "approved"
    EXECUTING = "executing"
    DONE = "done"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be sent if it is approved in time, and not one unit more.

    `reference_prices` are usd_micro by underlying at planning; a move of more than the
    mandate's `plan_price_move_bps_max` away from them voids the plan. `digest` is the
    SHA-256 of everything above it, canonical JSON; approvals bind to it.
    """

    plan_id: str
    decision_id: str
    trigger: str
    urgency: Urgency
    legs: tuple[Leg, ...]
    created_at_s: int
    valid_until_s: int
    reference_prices: Mapping[str, int]
    current_bps: Mapping[str, int]
    target_bps: Mapping[str, int]
    gross_usd_micro: int
    gas_cost_usd_micro: int
    slippage_cost_usd_micro: int
    signatures_required: int
    risk_level: str
    mandate_digest: str
    digest: str

    @property
    def requires_approval(self) -> bool:
        """True where a person must sign before anything is sent."""
        return self.signatures_required > 0
