"""Fair value: what we ourselves hold a trade to be worth, before any venue has spoken.

    expected units = spend x price of spend / price of receive      exact ratio, floored
    least accepted = expected x (1 - slippage)                      rounded up: never less

The least accepted amount of every leg comes from here and travels with the leg, so a venue
that lies about its quote cannot lower it (GR-24).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dynamic.errors import DataUnfit
from dynamic.units import BPS, WAD, Asset, Rounding


@dataclass(frozen=True, slots=True)
class FairValue:
    """Prices in usd_micro per whole token by underlying; rates in wad per claim symbol.

    `mid_rates` are what claims trade at, in whole tokens of their underlying;
    `exit_rates` are what we count them for. Tokens that are not claims have rate 1.
    """

    assets: Mapping[str, Asset]
    prices: Mapping[str, int]
    mid_rates: Mapping[str, int]
    exit_rates: Mapping[str, int]
    _memo: dict[tuple[str, bool], tuple[int, int]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def unit_value(self, symbol: str, *, at_exit: bool) -> tuple[int, int]:
        """Return (numerator, denominator) of usd_micro per base unit.

        Raises DataUnfit where the asset, its price or a claim's rate is not known.
        """
        found = self._memo.get((symbol, at_exit))
        if found is None:
            asset = self.assets.get(symbol)
            price = None if asset is None else self.prices.get(asset.underlying)
            if asset is None or price is None or price <= 0:
                raise DataUnfit(f"expected a price for {symbol}, found none: nothing was planned")
            rate = WAD
            if asset.kind == "claim":
                known = (self.exit_rates if at_exit else self.mid_rates).get(symbol)
                if known is None or known <= 0:
                    raise DataUnfit(f"expected a rate for {symbol}, found none: nothing planned")
                rate = known
            found = self._memo[symbol, at_exit] = (price * rate, WAD * asset.one)
        return found

    def usd_micro(self, symbol: str, base_units: int, rounding: Rounding) -> int:
        """Value base units at exit, rounded as named."""
        numerator, denominator = self.unit_value(symbol, at_exit=True)
        if rounding is Rounding.UP:
            return -(-base_units * numerator // denominator)
        return base_units * numerator // denominator

    def exchanged(self, spend: str, spend_units: int, receive: str, *, at_exit: bool) -> int:
        """Return the units of `receive` that fairly answer the spend, before costs, floored.

        What we buy counts at the market's middle; what we sell too, or at its exit value.
        """
        if spend == receive:
            return spend_units
        top, under = self.unit_value(spend, at_exit=at_exit)
        top_in, under_in = self.unit_value(receive, at_exit=False)
        return spend_units * top * under_in // (under * top_in)

    def units_costing(self, symbol: str, usd_micro: int) -> int:
        """Return the units whose exit value reaches `usd_micro`, rounded up."""
        numerator, denominator = self.unit_value(symbol, at_exit=True)
        return -(-usd_micro * denominator // numerator)


def min_out(expected_units: int, slippage_bps_max: int) -> int:
    """Return the least acceptable units: expected x (1 - slippage), rounded up."""
    return -(-expected_units * (BPS - slippage_bps_max) // BPS)
