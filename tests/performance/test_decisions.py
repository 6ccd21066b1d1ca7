"""Every decision is compared with doing nothing, net of costs, at 1, 7, 30 and 90 days."""

from __future__ import annotations

import pytest

from dynamic.errors import DataUnfit
from dynamic.performance.decisions import (
    HORIZONS_D,
    DecisionClass,
    Outcome,
    due,
    measure,
    quality,
    track,
)
from dynamic.units import DAY_S, RAY
from tests.planning.treasury import AAVE, ASSETS, GAS, NOW_S, PRICES, USD, USDC, WBTC

BEFORE = {WBTC: 10**8, USDC: 0, GAS: 10**18}
AFTER = {WBTC: 0, USDC: 39_900 * USD, GAS: 10**18 - 10**15}  # sold at 40 000 less costs, and gas


def sold() -> object:
    return track("d1", NOW_S, DecisionClass.TACTICAL, AFTER, BEFORE, {})


@pytest.mark.req("PF-09", "SG-26")
def test_pf_outcomes_are_due_at_each_horizon() -> None:
    tracked = track("d1", NOW_S, DecisionClass.TACTICAL, AFTER, BEFORE, {})
    assert HORIZONS_D == (1, 7, 30, 90)
    assert due(tracked, (), NOW_S + DAY_S - 1) == ()
    assert due(tracked, (), NOW_S + DAY_S) == (1,)
    assert due(tracked, (1,), NOW_S + 30 * DAY_S) == (7, 30)
    assert due(tracked, HORIZONS_D, NOW_S + 900 * DAY_S) == ()


@pytest.mark.req("PF-09", "C-46")
@pytest.mark.parametrize(
    ("btc", "added"),
    [
        (40_000, -102_000_000),  # no move: 100 USD of costs and 2 USD of gas
        (30_000, 9_898_000_000),  # sold before the fall
        (50_000, -10_102_000_000),  # sold too early
    ],
)
def test_pf_outcomes_are_net_of_costs(btc: int, added: int) -> None:
    tracked = track("d1", NOW_S, DecisionClass.TACTICAL, AFTER, BEFORE, {})
    prices = {**PRICES, "BTC": btc * USD}
    found = measure(tracked, 30, NOW_S + 30 * DAY_S, ASSETS, prices, {}, {})
    assert found == Outcome("d1", 30, NOW_S + 30 * DAY_S, added)


@pytest.mark.req("C-46")
def test_a_hold_counts_when_acting_would_have_been_worse() -> None:
    held = track("d1", NOW_S, DecisionClass.TACTICAL, BEFORE, AFTER, {})
    risen = {**PRICES, "BTC": 50_000 * USD}
    assert measure(held, 30, 0, ASSETS, risen, {}, {}).value_added_usd_micro == 10_102_000_000


def test_lent_money_grows_by_its_index() -> None:
    lent = track("d1", NOW_S, DecisionClass.YIELD, {AAVE: 1_000 * USD}, {USDC: 1_000 * USD},
                 {AAVE: RAY})  # fmt: skip
    later = {AAVE: RAY * 1_001 // 1_000}
    found = measure(lent, 7, NOW_S + 7 * DAY_S, ASSETS, PRICES, {}, later)
    assert found.value_added_usd_micro == USD


def test_an_unchanged_treasury_added_nothing() -> None:
    nothing = track("d1", NOW_S, DecisionClass.YIELD, BEFORE, BEFORE, {})
    assert nothing.difference == {}
    assert measure(nothing, 7, NOW_S, ASSETS, {}, {}, {}).value_added_usd_micro == 0


def test_what_has_no_price_is_not_scored() -> None:
    tracked = track("d1", NOW_S, DecisionClass.TACTICAL, AFTER, BEFORE, {})
    with pytest.raises(DataUnfit):
        measure(tracked, 30, NOW_S, ASSETS, {"USDC": USD}, {}, {})


def outcomes(good: int, bad: int, horizon_d: int = 30) -> list[tuple[DecisionClass, Outcome]]:
    return [
        (DecisionClass.TACTICAL, Outcome(f"d{n}", horizon_d, 0, 1 if n < good else 0))
        for n in range(good + bad)
    ]


@pytest.mark.req("PF-07", "C-46")
@pytest.mark.parametrize(
    ("good", "bad", "verdict"),
    [
        (29, 0, "insufficient"),
        (30, 0, "on_target"),
        (21, 9, "below_target"),  # exactly 70 % is not more than 70 %
        (22, 8, "on_target"),
        (0, 0, "insufficient"),
    ],
)
def test_pf_quality(good: int, bad: int, verdict: str) -> None:
    found = quality(outcomes(good, bad))
    assert found.verdict == verdict
    assert (found.good, found.closed) == (good, good + bad)
    assert (found.share is None) is (verdict == "insufficient")


@pytest.mark.req("PF-07", "C-46")
def test_pf_quality_each_class_is_scored_at_its_own_horizon() -> None:
    assert quality(outcomes(40, 0, horizon_d=7)).closed == 0
    weekly = [(DecisionClass.YIELD, o) for _, o in outcomes(40, 0, horizon_d=7)]
    assert quality(weekly).closed == 40
