"""A small treasury to plan with: 1 January 2024, BTC at 40 000, ETH at 2 000."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dynamic.market.observation import Provenance
from dynamic.planning.costs import CostModel, cost_model
from dynamic.planning.fair_value import FairValue
from dynamic.planning.plan import Plan
from dynamic.planning.planner import PlanContext, plan
from dynamic.planning.rules import PlanRules
from dynamic.policy.proposal import Move, Position, Proposal, Urgency
from dynamic.policy.situation import PriceFact, Situation, SwitchState
from dynamic.units import WAD, Asset, AssetKind

NOW_S = 1_704_067_200
USD = 10**6
GWEI = 10**9
PT_SYMBOL = "PT-USDC-20240328"
LP_SYMBOL = "LP-USDC-USDT"

ASSETS = {
    asset.symbol: asset
    for asset in (
        Asset("USDC", 6, AssetKind.STABLE, "USDC"),
        Asset("WBTC", 8, AssetKind.VOLATILE, "BTC"),
        Asset("WETH", 18, AssetKind.VOLATILE, "ETH"),
        Asset("ETH", 18, AssetKind.VOLATILE, "ETH"),
        Asset(PT_SYMBOL, 6, AssetKind.CLAIM, "USDC"),
        Asset(LP_SYMBOL, 18, AssetKind.CLAIM, "USDC"),
    )
}
PRICES = {"BTC": 40_000 * USD, "ETH": 2_000 * USD, "USDC": USD}
MID = {PT_SYMBOL: WAD * 98 // 100, LP_SYMBOL: WAD * 102 // 100}
EXIT = {PT_SYMBOL: MID[PT_SYMBOL] * 9_950 // 10_000, LP_SYMBOL: MID[LP_SYMBOL]}

USDC = Position("wallet", "USDC")
WBTC = Position("wallet", "WBTC")
WETH = Position("wallet", "WETH")
GAS = Position("wallet", "ETH")
AAVE = Position("aave_v3", "USDC")
CURVE = Position("curve", LP_SYMBOL)
PT = Position("pendle_v2", PT_SYMBOL)
PLACES = (USDC, WBTC, WETH, AAVE, CURVE, PT)

UNITS = {
    USDC: 5_000 * USD,
    AAVE: 100_000 * USD,
    WBTC: 10**8,
    WETH: 10 * 10**18,
    CURVE: 50_000 * 10**18,
    PT: 80_000 * USD,
    GAS: 10**18,
}


def costs() -> CostModel:
    """Costs like the shipped assumptions."""
    return cost_model(
        {"oneinch": 5, "pendle_v2": 10, "curve": 2, "aave_v3": 0},
        {"oneinch": 5, "pendle_v2": 5, "curve": 1, "aave_v3": 0},
        {"oneinch": 100, "pendle_v2": 200, "curve": 20, "aave_v3": 0},
        {"swap": 180_000, "deposit": 220_000, "withdraw": 230_000, "redeem": 250_000},
    )


RULES = PlanRules(
    hub=USDC,
    swap_venue="oneinch",
    costs=costs(),
    leg_usd_micro_min=1_000 * USD,
    leg_gas_multiple_min=20,
    clip_usd_micro_max=40_000 * USD,
    impact_bps_max=30,
    slippage_stable_bps=50,
    slippage_volatile_bps=50,
    plan_ttl_s=1_800,
    approval_ttl_s=86_400,
    mandate_digest="mandate",
)


def fair(**prices: int) -> FairValue:
    """Fair value at the treasury's prices, some of them changed."""
    return FairValue(ASSETS, PRICES | prices, MID, EXIT)


def situation(
    units: Mapping[Position, int] = UNITS,
    now_s: int = NOW_S,
    gas_price_wei: int | None = 20 * GWEI,
    prices: Mapping[str, int] = PRICES,
) -> Situation:
    """What the planner may look at."""
    facts = {s: PriceFact(p, now_s, Provenance.OBSERVED) for s, p in prices.items()}
    return Situation(
        now_s, ASSETS, units, {}, facts, {}, 400_000 * USD, 400_000 * USD, (), gas_price_wei,
        SwitchState.ACTIVE, "euphoria", 0, 0,
    )  # fmt: skip


def proposal(*moves: Move, urgency: Urgency = Urgency.DISCRETIONARY) -> Proposal:
    """Moves under one key."""
    return Proposal("k1", "rules", "drift>5%", urgency, moves, "a test")


CONTEXT = PlanContext("p1", "d1", 0, "low", {"base_yield": 9_000, "btc": 1_000},
                      {"base_yield": 8_000, "btc": 2_000})  # fmt: skip


def move(spend: Position, units: int, receive: Position, least: int = 0) -> Move:
    """One move."""
    return Move(spend, units, receive, least)


def planned(*moves: Move, units: Mapping[Position, int] = UNITS, **rules: object) -> Plan | None:
    """Plan moves over these units, with some rules changed."""
    return plan(
        proposal(*moves),
        situation(units),
        fair(),
        replace(RULES, **rules),
        CONTEXT,  # type: ignore[arg-type]
    )
