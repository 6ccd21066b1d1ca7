"""Paper state: the world as one text and back, every integer exact."""

import json
from dataclasses import dataclass, field

from dynamic.adapters.venues.paper_market import PaperMarket
from dynamic.planning.plan import Leg, LegKind
from dynamic.policy.proposal import Position
from dynamic.ports import Movement, Order, Receipt
from dynamic.protocols import aave_v3


@dataclass(slots=True)
class PaperWorld:
    """What the world holds for us: tokens, a scaled Aave balance, orders waiting to be mined."""

    market: PaperMarket = field(default_factory=PaperMarket)
    tokens: dict[Position, int] = field(default_factory=dict)
    scaled: int = 0
    paused: set[str] = field(default_factory=set)
    waiting: dict[str, Order] = field(default_factory=dict)

    def held(self, position: Position) -> int:
        """Return what we may spend of a position now."""
        if position == AAVE_USDC:
            return aave_v3.claim(self.scaled, self.market.index_ray)
        return self.tokens.get(position, 0)

    def move(self, position: Position, base_units: int) -> None:
        """Add to (+) or take from (-) a position."""
        if position != AAVE_USDC:
            self.tokens[position] = self.tokens.get(position, 0) + base_units
        elif base_units >= 0:
            self.scaled += aave_v3.supplied_scaled(base_units, self.market.index_ray)
        else:
            self.scaled -= aave_v3.withdrawn_scaled(-base_units, self.scaled, self.market.index_ray)

    def copy(self) -> "PaperWorld":
        """Return an independent copy, to try something on."""
        return PaperWorld(
            self.market.copy(), dict(self.tokens), self.scaled, set(self.paused),
            dict(self.waiting),
        )  # fmt: skip


AAVE_USDC = Position("aave_v3", "USDC")


def write_world(world: PaperWorld) -> str:
    """Write the world as JSON."""
    market = world.market
    return json.dumps(
        {
            "at_s": market.at_s,
            "prices": market.prices,
            "apy_ray": market.apy_ray,
            "gas_price_wei": market.gas_price_wei,
            "index_ray": market.index_ray,
            "virtual_price_wad": market.virtual_price_wad,
            "tokens": [[*position, units] for position, units in world.tokens.items()],
            "scaled": world.scaled,
            "paused": sorted(world.paused),
            "waiting": [_order(order) for order in world.waiting.values()],
        },
        separators=(",", ":"),
    )


def read_world(payload: str) -> PaperWorld:
    """Read the world back."""
    found = json.loads(payload)
    market = PaperMarket(
        found["at_s"], found["prices"], found["apy_ray"], found["gas_price_wei"],
        found["index_ray"], found["virtual_price_wad"],
    )  # fmt: skip
    orders = [_read_order(order) for order in found["waiting"]]
    return PaperWorld(
        market, {Position(place, asset): units for place, asset, units in found["tokens"]},
        found["scaled"], set(found["paused"]), {order.key: order for order in orders},
    )  # fmt: skip


def _order(order: Order) -> list[object]:
    leg = order.leg
    return [
        order.key, order.deadline_s, order.gas_price_wei_max, leg.key, leg.kind, leg.venue,
        list(leg.spend), leg.spend_units, list(leg.receive), leg.receive_units_expected,
        leg.receive_units_min, leg.notional_usd_micro, leg.gas_units, leg.slippage_bps_max,
        list(leg.after),
    ]  # fmt: skip


def _read_order(row: list[object]) -> Order:
    key, deadline_s, gas_max, leg_key, kind, venue, spend, units, receive, *rest = row
    *numbers, after = rest
    leg = Leg(
        leg_key, LegKind(kind), venue, Position(*spend), units, Position(*receive), *numbers,  # type: ignore[arg-type, misc]
        after=tuple(after),  # type: ignore[arg-type]
    )  # fmt: skip
    return Order(key, leg, deadline_s, gas_max)  # type: ignore[arg-type]


def write_receipt(receipt: Receipt, leg_print: str) -> str:
    """Write a receipt with the fingerprint of the leg it answers."""
    fee = receipt.fee
    return json.dumps(
        [
            leg_print, receipt.key, receipt.tx_id, receipt.settled_at_s, receipt.reverted,
            receipt.reason, [[*m.position, m.base_units] for m in receipt.movements],
            None if fee is None else [*fee.position, fee.base_units],
            receipt.gas_units, receipt.gas_price_wei,
        ],
        separators=(",", ":"),
    )  # fmt: skip


def read_receipt(payload: str) -> tuple[str, Receipt]:
    """Read a receipt and the fingerprint of its leg."""
    leg_print, key, tx_id, at_s, reverted, reason, moved, fee, gas, price = json.loads(payload)
    movements = tuple(Movement(Position(place, asset), units) for place, asset, units in moved)
    charged = None if fee is None else Movement(Position(fee[0], fee[1]), fee[2])
    return leg_print, Receipt(key, tx_id, at_s, reverted, reason, movements, charged, gas, price)
