"""Curve StableSwap-NG, two stablecoins, without I/O: what one-sided entry and exit give.

    LP out   = floor( in * (1 - fee) * (1 - loss) / virtual_price )
    USDC out = floor( LP * virtual_price * (1 - fee) * (1 - loss) )

`loss` stands for the imbalance a one-sided amount leaves in the pool; it is handed in, as
a wad, by whoever knows the pool or assumes it. The fee of one-sided entry and exit is half
the swap fee for two coins, fee * n / (4 (n-1)).

Source: StableSwap whitepaper; `add_liquidity`, `remove_liquidity_one_coin`, `get_virtual_price`.
The exact invariant belongs to the chain adapter, which asks `calc_token_amount` itself.
"""

from dynamic.protocols.growth import growth_ray
from dynamic.units import RAY, WAD, Rounding, divide


def virtual_price_after(virtual_price_wad: int, apy_ray: int, elapsed_s: int) -> int:
    """Grow the virtual price by the pool's yield, floored."""
    return virtual_price_wad * growth_ray(apy_ray, elapsed_s) // RAY


def fee_units(base_units: int, fee_wad: int) -> int:
    """Return the part of `base_units` the pool keeps as its fee, rounded up."""
    return divide(base_units * fee_wad, WAD, Rounding.UP)


def minted(
    coin_units: int, coin_decimals: int, lp_decimals: int, virtual_price_wad: int, loss_wad: int
) -> int:
    """Return the LP units for coins that already paid their fee, floored."""
    numerator = coin_units * int(10**lp_decimals) * (WAD - loss_wad)
    return numerator // (virtual_price_wad * int(10**coin_decimals))


def withdrawn(
    lp_units: int, lp_decimals: int, coin_decimals: int, virtual_price_wad: int, loss_wad: int
) -> int:
    """Return the coins for LP units that already paid their fee, floored."""
    numerator = lp_units * virtual_price_wad * (WAD - loss_wad) * int(10**coin_decimals)
    return numerator // (int(10**lp_decimals) * WAD * WAD)
