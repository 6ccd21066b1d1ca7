"""Preview: what a plan will do to every balance, before anybody signs it.

Two columns of truth per leg: raw base units with decimals and symbol, and the dollars. The
worst case is on the page: the least each leg may bring is what the balances are shown with.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dynamic.errors import InvariantBroken
from dynamic.planning.fair_value import FairValue
from dynamic.planning.plan import Leg, Plan
from dynamic.policy.proposal import Position
from dynamic.units import Amount, Rounding, format_usd


@dataclass(frozen=True, slots=True)
class Line:
    """One side of one leg: base units, decimals and symbol, its dollars, and the balance."""

    position: Position
    base_units: int  # negative where it leaves
    decimals: int
    symbol: str
    usd_micro: int
    before_units: int
    after_units: int


@dataclass(frozen=True, slots=True)
class LegPreview:
    """One leg as its signer reads it."""

    key: str
    sentence: str
    spend: Line
    receive: Line


def preview(plan: Plan, units: Mapping[Position, int], fair: FairValue) -> tuple[LegPreview, ...]:
    """Walk the plan's legs in order over real balances, on the least each may bring.

    Raises InvariantBroken where a leg would spend what is not there.
    """
    balances = dict(units)
    return tuple(_preview_leg(leg, balances, fair) for leg in plan.legs)


def _preview_leg(leg: Leg, balances: dict[Position, int], fair: FairValue) -> LegPreview:
    spend = _line(leg.spend, -leg.spend_units, balances, fair, Rounding.UP)
    if spend.after_units < 0:
        raise InvariantBroken(
            f"leg {leg.key} spends {leg.spend_units} of {leg.spend}, {spend.before_units} are there"
        )
    receive = _line(leg.receive, leg.receive_units_min, balances, fair, Rounding.DOWN)
    sold = Amount(fair.assets[leg.spend.asset], leg.spend_units)
    bought = Amount(fair.assets[leg.receive.asset], leg.receive_units_min)
    sentence = (
        f"{leg.kind} {sold} ({format_usd(leg.notional_usd_micro)}) from {leg.spend.location} "
        f"at {leg.venue} for at least {bought} in {leg.receive.location}"
    )
    return LegPreview(leg.key, sentence, spend, receive)


def _line(
    position: Position,
    change: int,
    balances: dict[Position, int],
    fair: FairValue,
    rounding: Rounding,
) -> Line:
    asset = fair.assets[position.asset]
    before = balances.get(position, 0)
    balances[position] = before + change
    dollars = fair.usd_micro(asset.symbol, abs(change), rounding)
    return Line(
        position, change, asset.decimals, asset.symbol, -dollars if change < 0 else dollars,
        before, before + change,
    )  # fmt: skip
