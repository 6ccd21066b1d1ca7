"""Units: integers of base units, micro-dollars, basis points and rays, with named rounding.

Standard library only. Nothing here knows what an asset is worth; it only knows how to
count without losing a unit.
"""

from dynamic.units.amounts import Amount, Asset, AssetKind
from dynamic.units.instants import DAY_S, HOUR_S, YEAR_S, iso, parse_instant
from dynamic.units.money import (
    USD_MICRO,
    format_gwei,
    format_usd,
    price_usd_micro,
    usd_decimal,
    usd_micro,
    value_usd_micro,
)
from dynamic.units.ratios import BPS, RAY, WAD, bps_of, fraction_to_ray, ratio_bps
from dynamic.units.rounding import Rounding, divide, quantise

__all__ = [
    "BPS",
    "DAY_S",
    "HOUR_S",
    "RAY",
    "USD_MICRO",
    "WAD",
    "YEAR_S",
    "Amount",
    "Asset",
    "AssetKind",
    "Rounding",
    "bps_of",
    "divide",
    "format_gwei",
    "format_usd",
    "fraction_to_ray",
    "iso",
    "parse_instant",
    "price_usd_micro",
    "quantise",
    "ratio_bps",
    "usd_decimal",
    "usd_micro",
    "value_usd_micro",
]
