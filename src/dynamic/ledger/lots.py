"""Lots: what each holding cost, first in, first out.

    acquire   a new lot behind the others
    dispose   the oldest units leave with their cost; what they fetched above it is the gain

Costs are micro-dollars and none is ever lost: cost acquired = cost disposed + cost held, to
the micro. Where a lot is split, the part that leaves takes its cost rounded up, so a gain is
never claimed a micro too high; the remainder keeps exactly the rest.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from dynamic.errors import InvariantBroken
from dynamic.units import Rounding, divide


@dataclass(frozen=True, slots=True)
class Lot:
    """Base units of one asset acquired together, and what they cost in all."""

    asset: str
    units: int
    cost_usd_micro: int
    acquired_at_s: int
    ref: str


@dataclass(frozen=True, slots=True)
class Disposal:
    """Units that left: what they fetched, what they had cost, and the lots they came from."""

    asset: str
    units: int
    at_s: int
    proceeds_usd_micro: int
    cost_usd_micro: int
    consumed: tuple[Lot, ...]

    @property
    def gain_usd_micro(self) -> int:
        """Realised gain, negative for a loss."""
        return self.proceeds_usd_micro - self.cost_usd_micro


class LotBook:
    """The lots of every asset that is not cash, oldest first."""

    __slots__ = ("_lots",)

    def __init__(self) -> None:
        self._lots: dict[str, deque[Lot]] = {}

    def acquire(self, asset: str, units: int, cost_usd_micro: int, at_s: int, ref: str) -> Lot:
        """Add a lot. Cost is what was given for it, rounded up, fees included; zero is allowed."""
        if units <= 0 or cost_usd_micro < 0:
            raise InvariantBroken(f"{ref}: a lot of {units} {asset} for {cost_usd_micro} usd_micro")
        lot = Lot(asset, units, cost_usd_micro, at_s, ref)
        self._lots.setdefault(asset, deque()).append(lot)
        return lot

    def dispose(self, asset: str, units: int, proceeds_usd_micro: int, at_s: int) -> Disposal:
        """Take the oldest units. Proceeds are what came in for them, rounded down.

        Raises InvariantBroken where fewer units are held; then nothing has changed.
        """
        held = self.units(asset)
        if not 0 < units <= held:
            raise InvariantBroken(f"expected to dispose of 1..{held} {asset}, found {units}")
        lots = self._lots[asset]
        consumed: list[Lot] = []
        missing = units
        while missing:
            lot = lots.popleft()
            if lot.units > missing:
                cost = divide(lot.cost_usd_micro * missing, lot.units, Rounding.UP)
                rest = lot.cost_usd_micro - cost
                lots.appendleft(replace(lot, units=lot.units - missing, cost_usd_micro=rest))
                lot = replace(lot, units=missing, cost_usd_micro=cost)
            consumed.append(lot)
            missing -= lot.units
        if not lots:
            del self._lots[asset]
        cost = sum(lot.cost_usd_micro for lot in consumed)
        return Disposal(asset, units, at_s, proceeds_usd_micro, cost, tuple(consumed))

    def units(self, asset: str) -> int:
        """Return the base units held of an asset, over its lots."""
        return sum(lot.units for lot in self._lots.get(asset, ()))

    def cost_usd_micro(self, asset: str) -> int:
        """Return what the held units of an asset cost."""
        return sum(lot.cost_usd_micro for lot in self._lots.get(asset, ()))

    def lots(self, asset: str) -> tuple[Lot, ...]:
        """Return the lots of an asset, oldest first."""
        return tuple(self._lots.get(asset, ()))

    def newest(self, asset: str, count: int) -> tuple[Lot, ...]:
        """Return the last `count` lots of an asset, newest first."""
        return tuple(islice(reversed(self._lots.get(asset, deque())), count))

    def assets(self) -> tuple[str, ...]:
        """Return the assets with a lot, sorted."""
        return tuple(sorted(self._lots))

    def to_payload(self) -> dict[str, list[list[object]]]:
        """Write the lots for canonical JSON: asset -> [[units, cost, at_s, ref], ...]."""
        return {
            asset: [[lot.units, lot.cost_usd_micro, lot.acquired_at_s, lot.ref] for lot in lots]
            for asset, lots in self._lots.items()
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Sequence[Sequence[object]]]) -> "LotBook":
        """Read what `to_payload` wrote; anything else raises InvariantBroken."""
        book = cls()
        for asset, rows in payload.items():
            for row in rows:
                match row:
                    case [int(units), int(cost), int(at_s), str(ref)]:
                        book.acquire(asset, units, cost, at_s, ref)
                    case _:
                        raise InvariantBroken(f"expected a lot of {asset}, found {row!r}")
        return book
