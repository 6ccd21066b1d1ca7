"""Rounding: every division of money says which way it falls.

There is no default. Code that pays rounds what it receives down and what it owes up, so
each lost fraction is lost to us and never claimed by us.
"""

import math
from decimal import Decimal
from enum import StrEnum


class Rounding(StrEnum):
    """Towards minus infinity, or towards plus infinity. Nothing is rounded half-anything."""

    DOWN = "down"
    UP = "up"


def divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Divide two integers, exactly, in the named direction."""
    if denominator <= 0:
        raise ValueError(f"expected a positive denominator, found {denominator}")
    if rounding is Rounding.DOWN:
        return numerator // denominator
    return -(-numerator // denominator)


def quantise(value: float | Decimal, scale: int, rounding: Rounding) -> int:
    """Turn an estimate into an integer of 1/`scale`, the one door from floats to money.

    Raises ValueError for NaN and infinities: a number we do not have is not zero.
    """
    # as_integer_ratio is exact for both kinds; the decimal context could round by itself.
    if not (math.isfinite(value) if isinstance(value, float) else value.is_finite()):
        raise ValueError(f"expected a finite number, found {value}")
    numerator, denominator = value.as_integer_ratio()
    return divide(numerator * scale, denominator, rounding)
