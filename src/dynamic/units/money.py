"""USD as integer micro-dollars (1 USD = 1 000 000), prices as micro-dollars per whole token."""

from decimal import Decimal
from typing import Final

from dynamic.units.rounding import Rounding, divide, quantise

USD_MICRO: Final = 1_000_000


def usd_micro(usd: int | str | Decimal, rounding: Rounding = Rounding.DOWN) -> int:
    """Turn dollars, exactly written, into micro-dollars; floats are refused."""
    if isinstance(usd, float):
        raise TypeError("expected int, str or Decimal dollars, found a float")
    return quantise(Decimal(usd), USD_MICRO, rounding)


def usd_decimal(micro: int) -> Decimal:
    """Return micro-dollars as an exact Decimal of dollars, with six places."""
    return Decimal(micro).scaleb(-6)


def price_usd_micro(usd_per_token: float | Decimal | str, rounding: Rounding) -> int:
    """Quantise an observed price to micro-dollars per whole token."""
    value = Decimal(usd_per_token) if isinstance(usd_per_token, str) else usd_per_token
    return quantise(value, USD_MICRO, rounding)


def value_usd_micro(base_units: int, price_micro: int, decimals: int, rounding: Rounding) -> int:
    """Value base units at a price: `base_units * price / 10**decimals`, rounded as named."""
    return divide(base_units * price_micro, 10**decimals, rounding)


def format_usd(micro: int, places: int = 2) -> str:
    """Write micro-dollars for people: `$1,234.50`, `-$0.01`; rounded towards minus infinity."""
    sign = "-" if micro < 0 else ""
    scaled = divide(abs(micro), 10 ** (6 - places), Rounding.UP if micro < 0 else Rounding.DOWN)
    whole, rest = divmod(scaled, 10**places)
    return f"{sign}${whole:,}" + (f".{rest:0{places}d}" if places else "")


def format_gwei(wei: int) -> str:
    """Write a gas price for people: `104.2 gwei`, rounded up."""
    tenths = divide(wei, 10**8, Rounding.UP)
    return f"{tenths // 10:,}.{tenths % 10} gwei"
