"""Returns, ratios and drawdowns against golden numbers; what cannot be known is None."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.performance.metrics import (
    Apy,
    NavPoint,
    against_target,
    apy,
    daily_returns,
    gas_bill,
    max_drawdown,
    money_weighted,
    sharpe,
    time_weighted,
    total_return,
    volatility,
    win_rate,
    windows,
    xirr,
)
from dynamic.units import DAY_S, HOUR_S, YEAR_S

USD = 10**6
NAVS = st.lists(st.integers(1_000 * USD, 1_000_000 * USD), min_size=2, max_size=40)


def points(*navs: int, step_s: int = DAY_S) -> list[NavPoint]:
    return [NavPoint(n * step_s, nav * USD) for n, nav in enumerate(navs)]


def with_deposit(navs: list[int], at: int, deposit: int) -> list[NavPoint]:
    """The same relative path, with a deposit arriving at one point."""
    found, scale = [], 1.0
    for n, nav in enumerate(navs):
        if n == at:
            before = nav * scale
            scale = (before + deposit) / nav
            found.append(NavPoint(n * DAY_S, round(before + deposit), deposit))
        else:
            found.append(NavPoint(n * DAY_S, round(nav * scale)))
    return found


@pytest.mark.req("PM-10")
@given(NAVS, st.data())
def test_pm_twr_a_deposit_of_50k_changes_nothing(navs: list[int], data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(navs) - 1))
    plain = time_weighted([NavPoint(n * DAY_S, nav) for n, nav in enumerate(navs)])
    moved = time_weighted(with_deposit(navs, at, 50_000 * USD))
    assert plain is not None
    assert moved == pytest.approx(plain, rel=1e-6, abs=1e-6)


@pytest.mark.req("PM-10")
def test_pm_twr_exact() -> None:
    path = [NavPoint(0, 400_000 * USD), NavPoint(DAY_S, 490_000 * USD, 50_000 * USD),
            NavPoint(2 * DAY_S, 490_000 * USD)]  # fmt: skip
    assert time_weighted(path) == pytest.approx(0.1)
    assert time_weighted(path[:1]) is None
    assert time_weighted(points(0, 5)) is None  # nothing grows out of nothing


@pytest.mark.req("PM-10")
def test_pm_twr_windows() -> None:
    hourly = points(*([100] * 24 + [110] * (24 * 6) + [121] * 25), step_s=HOUR_S)
    now_s = hourly[-1].at_s
    found = windows(hourly, now_s)
    assert found["24h"] == pytest.approx(0.0)
    assert found["7d"] == pytest.approx(0.1)  # from the hour of the first rise on
    assert found["30d"] is None  # eight days of history are not thirty
    assert found["all"] == pytest.approx(0.21)
    assert windows(hourly, now_s - 1)["24h"] == pytest.approx(0.1)  # starts an hour earlier


@pytest.mark.req("PF-01")
def test_pf_return_is_flow_adjusted_and_exact_in_dollars() -> None:
    path = [NavPoint(0, 400_000 * USD), NavPoint(DAY_S, 490_000 * USD + 1, 50_000 * USD)]
    found = total_return(path)
    assert found is not None
    assert found.gain_usd_micro == 40_000 * USD + 1
    assert found.fraction == pytest.approx(0.1)
    assert total_return([]) is None
    alone = total_return(path[:1])
    assert alone is not None
    assert (alone.gain_usd_micro, alone.fraction) == (0, None)


@pytest.mark.req("PF-02")
def test_pf_apy_is_not_annualised_under_thirty_days() -> None:
    for seconds, annual in ((30 * DAY_S - 1, False), (30 * DAY_S, True)):
        found = apy([NavPoint(0, 100 * USD), NavPoint(seconds, 101 * USD)])
        assert found is not None
        assert found.is_annualised is annual
    assert found.fraction == pytest.approx(1.01 ** (365 / 30) - 1)
    year = apy([NavPoint(0, 100 * USD), NavPoint(YEAR_S, 150 * USD)])
    assert year is not None
    assert year.fraction == pytest.approx(0.5)
    lost = apy([NavPoint(0, 100 * USD), NavPoint(YEAR_S, 0)])
    assert lost is not None
    assert lost.fraction == -1.0
    assert apy([]) is None


@pytest.mark.req("PF-02")
@pytest.mark.parametrize(
    ("fraction", "verdict"),
    [(0.2499, "below"), (0.25, "within"), (0.5, "within"), (0.5001, "above")],
)
def test_pf_apy_against_its_target(fraction: float, verdict: str) -> None:
    assert against_target(Apy(fraction, is_annualised=True, days=365.0), 0.25, 0.5) == verdict
    early = Apy(fraction, is_annualised=False, days=29.0)
    assert against_target(early, 0.25, 0.5) == "too_early"
    assert against_target(None, 0.25, 0.5) == "unknown"


@pytest.mark.req("PF-03")
def test_pf_sharpe_golden() -> None:
    daily = [0.01, -0.005, 0.002, 0.0, 0.007]
    mean, deviation = statistics.mean(daily), statistics.stdev(daily)
    assert sharpe(daily) == pytest.approx(mean / deviation * math.sqrt(365))
    assert sharpe(daily) == pytest.approx(9.0811, abs=1e-4)
    free = 1.05 ** (1 / 365) - 1
    assert sharpe(daily, 0.05) == pytest.approx((mean - free) / deviation * math.sqrt(365))
    assert volatility(daily) == pytest.approx(deviation * math.sqrt(365))
    assert sharpe([0.01]) is None
    assert sharpe([0.01, 0.01]) is None  # nothing varies
    assert sharpe([]) is None
    assert volatility([0.01]) is None
    assert volatility([0.01, 0.01]) == pytest.approx(0.0, abs=1e-15)


def test_daily_returns_are_between_the_last_points_of_days() -> None:
    half_days = [NavPoint(n * DAY_S // 2, nav * USD) for n, nav in
                 enumerate([90, 100, 105, 110, 120, 121])]  # fmt: skip
    assert daily_returns(half_days) == pytest.approx([0.1, 0.1])
    flow = [NavPoint(0, 100 * USD), NavPoint(DAY_S, 160 * USD, 50 * USD), NavPoint(3 * DAY_S, 160)]
    assert daily_returns(flow)[0] == pytest.approx(0.1)
    assert len(daily_returns(flow)) == 2  # the silent day is not filled
    assert daily_returns([]) == []
    assert daily_returns(points(100)) == []


@given(NAVS)
def test_daily_returns_compound_to_the_whole(navs: list[int]) -> None:
    path = [NavPoint(n * DAY_S, nav) for n, nav in enumerate(navs)]
    growth = math.prod(1 + r for r in daily_returns(path))
    assert growth - 1 == pytest.approx(time_weighted(path), rel=1e-9)


@pytest.mark.req("PF-04")
def test_pf_mdd_peak_to_trough() -> None:
    found = max_drawdown(points(100, 120, 90, 110, 130, 104))
    assert found is not None
    assert found.fraction == pytest.approx(0.25)
    assert (found.peak_at_s, found.trough_at_s) == (DAY_S, 2 * DAY_S)
    flat = max_drawdown(points(100, 100, 101))
    assert flat is not None
    assert flat.fraction == 0.0
    assert max_drawdown([]) is None


@pytest.mark.req("PF-04")
def test_pf_mdd_a_withdrawal_is_no_drawdown() -> None:
    path = [NavPoint(0, 100 * USD), NavPoint(DAY_S, 40 * USD, -60 * USD)]
    found = max_drawdown(path)
    assert found is not None
    assert found.fraction == 0.0


@given(NAVS)
def test_pf_mdd_agrees_with_the_definition(navs: list[int]) -> None:
    found = max_drawdown([NavPoint(n, nav) for n, nav in enumerate(navs)])
    brute = max(1 - low / high for n, high in enumerate(navs) for low in navs[n:])
    assert found is not None
    assert found.fraction == pytest.approx(brute, abs=1e-9)


def test_money_weighted_feels_the_timing_of_flows() -> None:
    year = YEAR_S
    no_flow = [NavPoint(0, 100 * USD), NavPoint(year, 110 * USD)]
    assert money_weighted(no_flow) == pytest.approx(0.1)
    # 100 for two years and 100 more for the second: 100 (1+r)^2 + 100 (1+r) = 231
    late = [NavPoint(0, 100 * USD), NavPoint(year, 210 * USD, 100 * USD),
            NavPoint(2 * year, 231 * USD)]  # fmt: skip
    assert money_weighted(late) == pytest.approx(0.1)
    bad = [NavPoint(0, 100 * USD), NavPoint(year, 300 * USD, 100 * USD),
           NavPoint(2 * year, 150 * USD)]  # fmt: skip
    twr, mwr = time_weighted(bad), money_weighted(bad)
    assert twr is not None
    assert mwr is not None
    assert twr == pytest.approx(0.0)  # doubled, then halved
    assert mwr < -0.15  # but more money was there for the halving


def test_money_weighted_is_none_where_it_is_undefined() -> None:
    assert money_weighted([]) is None
    assert money_weighted([NavPoint(5, 100), NavPoint(5, 110)]) is None
    assert money_weighted([NavPoint(0, 100), NavPoint(YEAR_S, 0)]) is None
    assert xirr([(0.0, -1.0), (1.0, -1.0)]) is None
    assert xirr([(0.0, -1.0), (1.0, 500.0)]) is None  # beyond 10 000 %


@given(st.floats(-0.9, 5.0), st.floats(0.1, 10.0))
def test_xirr_finds_the_rate_it_was_made_with(rate: float, years: float) -> None:
    assert xirr([(0.0, -1_000.0), (years, 1_000.0 * (1 + rate) ** years)]) == pytest.approx(
        rate, abs=1e-6
    )


@pytest.mark.req("PF-05")
def test_pf_winrate_counts_closed_plays_only() -> None:
    found = win_rate([5, -3, 0, 7])
    assert (found.won, found.closed, found.fraction) == (2, 4, 0.5)
    assert win_rate([]).fraction is None


@pytest.mark.req("PF-06")
def test_pf_gas_against_gains() -> None:
    assert gas_bill(100 * USD, 900 * USD).fraction == pytest.approx(0.1)
    assert gas_bill(100 * USD, -100 * USD).fraction is None
    assert gas_bill(0, 900 * USD).fraction == 0.0
