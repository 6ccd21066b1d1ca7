"""A principal token is worth less than par until its day, and par from then on."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import NotMatured, Refused
from dynamic.protocols import pendle_v2
from dynamic.units import DAY_S, RAY, WAD, YEAR_S, parse_instant

NOW = st.integers(parse_instant("2018-01-01"), parse_instant("2035-01-01"))
PT = "PT-USDC-20240328"
MATURITY = parse_instant("2024-03-28")


@given(NOW, st.integers(0, 180))
def test_the_calendar_is_the_last_thursday_of_a_quarter(now_s: int, days: int) -> None:
    maturity = pendle_v2.first_maturity(now_s, days)
    day = datetime.fromtimestamp(maturity, UTC)
    assert maturity - now_s >= days * DAY_S
    assert maturity % DAY_S == 0
    assert day.month in (3, 6, 9, 12)
    assert day.weekday() == calendar.THURSDAY
    assert day.day + 7 > calendar.monthrange(day.year, day.month)[1]
    assert maturity - now_s <= (days + 99) * DAY_S
    assert pendle_v2.maturity_of(pendle_v2.symbol_of(maturity)) == maturity


@pytest.mark.parametrize(
    ("now", "symbol"),
    [
        ("2024-01-01", "PT-USDC-20240328"),
        ("2024-01-28", "PT-USDC-20240328"),  # exactly 60 days
        ("2024-01-28T00:00:01Z", "PT-USDC-20240627"),  # one second less
        ("2023-12-31", "PT-USDC-20240328"),
        ("2024-11-01", "PT-USDC-20250327"),  # December 26 is 55 days away
    ],
)
def test_the_first_maturity_is_at_least_sixty_days_away(now: str, symbol: str) -> None:
    assert pendle_v2.symbol_of(pendle_v2.first_maturity(parse_instant(now))) == symbol


@pytest.mark.parametrize(
    "symbol",
    ["PT-USDC-2024032", "PT-USDC-20240230", "PT-DAI-20240328", "PT-USDC-2024-3-8", "", "PT-USDC-"],
)
def test_a_foreign_symbol_is_refused(symbol: str) -> None:
    with pytest.raises(Refused, match="PT-USDC"):
        pendle_v2.maturity_of(symbol)


@given(st.integers(0, RAY), st.integers(0, 2 * YEAR_S), st.integers(1, DAY_S))
def test_price_rises_towards_par(apy: int, left: int, less: int) -> None:
    price = pendle_v2.price_wad(apy, left)
    assert 0 < price <= WAD
    assert price <= pendle_v2.price_wad(apy, max(left - less, 0)) <= WAD


def test_price_is_the_discount_of_a_year() -> None:
    assert pendle_v2.price_wad(RAY * 8 // 100, YEAR_S) == 925925925925925925
    assert pendle_v2.price_wad(RAY * 8 // 100, 0) == WAD
    assert pendle_v2.price_wad(RAY * 8 // 100, -1) == WAD


@pytest.mark.req("PM-11")
def test_pm_pt_valuation_is_the_exit_value_until_maturity() -> None:
    price = pendle_v2.price_wad(RAY * 8 // 100, YEAR_S // 4)
    exit_wad = pendle_v2.exit_rate_wad(price, 50, YEAR_S // 4)
    assert exit_wad == price * 9_950 // 10_000 < price < WAD
    assert pendle_v2.exit_rate_wad(price, 0, 1) == price
    assert pendle_v2.exit_rate_wad(WAD, 50, 1) < WAD  # a second before: still the haircut
    assert pendle_v2.exit_rate_wad(WAD, 50, 0) == WAD  # matured: par


def test_redeeming_early_is_a_typed_error() -> None:
    with pytest.raises(NotMatured, match="2024-03-28"):
        pendle_v2.redeemed(10, PT, MATURITY - 1)
    assert pendle_v2.redeemed(10, PT, MATURITY) == 10
    assert pendle_v2.redeemed(10, PT, MATURITY + 1) == 10
