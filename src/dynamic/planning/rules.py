"""Rules a plan is built by: numbers of the mandate, handed in, none of them written here."""

from dataclasses import dataclass

from dynamic.planning.costs import CostModel
from dynamic.policy.proposal import Position


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What the planner must respect.

    A leg is worth at least `leg_usd_micro_min` and `leg_gas_multiple_min` times its gas (RB-14);
    a clip is at most `clip_usd_micro_max` with impact within `impact_bps_max` (RB-17).
    """

    hub: Position  # where proceeds arrive and purchases are paid from: wallet:USDC
    swap_venue: str
    costs: CostModel
    leg_usd_micro_min: int
    leg_gas_multiple_min: int
    clip_usd_micro_max: int
    impact_bps_max: int
    slippage_stable_bps: int
    slippage_volatile_bps: int
    plan_ttl_s: int
    approval_ttl_s: int
    mandate_digest: str
