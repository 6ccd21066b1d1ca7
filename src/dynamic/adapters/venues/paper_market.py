"""The paper venue's market: observed prices and yields, and what its protocols make of them.

    aave_v3     liquidity index, grown by the published supply APY
    curve       virtual price, grown by the pool's APY
    pendle_v2   PT price from the implied APY and the days that are left

Only what was observed moves anything: without an APY an index stands still. The yield of a
span is the one known at its beginning, so nothing is earned with hindsight.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from dynamic.errors import DataUnfit, Refused
from dynamic.market.observation import Observation, Provenance
from dynamic.protocols import aave_v3, curve_ng, pendle_v2
from dynamic.units import RAY, WAD, Rounding, fraction_to_ray, iso

AAVE_APY: Final = "apy:aave_v3:USDC"
CURVE_APY: Final = "apy:curve:LP-USDC-USDT"
PENDLE_APY: Final = "apy:pendle_v2:PT-USDC"
GAS: Final = "gas:ethereum"


@dataclass(slots=True)
class PaperMarket:
    """Prices in usd_micro by underlying, yields as rays by key, and the two indexes."""

    at_s: int = 0
    prices: dict[str, int] = field(default_factory=dict)
    apy_ray: dict[str, int] = field(default_factory=dict)
    gas_price_wei: int | None = None
    index_ray: int = RAY
    virtual_price_wad: int = WAD
    apy_seen: dict[str, Observation] = field(default_factory=dict)

    def copy(self) -> "PaperMarket":
        """Return an independent copy."""
        return replace(
            self, prices=dict(self.prices), apy_ray=dict(self.apy_ray), apy_seen=dict(self.apy_seen)
        )

    def advance(self, observations: Iterable[Observation], now_s: int) -> None:
        """Let time pass up to `now_s`, then take in what is known by then."""
        if now_s < self.at_s:
            raise Refused(f"the paper world is at {iso(self.at_s)}, asked for {iso(now_s)}")
        elapsed_s = now_s - self.at_s if self.at_s else 0
        if elapsed_s:
            apy = self.apy_ray.get(AAVE_APY)
            if apy is not None:
                self.index_ray = aave_v3.index_at_apy(self.index_ray, apy, elapsed_s)
            apy = self.apy_ray.get(CURVE_APY)
            if apy is not None:
                self.virtual_price_wad = curve_ng.virtual_price_after(
                    self.virtual_price_wad, apy, elapsed_s
                )
        self.at_s = now_s
        for seen in observations:
            key = seen.key
            if key.startswith("price:"):
                self.prices[key[6:]] = int(seen.value)
            elif key.startswith("apy:"):
                self._take_apy(seen)
            elif key == GAS:
                self.gas_price_wei = int(seen.value)

    def _take_apy(self, seen: Observation) -> None:
        known = self.apy_seen.get(seen.key)
        if known is None or known.value != seen.value:
            # The borders of growth: beyond them a yield is a broken reading, not a yield.
            if not -0.99 < seen.value < 100:
                raise DataUnfit(f"expected {seen.key} in -99 % .. 10 000 %, found {seen.value}")
            self.apy_ray[seen.key] = fraction_to_ray(float(seen.value), Rounding.DOWN)
        self.apy_seen[seen.key] = seen

    def pt_price_wad(self, symbol: str) -> int | None:
        """Return the market price of one PT in USDC; None where no implied yield is known."""
        left_s = pendle_v2.maturity_of(symbol) - self.at_s
        if left_s <= 0:
            return WAD
        apy = self.apy_ray.get(PENDLE_APY)
        return None if apy is None else pendle_v2.price_wad(apy, left_s)

    def provenance_of(self, apy_key: str) -> Provenance:
        """Return how a value grown from this yield may be trusted."""
        seen = self.apy_seen.get(apy_key)
        if seen is None:
            return Provenance.FALLBACK
        recorded = seen.provenance in (Provenance.OBSERVED, Provenance.DERIVED)
        return Provenance.DERIVED if recorded else seen.provenance
