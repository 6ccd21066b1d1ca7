"""Paper execution: what one leg brings in the paper world, always rounded against us.

    out = floor( (spend - fee) x price ratio x (1 - half spread - impact(size)) )

A leg reverts, and moves nothing but gas, when its deadline has passed, its protocol is
paused, the funds are not there, or it would bring less than its least.
"""

from dataclasses import dataclass

from dynamic.adapters.venues.paper_costs import PaperCosts
from dynamic.adapters.venues.paper_market import PaperMarket
from dynamic.errors import DynamicError
from dynamic.planning.costs import VenueCost
from dynamic.planning.plan import Leg, LegKind
from dynamic.policy.proposal import Position
from dynamic.protocols import curve_ng, pendle_v2
from dynamic.units import BPS, WAD, Asset, AssetKind

AAVE = Position("aave_v3", "USDC")
CURVE = Position("curve", "LP-USDC-USDT")
USDC = Position("wallet", "USDC")
GAS_TANK = Position("wallet", "ETH")
PROTOCOLS = frozenset({"aave_v3", "curve", "pendle_v2"})


@dataclass(frozen=True, slots=True)
class Fill:
    """What a leg would bring: units out, and the part of the spend kept as a fee."""

    receive_units: int
    fee_units: int


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Why this venue cannot carry out this leg at all."""

    reason: str


def asset_of(symbol: str, assets: dict[str, Asset]) -> Asset | None:
    """Return the asset; a principal token of our calendar needs no list."""
    found = assets.get(symbol)
    if found is None and symbol.startswith(pendle_v2.PREFIX):
        found = assets[symbol] = Asset(symbol, assets["USDC"].decimals, AssetKind.CLAIM, "USDC")
    return found


def fill(
    leg: Leg, market: PaperMarket, costs: PaperCosts, assets: dict[str, Asset]
) -> Fill | NoRoute | None:
    """Return what the leg brings now; None where the market for it is not known."""
    if leg.spend_units <= 0:
        return NoRoute("nothing to spend")
    outer = leg.receive if leg.spend.location == "wallet" else leg.spend
    if leg.venue == "aave_v3" and outer == AAVE and USDC in (leg.spend, leg.receive):
        return Fill(leg.spend_units, 0) if _kind_fits(leg) else NoRoute(f"{leg.kind} at aave_v3")
    if leg.kind is LegKind.REDEEM:
        return _redeem(leg, market)
    cost = costs.model.venues.get(leg.venue)
    if cost is None or not _kind_fits(leg):
        return NoRoute(f"{leg.kind} {leg.spend} to {leg.receive} at {leg.venue}")
    spend, receive = asset_of(leg.spend.asset, assets), asset_of(leg.receive.asset, assets)
    if spend is None or receive is None:
        return NoRoute(f"unknown asset in {leg.spend} to {leg.receive}")
    if leg.venue == "curve" and outer == CURVE and USDC in (leg.spend, leg.receive):
        return _curve(leg, market, cost, spend, receive)
    if leg.venue == "pendle_v2" and outer.location == "pendle_v2":
        return _pendle(leg, market, cost, (spend, receive))
    if leg.kind is LegKind.SWAP and leg.spend.location == leg.receive.location == "wallet":
        return _swap(leg, market, cost, spend, receive)
    return NoRoute(f"{leg.spend} to {leg.receive} at {leg.venue}")


def _kind_fits(leg: Leg) -> bool:
    if leg.kind is LegKind.DEPOSIT:
        return leg.receive.location == leg.venue and leg.spend.location == "wallet"
    if leg.kind is LegKind.WITHDRAW:
        return leg.spend.location == leg.venue and leg.receive.location == "wallet"
    return leg.kind is LegKind.SWAP and leg.venue not in PROTOCOLS


def _fee(units: int, cost: VenueCost) -> int:
    return -(-units * cost.fee_bps // BPS)


def _redeem(leg: Leg, market: PaperMarket) -> Fill | NoRoute:
    if leg.spend.location != "pendle_v2" or leg.receive != USDC:
        return NoRoute(f"nothing to redeem at {leg.spend}")
    try:
        return Fill(pendle_v2.redeemed(leg.spend_units, leg.spend.asset, market.at_s), 0)
    except DynamicError as error:  # not matured, or not a principal token
        return NoRoute(error.message)


def _swap(
    leg: Leg, market: PaperMarket, cost: VenueCost, spend: Asset, receive: Asset
) -> Fill | NoRoute | None:
    if AssetKind.CLAIM in (spend.kind, receive.kind):
        return NoRoute(f"no swap of claims: {leg.spend} to {leg.receive}")
    price_in, price_out = market.prices.get(spend.underlying), market.prices.get(receive.underlying)
    if not price_in or not price_out:
        return None
    fee = _fee(leg.spend_units, cost)
    loss = cost.loss_wad(-(-leg.spend_units * price_in // spend.one))
    numerator = (leg.spend_units - fee) * price_in * receive.one * max(WAD - loss, 0)
    return Fill(numerator // (price_out * spend.one * WAD), fee)


def _curve(
    leg: Leg, market: PaperMarket, cost: VenueCost, spend: Asset, receive: Asset
) -> Fill | None:
    price, virtual = market.prices.get("USDC"), market.virtual_price_wad
    if not price:
        return None
    fee = _fee(leg.spend_units, cost)
    net = leg.spend_units - fee
    if leg.kind is LegKind.DEPOSIT:
        loss = min(cost.loss_wad(-(-leg.spend_units * price // spend.one)), WAD)
        return Fill(curve_ng.minted(net, spend.decimals, receive.decimals, virtual, loss), fee)
    notional = -(-leg.spend_units * virtual * price // (spend.one * WAD))
    loss = min(cost.loss_wad(notional), WAD)
    return Fill(curve_ng.withdrawn(net, spend.decimals, receive.decimals, virtual, loss), fee)


def _pendle(
    leg: Leg, market: PaperMarket, cost: VenueCost, sides: tuple[Asset, Asset]
) -> Fill | NoRoute | None:
    spend, receive = sides
    token, coin = (receive, spend) if leg.kind is LegKind.DEPOSIT else (spend, receive)
    if coin.symbol != "USDC" or not token.symbol.startswith(pendle_v2.PREFIX):
        return NoRoute(f"{leg.spend} to {leg.receive} at pendle_v2")
    if market.at_s >= pendle_v2.maturity_of(token.symbol):
        return NoRoute(f"{token.symbol} has matured: redeem it")
    rate, price = market.pt_price_wad(token.symbol), market.prices.get("USDC")
    if rate is None or not price:
        return None
    fee = _fee(leg.spend_units, cost)
    net = leg.spend_units - fee
    if leg.kind is LegKind.DEPOSIT:
        kept = max(WAD - cost.loss_wad(-(-leg.spend_units * price // coin.one)), 0)
        return Fill(net * token.one * kept // (rate * coin.one), fee)
    notional = -(-leg.spend_units * rate * price // (token.one * WAD))
    kept = max(WAD - cost.loss_wad(notional), 0)
    return Fill(net * rate * coin.one * kept // (token.one * WAD * WAD), fee)
