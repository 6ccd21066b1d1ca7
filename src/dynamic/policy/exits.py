"""Exits: how long each position takes to leave and what that costs, and which cannot leave in time.

    exit_of : value x capacity in 24 h at the slippage limit  ->  ExitEstimate

Capacity is what the market absorbs in 24 h at 1 % or less, spread evenly over the day; a
position within one hour's part of it leaves at once under the emergency limit. Unknown
capacity is flagged, not assumed (GR-19). Times and costs are rounded up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dynamic.policy.case import WALLET
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Position
from dynamic.policy.situation import Situation
from dynamic.units import DAY_S, AssetKind

_BPS = 10_000


@dataclass(frozen=True, slots=True)
class ExitEstimate:
    """One position's way out. None is unknown, and unknown counts as too slow."""

    position: Position
    value_usd_micro: int
    exit_s: int | None
    slippage_bps: int | None
    is_normal: bool
    is_emergency: bool


def exit_of(
    position: Position, value_usd_micro: int, capacity_24h_usd_micro: int | None, mandate: Mandate
) -> ExitEstimate:
    """Estimate one exit: seconds = value / capacity per second, slippage in proportion."""
    limits = mandate.exits
    if value_usd_micro <= 0:
        return ExitEstimate(position, value_usd_micro, 0, 0, True, True)
    if not capacity_24h_usd_micro:
        return ExitEstimate(position, value_usd_micro, None, None, False, False)
    exit_s = -(-value_usd_micro * DAY_S // capacity_24h_usd_micro)
    slippage = -(-value_usd_micro * limits.slippage_bps_max // capacity_24h_usd_micro)
    is_normal = exit_s <= limits.normal_s_max and slippage <= limits.slippage_bps_max
    is_emergency = exit_s <= limits.emergency_s_max and slippage <= limits.slippage_bps_max
    return ExitEstimate(position, value_usd_micro, exit_s, slippage, is_normal, is_emergency)


def exits(
    situation: Situation, mandate: Mandate, wallet_capacity_24h: Mapping[str, int] | None = None
) -> tuple[ExitEstimate, ...]:
    """Estimate every position; stables at home are already out.

    Volatile wallet assets need their market's 24 h capacity in usd_micro, by asset.
    """
    capacities, found = wallet_capacity_24h or {}, []
    for position, value in sorted(situation.values_usd_micro.items()):
        asset = situation.assets.get(position.asset)
        if position.location == WALLET and asset is not None and asset.kind is AssetKind.STABLE:
            found.append(ExitEstimate(position, value, 0, 0, True, True))
            continue
        capacity = capacities.get(position.asset)
        if position.location != WALLET:
            fact = situation.protocols.get(position.location)
            capacity = None if fact is None or fact.is_paused else fact.exit_capacity_24h_usd_micro
        found.append(exit_of(position, value, capacity, mandate))
    return tuple(found)
