"""Unwind: how much a breach asks to sell, and the way out of everything at once.

trim_usd_micro   a passive breach of the volatile cap, back to 39.5 % (C-02)
wind_down        everything that may leave, into USDC in the wallet (C-04)
"""

from collections.abc import Collection

from dynamic.decision.moves import BTC, CASH, ETH, GAS, Purse
from dynamic.policy.case import WALLET
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Move, Position, Proposal, Urgency
from dynamic.policy.sections import clip_usd_micro_max
from dynamic.policy.situation import Situation
from dynamic.units import BPS, AssetKind


def trim_usd_micro(situation: Situation, mandate: Mandate, gas_usd_micro: int) -> int:
    """Return how much volatile value a passive breach asks to sell; 0 where it may stand.

    Above the cap by at least the larger of 1 000 USD and 20 times the gas, back to 39.5 %.
    """
    limits, nav = mandate.exposure, situation.nav_usd_micro
    held = situation.volatile_values_usd_micro
    excess = held - nav * limits.volatile_bps_max // BPS
    least = max(limits.trim_excess_usd_micro_min, limits.trim_gas_multiple * gas_usd_micro)
    if excess < least or excess <= 0:
        return 0
    return held - nav * limits.volatile_trim_to_bps // BPS


def wind_down(
    situation: Situation, mandate: Mandate, actor: str, trigger: str, reason: str,
    only: Collection[Position] | None = None,
) -> Proposal | None:  # fmt: skip
    """Propose to turn everything, or only the affected positions, into USDC in the wallet.

    The gas reserve stays: it pays for the way out. PT leaves through its market, at a haircut.
    """
    affected = [
        (place, value)
        for place, value in sorted(situation.values_usd_micro.items())
        if value > 0 and place not in (CASH, GAS) and (only is None or place in only)
        and (place.location != WALLET or place in (BTC, ETH) or _is_volatile(place, situation))
    ]  # fmt: skip
    clip = clip_usd_micro_max(situation.nav_usd_micro, mandate.treasury, mandate.exposure)
    purse = Purse(affected, situation, mandate, clip * (BPS - 1) // BPS)
    for place, value in affected:
        purse.fill(CASH, value + 1, (place,))
        rest = purse.units[place]  # flooring left a fraction behind: it leaves with the last clip
        if rest and purse.moves and purse.moves[-1].spend == place:
            purse.moves[-1] = _whole(purse.moves[-1], rest)
    if not purse.moves:
        return None
    return Proposal(
        f"{trigger}:{situation.now_s}",
        actor,
        trigger,
        Urgency.EMERGENCY,
        tuple(purse.moves),
        reason,
    )


def _whole(move: Move, rest: int) -> Move:
    """Add the last units of a position to its last move, at the same price, rounded up."""
    units = move.spend_units + rest
    least = -(-move.receive_units_min * units // move.spend_units)
    return Move(move.spend, units, move.receive, least)


def _is_volatile(place: Position, situation: Situation) -> bool:
    asset = situation.assets.get(place.asset)
    return asset is not None and asset.kind is AssetKind.VOLATILE
