"""Aave v3, supply side, without I/O: what a deposit is worth after the index has grown.

    scaled = units / index       rounded down when we supply, up when we withdraw
    claim  = scaled * index      floored                    index: ray, 10**27 = 1.0

The contract rounds half up; we floor what we may claim, so a balance may read one unit less
just after a supply or a withdrawal. The events say the exact amount, and that unit is booked
as negative interest: nothing vanishes unnamed.

Source: aave-v3-origin `ScaledBalanceTokenBase`, `WadRayMath`.
"""

from dynamic.protocols.growth import growth_ray
from dynamic.units import RAY, Rounding, divide


def index_at_apy(index_ray: int, apy_ray: int, elapsed_s: int) -> int:
    """Grow the liquidity index at a published APY, compounding continuously, floored."""
    return index_ray * growth_ray(apy_ray, elapsed_s) // RAY


def supplied_scaled(base_units: int, index_ray: int) -> int:
    """Return the scaled balance minted for a supply, floored."""
    return divide(base_units * RAY, index_ray, Rounding.DOWN)


def withdrawn_scaled(base_units: int, scaled: int, index_ray: int) -> int:
    """Return the scaled balance burned for a withdrawal, rounded up, never more than `scaled`."""
    return min(divide(base_units * RAY, index_ray, Rounding.UP), scaled)


def scaled_of_claim(base_units: int, index_ray: int) -> int:
    """Return the scaled balance that claims `base_units`, rounded up.

    The index never falls below 1, so two scaled balances never claim the same; where none claims
    exactly that, the one returned claims more.
    """
    return divide(base_units * RAY, index_ray, Rounding.UP)


def claim(scaled: int, index_ray: int) -> int:
    """Return the base units a scaled balance may be withdrawn for now, floored."""
    return scaled * index_ray // RAY
