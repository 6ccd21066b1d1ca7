"""A paper world on 1 January 2024 with a small treasury in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dynamic.adapters.venues.faults import Faults
from dynamic.adapters.venues.paper import PaperVenue
from dynamic.adapters.venues.paper_costs import PaperCosts
from dynamic.market.observation import Observation, Provenance
from dynamic.planning.plan import Leg, LegKind
from dynamic.policy.proposal import Position
from dynamic.ports import Order
from tests.planning.treasury import (
    AAVE,
    ASSETS,
    CURVE,
    GAS,
    GWEI,
    NOW_S,
    PT,
    USD,
    USDC,
    WBTC,
    WETH,
    costs,
)

COSTS = PaperCosts(
    costs(), 50, 0, {"aave_v3": 5_000_000_000 * USD}, {"aave_v3": 500_000_000 * USD},
    {"curve": 10_000_000 * USD},
)  # fmt: skip
CAPITAL = {USDC: 200_000 * USD, WBTC: 10**8, WETH: 10 * 10**18, GAS: 10**18}
MARKET: dict[str, tuple[int | float, str]] = {
    "price:BTC": (40_000 * USD, "usd_micro"),
    "price:ETH": (2_000 * USD, "usd_micro"),
    "price:USDC": (USD, "usd_micro"),
    "apy:aave_v3:USDC": (0.039, "fraction"),
    "apy:pendle_v2:PT-USDC": (0.08, "fraction"),
    "apy:curve:LP-USDC-USDT": (0.065, "fraction"),
    "gas:ethereum": (20 * GWEI, "wei"),
}


def market(now_s: int, without: tuple[str, ...] = (), **changes: int | float) -> list[Observation]:
    """Everything the paper world reads, some of it changed or missing; `btc=` names price:BTC."""
    short = {"btc": "price:BTC", "eth": "price:ETH", "usdc": "price:USDC", "gas": "gas:ethereum",
             "aave": "apy:aave_v3:USDC", "pendle": "apy:pendle_v2:PT-USDC"}  # fmt: skip
    values = MARKET | {short[n]: (v, MARKET[short[n]][1]) for n, v in changes.items()}
    return [
        Observation(key, value, unit, "test", now_s, now_s, Provenance.OBSERVED)
        for key, (value, unit) in values.items()
        if key not in without
    ]


def funded(
    path: Path | None = None,
    faults: Faults | None = None,
    capital: Mapping[Position, int] = CAPITAL,
) -> PaperVenue:
    """A venue that has seen the market and holds the capital; in a file where one is named."""
    venue = (
        PaperVenue(ASSETS, COSTS, faults)
        if path is None
        else PaperVenue.open(path, ASSETS, COSTS, faults, durable=False)
    )
    venue.observe_market(market(NOW_S), NOW_S)
    for position, units in capital.items():
        venue.deposit_capital(position, units, f"capital:{position}")
    return venue


def leg(
    kind: LegKind, venue: str, spend: Position, units: int, receive: Position, least: int = 1
) -> Leg:
    """One leg with only what a venue reads."""
    return Leg("leg", kind, venue, spend, units, receive, least, least, 0, 0, 0)


def order(key: str, what: Leg, deadline_s: int = NOW_S + 600, gas_max: int = 100 * GWEI) -> Order:
    """One order."""
    return Order(key, what, deadline_s, gas_max)


def buy(units: int = 10_000 * USD, least: int = 1) -> Leg:
    """USDC into WBTC."""
    return leg(LegKind.SWAP, "oneinch", USDC, units, WBTC, least)


def lend(units: int = 100_000 * USD) -> Leg:
    """USDC into Aave."""
    return leg(LegKind.DEPOSIT, "aave_v3", USDC, units, AAVE)


def buy_pt(units: int = 10_000 * USD) -> Leg:
    """USDC into a principal token."""
    return leg(LegKind.DEPOSIT, "pendle_v2", USDC, units, PT)


def join_pool(units: int = 10_000 * USD) -> Leg:
    """USDC into the pool."""
    return leg(LegKind.DEPOSIT, "curve", USDC, units, CURVE)
