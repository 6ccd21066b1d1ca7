"""Costs: what a leg is expected to lose to gas, fees, spread and its own size.

    gas       gas units x wei x ETH price                       usd_micro, rounded up
    fee       fee_bps of what is spent                          goes to the venue
    loss      half spread + impact that grows with the size     goes to the other side

One cost object serves the planner that promises and the paper venue that carries out, so
the two cannot drift apart. Every number is handed in; the mandate's [assumptions] state them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dynamic.errors import Refused
from dynamic.units import BPS, USD_MICRO, WAD, Rounding, divide

_BPS_WAD: Final = WAD // BPS
_IMPACT_SIZE_USD_MICRO: Final = 1_000_000 * USD_MICRO  # impact is quoted per million
_WEI_PER_ETH: Final = 10**18


@dataclass(frozen=True, slots=True)
class VenueCost:
    """What one venue takes: fee and half spread in bps, impact in bps per 1 000 000 USD."""

    fee_bps: int
    half_spread_bps: int
    impact_bps_per_million: int

    def loss_wad(self, notional_usd_micro: int) -> int:
        """Return half spread plus impact at this size as a wad fraction, rounded up."""
        impact = self.impact_bps_per_million * notional_usd_micro * _BPS_WAD
        return self.half_spread_bps * _BPS_WAD - (-impact // _IMPACT_SIZE_USD_MICRO)

    def cost_usd_micro(self, notional_usd_micro: int) -> int:
        """Return fee plus loss on this notional, rounded up."""
        wad = self.fee_bps * _BPS_WAD + self.loss_wad(notional_usd_micro)
        return -(-notional_usd_micro * wad // WAD)

    def size_usd_micro_max(self, impact_bps_max: int) -> int | None:
        """Return the largest clip whose impact stays within the limit; None where size is free."""
        if self.impact_bps_per_million == 0:
            return None
        return impact_bps_max * _IMPACT_SIZE_USD_MICRO // self.impact_bps_per_million


FREE: Final = VenueCost(0, 0, 0)


@dataclass(frozen=True, slots=True)
class CostModel:
    """Costs by venue, and gas units by `kind:venue` or by `kind`.

    A venue or a kind that is not listed is refused: an unknown cost is not a free one.
    """

    venues: Mapping[str, VenueCost]
    gas_units: Mapping[str, int]
    _memo: dict[tuple[str, str], int] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def venue(self, name: str) -> VenueCost:
        """Return what this venue takes."""
        found = self.venues.get(name)
        if found is None:
            raise Refused(f"expected a cost assumption for venue {name!r}, found none")
        return found

    def gas_of(self, kind: str, venue: str) -> int:
        """Return the gas units of one leg."""
        found = self._memo.get((kind, venue))
        if found is None:
            known = self.gas_units
            found = known.get(f"{kind}:{venue}", known.get(kind))
            if found is None:
                raise Refused(f"expected gas units for {kind}:{venue} or {kind}, found neither")
            self._memo[kind, venue] = found
        return found


def gas_cost_usd_micro(gas_units: int, gas_price_wei: int, eth_price_usd_micro: int) -> int:
    """Return the dollars a number of gas units costs, rounded up."""
    return divide(gas_units * gas_price_wei * eth_price_usd_micro, _WEI_PER_ETH, Rounding.UP)


def cost_model(
    fee_bps: Mapping[str, int],
    half_spread_bps: Mapping[str, int],
    impact_bps_per_million: Mapping[str, int],
    gas_units: Mapping[str, int],
) -> CostModel:
    """Build the model from the mandate's tables; a venue missing in one of them is refused."""
    names = sorted({*fee_bps, *half_spread_bps, *impact_bps_per_million})
    for table, known in (
        ("fee_bps", fee_bps),
        ("half_spread_bps", half_spread_bps),
        ("impact_bps_per_million", impact_bps_per_million),
    ):
        missing = [name for name in names if name not in known]
        if missing:
            raise Refused(f"expected {table} for {', '.join(missing)}, found none")
    return CostModel(
        {n: VenueCost(fee_bps[n], half_spread_bps[n], impact_bps_per_million[n]) for n in names},
        dict(gas_units),
    )
