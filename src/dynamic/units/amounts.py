"""Assets and amounts: what is counted, and how many base units of it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from dynamic.units.rounding import Rounding, quantise


class AssetKind(StrEnum):
    """What moves the dollar value of an asset."""

    STABLE = "stable"  # pegged to the dollar; never worth exactly one by definition
    VOLATILE = "volatile"  # BTC and ETH, wrapped or native
    CLAIM = "claim"  # receipt whose worth in its underlying grows: PT, LP


@dataclass(frozen=True, slots=True)
class Asset:
    """One token: its symbol, its decimals, what it is, and the asset whose price it follows."""

    symbol: str
    decimals: int
    kind: AssetKind
    underlying: str  # priced as this symbol: WBTC -> BTC, WETH -> ETH, USDC -> USDC, LP -> USDC

    @property
    def one(self) -> int:
        """Base units of one whole token."""
        return int(10**self.decimals)

    def amount(self, whole: str | int | Decimal, rounding: Rounding = Rounding.DOWN) -> "Amount":
        """Make an amount from whole tokens, exactly written."""
        return Amount(self, quantise(Decimal(whole), self.one, rounding))


@dataclass(frozen=True, slots=True)
class Amount:
    """Some base units of one asset; never negative zero, never a float."""

    asset: Asset
    base_units: int

    def __str__(self) -> str:
        whole = Decimal(self.base_units).scaleb(-self.asset.decimals)
        return f"{whole.normalize():f} {self.asset.symbol}"
