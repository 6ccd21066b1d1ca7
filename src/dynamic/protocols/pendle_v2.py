"""Pendle v2 principal tokens, without I/O: a dollar at maturity, a discount before it.

    price  = (1 + implied apy) ** -(seconds to maturity / 365 d)     wad of USDC per PT, floored
    exit   = price * (1 - haircut)                                   what we value it at (C-11)
    redeem = 1.0, and only after maturity: before it there is `exit` or nothing

Our calendar is quarterly, `PT-USDC-YYYYMMDD` on the last Thursday of March, June, September
and December at 00:00 UTC. Source: Pendle `MarketMathCore` (implied rate), `redeemPyToToken`.
"""

import calendar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from dynamic.errors import NotMatured, Refused
from dynamic.protocols.growth import exp_ray, log_rate_ray
from dynamic.units import BPS, DAY_S, RAY, WAD, YEAR_S, iso

PREFIX: Final = "PT-USDC-"
MATURITY_MONTHS: Final = (3, 6, 9, 12)


@lru_cache(maxsize=1_024)
def _last_thursday_s(year: int, month: int) -> int:
    last = calendar.monthrange(year, month)[1]
    back = (calendar.weekday(year, month, last) - calendar.THURSDAY) % 7
    return int(datetime(year, month, last - back, tzinfo=UTC).timestamp())


@lru_cache(maxsize=1_024)
def symbol_of(maturity_s: int) -> str:
    """Return the symbol of the principal token that matures at this instant."""
    return PREFIX + datetime.fromtimestamp(maturity_s, UTC).strftime("%Y%m%d")


@lru_cache(maxsize=1_024)
def maturity_of(symbol: str) -> int:
    """Return the instant at which a principal token matures.

    Raises Refused where the symbol is not `PT-USDC-YYYYMMDD`.
    """
    try:
        if not symbol.startswith(PREFIX) or len(symbol) != len(PREFIX) + 8:
            raise ValueError
        day = datetime.strptime(symbol[len(PREFIX) :], "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        raise Refused(f"expected PT-USDC-YYYYMMDD, found {symbol!r}") from None
    return int(day.timestamp())


def first_maturity(now_s: int, days_min: int = 60) -> int:
    """Return the first maturity of our calendar at least `days_min` days away."""
    return _first_maturity_from(-(-(now_s + days_min * DAY_S) // DAY_S))


@lru_cache(maxsize=1_024)
def _first_maturity_from(day: int) -> int:
    """Return the first maturity on or after a day counted from 1970-01-01."""
    year = datetime.fromtimestamp(day * DAY_S, UTC).year
    for candidate in (year, year + 1):
        for month in MATURITY_MONTHS:
            maturity_s = _last_thursday_s(candidate, month)
            if maturity_s >= day * DAY_S:
                return maturity_s
    raise Refused(f"no maturity after day {day}")


def price_wad(implied_apy_ray: int, to_maturity_s: int) -> int:
    """Return the market price of one PT in USDC, floored; par from maturity on."""
    if to_maturity_s <= 0:
        return WAD
    return exp_ray(-(log_rate_ray(implied_apy_ray) * to_maturity_s // YEAR_S)) * WAD // RAY


def exit_rate_wad(market_price_wad: int, haircut_bps: int, to_maturity_s: int) -> int:
    """Return what one PT counts for: market price less the haircut, floored; par at maturity."""
    if to_maturity_s <= 0:
        return WAD
    return market_price_wad * (BPS - haircut_bps) // BPS


def redeemed(pt_units: int, symbol: str, now_s: int) -> int:
    """Return the USDC units a matured PT redeems for: one for one.

    Raises NotMatured before maturity, when the only way out is to sell.
    """
    maturity_s = maturity_of(symbol)
    if now_s < maturity_s:
        raise NotMatured(
            f"{symbol} matures at {iso(maturity_s)}, asked at {iso(now_s)}: sell it or wait"
        )
    return pt_units
