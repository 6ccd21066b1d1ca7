"""The same capital, the same days, the same flows, without us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import DataUnfit
from dynamic.performance.benchmarks import NAMES, Benchmarks
from dynamic.units import DAY_S, YEAR_S, parse_instant

USD = 10**6
START = parse_instant("2024-01-01")
PRICES = {"BTC": 40_000 * USD, "ETH": 2_000 * USD}


def started(capital: int = 400_000 * USD) -> Benchmarks:
    return Benchmarks.start(capital, PRICES, START, 650)


@pytest.mark.req("PF-08")
def test_pf_benchmarks_after_a_year_of_doubling_bitcoin() -> None:
    found = started()
    # within the month nothing is put back; a year later it is, at the prices of that day
    values = found.step(START + YEAR_S, {"BTC": 80_000 * USD, "ETH": 2_000 * USD})
    assert set(values) == set(NAMES)
    assert values["static_yield"] == pytest.approx(426_000 * USD, abs=2)
    assert values["btc_hold"] == 800_000 * USD
    # 240 000 x 1.065 + 160 000 + 80 000, less the micro of a floor
    assert values["static_60_40"] == pytest.approx(495_600 * USD, abs=5)
    assert found.mix_yield_usd_micro == pytest.approx(297_360 * USD, abs=5)


@pytest.mark.req("PF-08")
def test_pf_benchmarks_rebalance_on_the_first_cycle_of_a_month_only() -> None:
    found = started()
    doubled = {"BTC": 80_000 * USD, "ETH": 2_000 * USD}
    found.step(START + 30 * DAY_S, doubled)
    assert found.mix_btc_wad == 2 * 10**18
    found.step(START + 31 * DAY_S, doubled)  # 1 February
    assert found.mix_btc_wad < 2 * 10**18
    kept = found.mix_btc_wad
    found.step(START + 32 * DAY_S, PRICES)
    assert found.mix_btc_wad == kept


@pytest.mark.req("PF-08")
@given(st.integers(-300_000, 500_000))
def test_pf_benchmarks_take_the_owners_flows_on_their_day(flow: int) -> None:
    plain, moved = started(), started()
    before = plain.step(START + DAY_S, PRICES)
    after = moved.step(START + DAY_S, PRICES, flow * USD)
    for name in NAMES:
        assert after[name] - before[name] == pytest.approx(flow * USD, abs=4)


@given(st.integers(1, 10**13))
def test_the_first_day_is_worth_the_capital(capital: int) -> None:
    for value in started(capital).step(START, PRICES).values():
        assert capital - 100_000 <= value <= capital  # floors of tokens, never a gain


def test_a_later_process_goes_on_from_the_payload() -> None:
    one = started()
    one.step(START + DAY_S, PRICES)
    two = Benchmarks.from_payload(one.payload())
    later = {"BTC": 41_234 * USD, "ETH": 2_345 * USD}
    assert one.step(START + 2 * DAY_S, later) == two.step(START + 2 * DAY_S, later)


def test_a_missing_price_is_not_a_benchmark() -> None:
    for gap in ({"BTC": 1}, {"ETH": 1}, {"BTC": 0, "ETH": 1}):
        with pytest.raises(DataUnfit, match="BTC and ETH"):
            started().step(START + DAY_S, gap)
