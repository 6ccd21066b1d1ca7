"""Valuation: what every position would bring if we left it now, never what we wish it were.

    value = base units x price of the underlying x exit rate / 10**decimals      floored

Tokens have rate 1. Claims (PT, LP) have their exit rate in wad, haircut included, so that a
principal token before maturity is never shown at par (PM-11).
"""

from collections.abc import Mapping
from typing import Final

from dynamic.errors import DataUnfit
from dynamic.units import WAD, Asset, AssetKind

# usd_micro x 10**36: every value of a token with up to 18 decimals is a whole number of it.
SCALE: Final = 10**36
_DECIMALS_MAX: Final = 18
_TEN: Final = tuple(int(10**n) for n in range(_DECIMALS_MAX + 1))


def unit_value_scaled(asset: Asset, prices: Mapping[str, int], rates: Mapping[str, int]) -> int:
    """Return the exact worth of one base unit, in usd_micro x 10**36.

    Raises DataUnfit where its price or rate is not known: it is not zero, it is unknown.
    """
    price = prices.get(asset.underlying)
    if price is None:
        raise DataUnfit(f"expected a price of {asset.underlying} to value {asset.symbol}")
    rate = WAD
    if asset.kind is AssetKind.CLAIM:
        known = rates.get(asset.symbol)
        if known is None:
            raise DataUnfit(f"expected an exit rate to value {asset.symbol}")
        rate = known
    if asset.decimals > _DECIMALS_MAX:
        raise DataUnfit(f"expected at most 18 decimals, {asset.symbol} has {asset.decimals}")
    return price * rate * _TEN[_DECIMALS_MAX - asset.decimals]
