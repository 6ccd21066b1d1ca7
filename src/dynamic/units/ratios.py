"""Ratios as integers: bps (1/10 000), wad (1e-18) and ray (1e-27)."""

from decimal import Decimal
from typing import Final

from dynamic.units.rounding import Rounding, divide, quantise

BPS: Final = 10_000
WAD: Final = 10**18
RAY: Final = 10**27


def ratio_bps(part: int, whole: int, rounding: Rounding) -> int:
    """Return `part / whole` in basis points; zero of nothing is zero."""
    if whole == 0 and part == 0:
        return 0
    return divide(part * BPS, whole, rounding)


def bps_of(amount: int, bps: int, rounding: Rounding) -> int:
    """Return `bps` basis points of `amount`."""
    return divide(amount * bps, BPS, rounding)


def fraction_to_ray(fraction: Decimal | float, rounding: Rounding) -> int:
    """Quantise a fraction (0.05 = 5 %) to a ray."""
    return quantise(fraction, RAY, rounding)
