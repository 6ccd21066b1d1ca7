"""A treasury of 400 000 USD to judge against, one number changed at a time."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from dynamic.adapters.mandate_file import default_text, read_mandate
from dynamic.market.observation import Provenance
from dynamic.policy.guardrails import Denial, Permit
from dynamic.policy.mandate import Mandate, from_table
from dynamic.policy.proposal import Move, Position, Proposal, Urgency
from dynamic.policy.situation import PriceFact, ProtocolFact, Situation, SwitchState
from dynamic.units import Asset, AssetKind

U = 1_000_000  # micro-dollars, and USDC base units, per dollar
NOW = 1_700_000_000  # 22:13 UTC
DAY = 86_400
MANDATE = read_mandate()
PT_NAME = "PT-USDC-20240328"
ASSETS = {
    "USDC": Asset("USDC", 6, AssetKind.STABLE, "USDC"),
    "USDT": Asset("USDT", 6, AssetKind.STABLE, "USDT"),
    "WBTC": Asset("WBTC", 8, AssetKind.VOLATILE, "BTC"),
    "WETH": Asset("WETH", 18, AssetKind.VOLATILE, "ETH"),
    "ETH": Asset("ETH", 18, AssetKind.VOLATILE, "ETH"),
    "DOGE": Asset("DOGE", 8, AssetKind.VOLATILE, "DOGE"),
    PT_NAME: Asset(PT_NAME, 6, AssetKind.CLAIM, "USDC"),
    "LP-USDC-USDT": Asset("LP-USDC-USDT", 18, AssetKind.CLAIM, "USDC"),
}
CASH = Position("wallet", "USDC")
BTC = Position("wallet", "WBTC")
WETH = Position("wallet", "WETH")
GAS = Position("wallet", "ETH")
AAVE = Position("aave_v3", "USDC")
PT = Position("pendle_v2", PT_NAME)
LP = Position("curve", "LP-USDC-USDT")


def price(usd: str, age_s: int = 60, kind: Provenance = Provenance.OBSERVED) -> PriceFact:
    return PriceFact(int(Decimal(usd) * U), NOW - age_s, kind)


PRICES = {
    "BTC": price("40000"), "ETH": price("2000"), "USDC": price("1"), "USDT": price("1"),
    PT_NAME: price("0.95"), "LP-USDC-USDT": price("1.02"),
}  # fmt: skip
SAFE = ProtocolFact(
    2_000_000_000 * U, 100_000_000 * U, 3, False, 20_000_000 * U, Provenance.OBSERVED
)


def worth(place: Position, usd: int) -> int:
    """Base units of so many dollars at the prices above, floored."""
    asset = ASSETS[place.asset]
    key = asset.symbol if asset.kind is AssetKind.CLAIM else asset.underlying
    return usd * U * 10**asset.decimals // PRICES[key].usd_micro


def holding(dollars: dict[Position, int], **changes: Any) -> Situation:
    """A calm, well-known situation holding so many dollars by position."""
    volatile = sum(v for p, v in dollars.items() if ASSETS[p.asset].kind is AssetKind.VOLATILE)
    nav = sum(dollars.values()) * U
    calm = Situation(
        now_s=NOW, assets=ASSETS, units={p: worth(p, v) for p, v in dollars.items()},
        values_usd_micro={p: v * U for p, v in dollars.items()}, prices=PRICES,
        protocols={"aave_v3": SAFE, "pendle_v2": SAFE, "curve": SAFE}, nav_usd_micro=nav,
        high_water_usd_micro=nav, past_moves=(), gas_price_wei=20 * 10**9,
        switch=SwitchState.ACTIVE, phase="euphoria", open_residues=0,
        volatile_values_usd_micro=volatile * U, base_deployed_at_s=NOW - 30 * DAY,
    )  # fmt: skip
    return replace(calm, **changes)


CALM = holding({CASH: 300_000, BTC: 60_000, WETH: 40_000})


def move(spend: Position, receive: Position, usd: int | Decimal, least_bps: int = 10_000) -> Move:
    """Spend so many dollars (to the micro-dollar) at `least_bps` of fair value."""
    micro = int(usd * U)
    out, into = ASSETS[spend.asset], ASSETS[receive.asset]
    keys = [a.symbol if a.kind is AssetKind.CLAIM else a.underlying for a in (out, into)]
    paid, got = (PRICES[k].usd_micro for k in keys)
    units = micro * 10**out.decimals // paid
    fair = units * paid * 10**into.decimals * least_bps
    return Move(spend, units, receive, -(-fair // (got * 10**out.decimals * 10_000)))


def proposal(
    *moves: Move, urgency: Urgency = Urgency.DISCRETIONARY, actor: str = "rules"
) -> Proposal:
    return Proposal("p1", actor, "drift>5%", urgency, moves, "a test")


def rules_hit(verdict: Permit | Denial) -> set[str]:
    return {f.rule for f in verdict.findings} if isinstance(verdict, Denial) else set()


def amended(change: Callable[[dict[str, Any]], None]) -> Mandate:
    """The default mandate with something changed, read again."""
    table = tomllib.loads(default_text(), parse_float=Decimal)
    change(table)
    return from_table(table)
