"""Moves: so many dollars from one position into another, with the least we accept for them.

    move_of : spend, receive, usd_micro  ->  Move

What is spent is rounded down and never exceeds what is held; the least accepted comes from our
own fair value and the mandate's slippage, hop by hop, rounded up, so that the judge who uses
the same numbers agrees. A price that is missing makes no move.
"""

from collections.abc import Collection, Sequence

from dynamic.policy.case import TEN, WALLET, price_key
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Move, Position
from dynamic.policy.situation import Situation
from dynamic.units import BPS, Asset, AssetKind

CASH = Position(WALLET, "USDC")
GAS = Position(WALLET, "ETH")
BTC = Position(WALLET, "WBTC")
ETH = Position(WALLET, "WETH")


def price_usd_micro(asset: Asset, situation: Situation) -> int | None:
    """Return the price a position of this asset is valued at, or None where it is not known."""
    fact = situation.prices.get(price_key(asset))
    return None if fact is None or fact.usd_micro <= 0 else fact.usd_micro


def tolerance_bps(spend: Asset, receive: Asset, mandate: Mandate) -> int:
    """Return the slippage our own orders accept on this way."""
    if spend.symbol == receive.symbol:
        return 0
    limits = mandate.slippage
    claims = (spend.kind is AssetKind.CLAIM) + (receive.kind is AssetKind.CLAIM)
    volatile = spend.kind is AssetKind.VOLATILE or receive.kind is AssetKind.VOLATILE
    return claims * limits.stable_bps_max + volatile * limits.default_bps or limits.default_bps


def move_of(
    spend: Position, receive: Position, usd_micro: int, held_units: int, situation: Situation,
    mandate: Mandate,
) -> Move | None:  # fmt: skip
    """Build one move of at most `usd_micro` and `held_units`; None where nothing remains."""
    out, into = situation.assets.get(spend.asset), situation.assets.get(receive.asset)
    if out is None or into is None:
        return None
    paid, got = price_usd_micro(out, situation), price_usd_micro(into, situation)
    if paid is None or got is None:
        return None
    units = min(usd_micro * TEN[out.decimals] // paid, held_units)
    if units <= 0:
        return None
    least = BPS - tolerance_bps(out, into, mandate)
    if out.symbol == into.symbol:
        return Move(spend, units, receive, units)
    fair = units * paid * TEN[into.decimals] * least
    return Move(spend, units, receive, -(-fair // (got * TEN[out.decimals] * BPS)))


def value_of(position: Position, situation: Situation) -> int:
    """Return what a position is worth in usd_micro; nothing held is worth nothing."""
    return situation.values_usd_micro.get(position, 0)


class Purse:
    """Dollars and units by source, in the order they are spent; nothing is promised twice."""

    __slots__ = ("clip_usd_micro", "dollars", "mandate", "moves", "situation", "units")

    def __init__(
        self, sources: Sequence[tuple[Position, int]], situation: Situation, mandate: Mandate,
        clip_usd_micro: int,
    ) -> None:  # fmt: skip
        self.situation, self.mandate, self.clip_usd_micro = situation, mandate, clip_usd_micro
        self.dollars = dict(sources)
        self.units = {place: situation.units.get(place, 0) for place, _ in sources}
        self.moves: list[Move] = []

    def fill(self, sink: Position, usd_micro: int, sources: Collection[Position]) -> None:
        """Lead up to so many dollars into a sink, in clips where something volatile moves."""
        for place in sources:
            amount = min(usd_micro, self.dollars.get(place, 0))
            if amount <= 0 or place == sink:
                continue
            self.dollars[place] -= amount
            usd_micro -= amount
            for clip in clips(amount, place, sink, self.situation, self.clip_usd_micro):
                move = move_of(place, sink, clip, self.units[place], self.situation, self.mandate)
                if move is not None:
                    self.moves.append(move)
                    self.units[place] -= move.spend_units


def clips(
    usd_micro: int, spend: Position, receive: Position, situation: Situation, clip_usd_micro: int
) -> list[int]:
    """Cut an amount into equal clips where something volatile moves; they sum to the whole."""
    assets, kind = situation.assets, AssetKind.VOLATILE
    is_tactical = any(p.asset in assets and assets[p.asset].kind is kind for p in (spend, receive))
    count = -(-usd_micro // clip_usd_micro) if is_tactical and clip_usd_micro > 0 else 1
    each, rest = divmod(usd_micro, count)
    return [each + (n < rest) for n in range(count)]
