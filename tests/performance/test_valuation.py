"""Values are exit values, floored, and never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import DataUnfit
from dynamic.performance.valuation import SCALE, unit_value_scaled
from dynamic.policy.proposal import Position
from dynamic.units import WAD
from tests.planning.treasury import (
    AAVE,
    ASSETS,
    CURVE,
    EXIT,
    MID,
    PRICES,
    PT,
    PT_SYMBOL,
    UNITS,
    USD,
    USDC,
    WBTC,
    WETH,
)


def value(place: Position, units: int, prices: dict[str, int], rates: dict[str, int]) -> int:
    """Value as a mark does: exact, then floored."""
    return units * unit_value_scaled(ASSETS[place.asset], prices, rates) // SCALE


@pytest.mark.req("PM-11")
def test_pm_pt_valuation_is_exit_not_par() -> None:
    assert value(PT, 80_000 * USD, PRICES, EXIT) == 78_008 * USD  # 0.98 less 50 bps, not 80 000
    assert value(PT, 80_000 * USD, PRICES, MID) == 78_400 * USD


def test_every_kind_of_asset() -> None:
    expected = {USDC: 5_000, AAVE: 100_000, WBTC: 40_000, WETH: 20_000, CURVE: 51_000}
    for place, usd in expected.items():
        assert value(place, UNITS[place], PRICES, EXIT) == usd * USD


@given(st.integers(1, 10**24), st.integers(1, 10**12))
def test_values_are_floored(units: int, price: int) -> None:
    exact = units * unit_value_scaled(ASSETS["WETH"], {"ETH": price}, {})
    assert exact * 10**18 == units * price * SCALE
    assert value(WETH, units, {"ETH": price}, {}) == units * price // 10**18


def test_a_stable_is_worth_its_price_and_what_is_unknown_is_not_zero() -> None:
    assert value(USDC, USD, {"USDC": 880_000}, {}) == 880_000
    with pytest.raises(DataUnfit, match="BTC"):
        value(WBTC, 1, {"ETH": 1}, {})
    with pytest.raises(DataUnfit, match=PT_SYMBOL):
        value(PT, 1, PRICES, {})
    assert value(WBTC, 1, {"BTC": 0}, {}) == 0  # zero is data


def test_a_wad_rate_of_one_is_par() -> None:
    one = unit_value_scaled(ASSETS[PT_SYMBOL], PRICES, {PT_SYMBOL: WAD})
    assert one == unit_value_scaled(ASSETS["USDC"], PRICES, {})
