"""Everything a guardrail may look at, gathered before it is asked.

Guardrails are pure: what is not in here, they do not know, and what they do not know
they do not permit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dynamic.market.observation import Provenance
from dynamic.policy.proposal import Position
from dynamic.units import Asset


class SwitchState(StrEnum):
    """The switch: ACTIVE acts, REDUCING only lowers risk, HALTED sends nothing.

    Unknown means HALTED.
    """

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


@dataclass(frozen=True, slots=True)
class PriceFact:
    """The price of one base asset, per whole token, with its age and provenance."""

    usd_micro: int
    observed_at_s: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class ProtocolFact:
    """What is known of one protocol market; None is unknown, and unknown is refused."""

    tvl_usd_micro: int | None
    pool_tvl_usd_micro: int | None
    risk_score: int | None
    is_paused: bool | None
    exit_capacity_24h_usd_micro: int | None
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class PastMove:
    """One value moved earlier, for the rolling sums of authority."""

    at_s: int
    direction: str  # buy, sell, or in/out of a protocol: see policy.authority
    notional_usd_micro: int
    is_discretionary: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """The treasury and the market as the guardrails see them at `now_s`.

    `units` are base units per position, in-flight included where they left; `values_usd_micro`
    the same positions at exit value, rounded down; `prices` by underlying (BTC, ETH, USDC), and
    claims (PT, LP) under their own symbol at exit value; `protocols` by location (aave_v3).

    What has a default may be left out, and then permits nothing that depends on it:
    `base_deployed_at_s` None is a base layer not yet complete (PM-13); `policy_signed_until_s`
    None is an emergency policy nobody signed (C-04); `notionals_usd_micro` names the positions
    whose exposure is larger than their value (GR-11); `drawdown_paused` waits for people (C-62);
    `tactical_target_usd_micro` is what ladder and cushion leave of BTC and ETH (C-06, C-62).
    """

    now_s: int
    assets: Mapping[str, Asset]
    units: Mapping[Position, int]
    values_usd_micro: Mapping[Position, int]
    prices: Mapping[str, PriceFact]
    protocols: Mapping[str, ProtocolFact]
    nav_usd_micro: int
    high_water_usd_micro: int
    past_moves: tuple[PastMove, ...]
    gas_price_wei: int | None
    switch: SwitchState
    phase: str
    open_residues: int
    volatile_values_usd_micro: int
    base_deployed_at_s: int | None = None
    open_alerts: int = 0
    policy_signed_until_s: int | None = None
    emergency_triggers: tuple[str, ...] = ()
    notionals_usd_micro: Mapping[Position, int] = field(default_factory=dict)
    drawdown_paused: bool = False
    tactical_target_usd_micro: int | None = None
