"""Values are exit values, floored, and never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import DataUnfit
from dynamic.performance.positions import position_views, shares_bps
from dynamic.performance.valuation import SCALE, rates_by_symbol, unit_value_scaled, value_positions
from dynamic.units import WAD
from tests.planning.treasury import (
    AAVE,
    ASSETS,
    CURVE,
    EXIT,
    LP_SYMBOL,
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


@pytest.mark.req("PM-11")
def test_pm_pt_valuation_is_exit_not_par() -> None:
    values = value_positions({PT: 80_000 * USD}, ASSETS, PRICES, EXIT)
    assert values[PT] == 78_008 * USD  # 0.98 less 50 bps, not 80 000
    no_haircut = value_positions({PT: 80_000 * USD}, ASSETS, PRICES, MID)
    assert no_haircut[PT] == 78_400 * USD


def test_every_kind_of_asset() -> None:
    values = value_positions(UNITS, ASSETS, PRICES, EXIT)
    assert values[USDC] == 5_000 * USD
    assert values[AAVE] == 100_000 * USD
    assert values[WBTC] == 40_000 * USD
    assert values[WETH] == 20_000 * USD
    assert values[CURVE] == 51_000 * USD


@given(st.integers(1, 10**24), st.integers(1, 10**12))
def test_values_are_floored(units: int, price: int) -> None:
    value = value_positions({WETH: units}, ASSETS, {"ETH": price}, {})[WETH]
    exact = units * unit_value_scaled(ASSETS["WETH"], {"ETH": price}, {})
    assert 0 <= exact - value * SCALE < SCALE
    assert value == units * price // 10**18


def test_a_stable_is_worth_its_price_and_nothing_is_left_out_silently() -> None:
    assert value_positions({USDC: USD}, ASSETS, {"USDC": 880_000}, {}) == {USDC: 880_000}
    assert value_positions({USDC: 0}, ASSETS, {}, {}) == {}
    with pytest.raises(DataUnfit, match="BTC"):
        value_positions({WBTC: 1}, ASSETS, {"ETH": 1}, {})
    with pytest.raises(DataUnfit, match=PT_SYMBOL):
        value_positions({PT: 1}, ASSETS, PRICES, {})
    assert value_positions({WBTC: 1}, ASSETS, {"BTC": 0}, {}) == {WBTC: 0}  # zero is data


def test_rates_are_read_by_symbol() -> None:
    found = rates_by_symbol({f"rate:{PT_SYMBOL}": 1, f"rate:curve:{LP_SYMBOL}": 2, "tvl:x": 3})
    assert found == {PT_SYMBOL: 1, LP_SYMBOL: 2}


@pytest.mark.req("PM-05")
def test_pm_position_schema() -> None:
    values = value_positions(UNITS, ASSETS, PRICES, EXIT)
    views = position_views(
        UNITS, values, {WBTC: 32_000 * USD, AAVE: 100_001 * USD}, {AAVE: 0.0}, {WBTC: 7}
    )
    assert views[0].value_usd == max(values.values())
    btc = next(view for view in views if view.asset == "WBTC")
    assert (btc.protocol, btc.amount, btc.value_usd) == ("wallet", 10**8, 40_000 * USD)
    assert (btc.apy, btc.entered_at, btc.current_return) == (None, 7, 2_500)
    lent = next(view for view in views if view.protocol == "aave_v3")
    assert (lent.apy, lent.current_return) == (0.0, -1)  # a loss is floored, zero apy is data
    assert next(v for v in views if v.asset == "WETH").current_return is None


@given(st.dictionaries(st.tuples(st.text(max_size=2), st.text(max_size=2)), st.integers(0, 10**15)))
def test_shares_sum_to_the_whole(values: dict[tuple[str, str], int]) -> None:
    shares = shares_bps(values)
    assert sum(shares.values()) == (10_000 if sum(values.values()) else 0)
    whole = sum(values.values())
    for holding, share in shares.items():
        assert abs(share * whole - values[holding] * 10_000) < whole


def test_a_wad_rate_of_one_is_par() -> None:
    one = unit_value_scaled(ASSETS[PT_SYMBOL], PRICES, {PT_SYMBOL: WAD})
    assert one == unit_value_scaled(ASSETS["USDC"], PRICES, {})
