"""The instruments the treasury may hold, by symbol.

BTC is held as WBTC and ETH as WETH (C-77: a wrapper is a risk of its own); native ETH is
the gas reserve. Receipts of Pendle and Curve are assets with a rate; Aave's is not, since
its balance itself grows.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from dynamic.errors import Refused
from dynamic.policy.proposal import Position
from dynamic.units import Asset, AssetKind

USDC: Final = Asset("USDC", 6, AssetKind.STABLE, "USDC")
WBTC: Final = Asset("WBTC", 8, AssetKind.VOLATILE, "BTC")
WETH: Final = Asset("WETH", 18, AssetKind.VOLATILE, "ETH")
ETH: Final = Asset("ETH", 18, AssetKind.VOLATILE, "ETH")
LP: Final = Asset("LP-USDC-USDT", 18, AssetKind.CLAIM, "USDC")
_FIXED: Final = {asset.symbol: asset for asset in (USDC, WBTC, WETH, ETH, LP)}

WALLET: Final = "wallet"
CASH: Final = Position(WALLET, "USDC")
GAS: Final = Position(WALLET, "ETH")
AAVE: Final = Position("aave_v3", "USDC")


def asset(symbol: str) -> Asset:
    """Return the asset called `symbol`; PT symbols carry their maturity."""
    return _FIXED.get(symbol) or _principal_token(symbol)


@lru_cache(maxsize=256)  # four a year; asked for several times in every cycle
def _principal_token(symbol: str) -> Asset:
    if symbol.startswith("PT-USDC-") and symbol[8:].isdigit():
        return Asset(symbol, 6, AssetKind.CLAIM, "USDC")
    raise Refused(f"expected an instrument of the mandate, found {symbol!r}")


def registry(symbols: Iterable[str]) -> Mapping[str, Asset]:
    """Return every fixed instrument and those of `symbols`."""
    found = dict(_FIXED)
    for symbol in symbols:
        if symbol not in found:
            found[symbol] = _principal_token(symbol)
    return found
