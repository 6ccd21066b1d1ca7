"""Parameters: the mandate's numbers in the shapes that each room asks for.

    mandate -> SignalParameters, Rebalance, PlanRules        no number is written here

MVRV levels leave the mandate's exact decimals as thousandths of a Z-score.
"""

from dataclasses import dataclass
from decimal import Decimal

from dynamic.errors import ConfigRefused
from dynamic.planning.costs import CostModel, cost_model
from dynamic.planning.rules import PlanRules
from dynamic.policy.mandate import Mandate
from dynamic.policy.sections import clip_usd_micro_max
from dynamic.signals.estimate import SignalParameters
from dynamic.workflows.instruments import CASH

SWAP_VENUE = "oneinch"


@dataclass(frozen=True, slots=True)
class LadderNumbers:
    """See `signals.parameters.Ladder`."""

    accumulation_below_milli: int
    gap_above_milli: int
    sell_above_milli: tuple[int, ...]
    sell_share_bps: tuple[int, ...]
    accumulation_share_bps: int
    euphoria_share_bps: int
    hysteresis_milli: int
    confirmation_milli: int
    bear_lookback_d: int
    bear_return_window_d: int


@dataclass(frozen=True, slots=True)
class LayerNumbers:
    """See `signals.parameters.Layers`."""

    base_yield_bps: int
    tactical_bps: int
    cash_bps: int
    btc_share_bps: int


@dataclass(frozen=True, slots=True)
class RebalanceNumbers:
    """See `signals.parameters.Rebalance`."""

    drift_bps: int
    review_interval_s: int
    cooldown_s: int
    low_gas_wei: int


@dataclass(frozen=True, slots=True)
class AlarmNumbers:
    """See `signals.parameters.Alarm`."""

    funding_extreme_ppm: int


def _ladder(mandate: Mandate) -> LadderNumbers:
    steps = mandate.ladder
    return LadderNumbers(
        accumulation_below_milli=_milli(steps.mvrv_accumulation, "ladder.mvrv_accumulation"),
        gap_above_milli=_milli(steps.mvrv_euphoria_max, "ladder.mvrv_euphoria_max"),
        sell_above_milli=(
            _milli(steps.mvrv_top, "ladder.mvrv_top"),
            _milli(steps.mvrv_sell_2, "ladder.mvrv_sell_2"),
            _milli(steps.mvrv_sell_3, "ladder.mvrv_sell_3"),
            _milli(steps.mvrv_exit, "ladder.mvrv_exit"),
        ),
        sell_share_bps=(steps.top_bps, steps.sell_2_bps, steps.sell_3_bps, steps.exit_bps),
        accumulation_share_bps=steps.accumulation_bps,
        euphoria_share_bps=steps.euphoria_bps,
        hysteresis_milli=_milli(steps.hysteresis, "ladder.hysteresis"),
        confirmation_milli=_milli(steps.confirmation, "ladder.confirmation"),
        bear_lookback_d=steps.bear_lookback_days,
        bear_return_window_d=steps.return_window_days,
    )


def signal_parameters(mandate: Mandate) -> SignalParameters:
    """Return what the signal room asks of the mandate."""
    treasury = mandate.treasury
    return SignalParameters(
        _ladder(mandate),
        LayerNumbers(
            treasury.base_yield_bps, treasury.tactical_bps, treasury.cash_bps, treasury.btc_bps
        ),
        AlarmNumbers(mandate.advisor.funding_ppm_8h_max),
    )


def rebalance_numbers(mandate: Mandate) -> RebalanceNumbers:
    """Return when acting is worth it."""
    return RebalanceNumbers(
        mandate.trades.drift_bps,
        mandate.schedule.weekly_s,
        mandate.schedule.cooldown_s,
        mandate.gas.low_price_wei,
    )


def costs(mandate: Mandate) -> CostModel:
    """Return the cost assumptions the planner promises with."""
    stated = mandate.assumptions
    return cost_model(
        stated.fee_bps, stated.half_spread_bps, stated.impact_bps_per_million, stated.gas_units
    )


def plan_rules(
    mandate: Mandate, model: CostModel, nav_usd_micro: int, slippage_bps_max: int | None = None
) -> PlanRules:
    """Return the numbers a plan is built by, at this NAV; a person may only tighten slippage."""
    stable, volatile = mandate.slippage.stable_bps_max, mandate.slippage.default_bps
    if slippage_bps_max is not None:
        stable, volatile = min(stable, slippage_bps_max), min(volatile, slippage_bps_max)
    return PlanRules(
        hub=CASH,
        swap_venue=SWAP_VENUE,
        costs=model,
        leg_usd_micro_min=mandate.trades.leg_usd_micro_min,
        leg_gas_multiple_min=mandate.trades.leg_gas_multiple,
        clip_usd_micro_max=clip_usd_micro_max(nav_usd_micro, mandate.treasury, mandate.exposure),
        impact_bps_max=mandate.trades.clip_impact_bps_max,
        slippage_stable_bps=stable,
        slippage_volatile_bps=volatile,
        plan_ttl_s=mandate.authority.plan_ttl_s,
        approval_ttl_s=mandate.authority.approval_expiry_s,
        mandate_digest=mandate.digest,
    )


def _milli(value: Decimal, key: str) -> int:
    scaled = value * 1_000
    if scaled != scaled.to_integral_value():
        raise ConfigRefused(f"{key}: expected thousandths of a Z-score, found {value}")
    return int(scaled)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything derived from one mandate, made once."""

    signal: SignalParameters
    rebalance: RebalanceNumbers
    costs: CostModel

    @classmethod
    def of(cls, mandate: Mandate) -> "Parameters":
        """Derive all of it."""
        return cls(signal_parameters(mandate), rebalance_numbers(mandate), costs(mandate))
