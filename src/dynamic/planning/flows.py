"""Flows: moves folded into what leaves each position and what enters it, opposite ones netted.

    aave -> WBTC, curve -> aave    =>    out of aave, out of curve, into WBTC, into aave
                                   =>    curve out, WBTC in, and the difference of aave

Every route passes the hub (wallet:USDC), so a flow is between one position and the hub. A
move's own least price travels with its flow: netting, clipping and skipping may do less than
the permit allows, never more, and never at a worse price.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from dynamic.planning.fair_value import FairValue, min_out
from dynamic.planning.rules import PlanRules
from dynamic.policy.proposal import Move, Position
from dynamic.units import Rounding


@dataclass(slots=True)
class Flow:
    """Units leaving one position for the hub, or hub units entering it.

    `floor` is the highest price any of its moves insists on, as receive / spend units.
    """

    position: Position
    spend_units: int = 0
    floor: tuple[int, int] = (0, 1)

    def add(self, spend_units: int, receive_units_min: int, per_spend_units: int) -> None:
        """Join a move's part, keeping the stricter price."""
        self.spend_units += spend_units
        if receive_units_min * self.floor[1] > self.floor[0] * per_spend_units:
            self.floor = (receive_units_min, per_spend_units)

    def least(self, spend_units: int) -> int:
        """Return the least units this flow's moves accept for a part of it, rounded up."""
        return -(-spend_units * self.floor[0] // self.floor[1])


def is_parked(position: Position, rules: PlanRules) -> bool:
    """True where the position is the hub's own asset lent out one for one."""
    return position.asset == rules.hub.asset


def slippage_bps(position: Position, fair: FairValue, rules: PlanRules) -> int:
    """Return the slippage allowed between this position and the hub; none where it is lending."""
    if is_parked(position, rules):
        return 0
    if fair.assets[position.asset].kind == "volatile":
        return rules.slippage_volatile_bps
    return rules.slippage_stable_bps


def fold(
    moves: Iterable[Move], fair: FairValue, rules: PlanRules
) -> tuple[dict[Position, Flow], dict[Position, Flow]]:
    """Fold moves into flows out of positions and flows into positions, then net them."""
    out: dict[Position, Flow] = {}
    into: dict[Position, Flow] = {}
    hub = rules.hub
    for move in moves:
        if move.spend == move.receive or move.spend_units <= 0:
            continue
        hub_units, hub_fair = move.spend_units, move.spend_units
        if move.spend != hub:
            flow = out.setdefault(move.spend, Flow(move.spend))
            if move.receive == hub:
                flow.add(move.spend_units, move.receive_units_min, move.spend_units)
                continue
            flow.add(move.spend_units, 0, move.spend_units)
            hub_fair = fair.exchanged(move.spend.asset, move.spend_units, hub.asset, at_exit=True)
            hub_units = min_out(hub_fair, slippage_bps(move.spend, fair, rules))
        entering = into.setdefault(move.receive, Flow(move.receive))
        # The permit's price counts the whole way; our hub leg spends a little less, at that price.
        entering.add(hub_units, move.receive_units_min, max(hub_fair, 1))
    for position in [p for p in out if p in into]:
        _net(position, out, into, fair, hub.asset)
    return out, into


def _net(
    position: Position,
    out: dict[Position, Flow],
    into: dict[Position, Flow],
    fair: FairValue,
    hub_asset: str,
) -> None:
    """Keep only the difference between what leaves a position and what enters it."""
    leaving, entering = out[position], into[position]
    worth = fair.exchanged(position.asset, leaving.spend_units, hub_asset, at_exit=True)
    if worth > entering.spend_units:
        needed = fair.usd_micro(hub_asset, entering.spend_units, Rounding.UP)
        leaving.spend_units -= min(leaving.spend_units, fair.units_costing(position.asset, needed))
        del into[position]
    else:
        entering.spend_units -= worth
        del out[position]
