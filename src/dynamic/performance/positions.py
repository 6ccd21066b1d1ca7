"""Positions: each holding as people read it, with what it cost and what it earned (PM-05)."""

from collections.abc import Mapping
from dataclasses import dataclass

from dynamic.units import BPS, Rounding, ratio_bps

Holding = tuple[str, str]  # (location, asset)


@dataclass(frozen=True, slots=True)
class PositionView:
    """The seven fields of a position; None is unknown.

    `amount` in base units, `value_usd` in usd_micro at exit, `current_return` in bps of cost.
    """

    protocol: str
    asset: str
    amount: int
    value_usd: int
    apy: float | None
    entered_at: int | None
    current_return: int | None


def position_views(
    units: Mapping[Holding, int],
    values_usd_micro: Mapping[Holding, int],
    cost_usd_micro: Mapping[Holding, int],
    apys: Mapping[Holding, float],
    entered_at_s: Mapping[Holding, int],
) -> tuple[PositionView, ...]:
    """Show every holding that is not empty, the largest first."""
    views = []
    for holding, base_units in units.items():
        if not base_units:
            continue
        value, cost = values_usd_micro[holding], cost_usd_micro.get(holding)
        gained = ratio_bps(value - cost, cost, Rounding.DOWN) if cost else None
        views.append(
            PositionView(
                holding[0], holding[1], base_units, value, apys.get(holding),
                entered_at_s.get(holding), gained,
            )
        )  # fmt: skip
    return tuple(sorted(views, key=lambda view: (-view.value_usd, view.protocol, view.asset)))


def shares_bps(values_usd_micro: Mapping[Holding, int]) -> dict[Holding, int]:
    """Return each holding's share of the whole in bps; they sum to 10 000 exactly, or are empty.

    What flooring leaves goes to the largest remainders.
    """
    whole = sum(values_usd_micro.values())
    if whole <= 0:
        return {}
    shares = {holding: value * BPS // whole for holding, value in values_usd_micro.items()}
    left = BPS - sum(shares.values())
    by_rest = sorted(values_usd_micro, key=lambda h: (-(values_usd_micro[h] * BPS % whole), h))
    for holding in by_rest[:left]:
        shares[holding] += 1
    return shares
