"""Volatility: exact on hand-made series, indifferent to where the stream is cut."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import InvariantBroken, Refused
from dynamic.signals.volatility import (
    Ewma,
    decay_for_days,
    is_above_guard,
    realised,
)

prices = st.lists(st.integers(10**6, 10**11), min_size=2, max_size=60)


def ewma(path: list[int], decay: float = 0.94) -> Ewma:
    state = Ewma()
    for day, price in enumerate(path):
        state = state.with_close(day, price, decay)
    return state


@given(prices)
def test_ewma_equals_its_formula(path: list[int]) -> None:
    returns = [math.log(b / a) for a, b in itertools.pairwise(path)]
    weights = [0.94**k for k in range(len(returns))]
    variance = sum(w * r * r for w, r in zip(weights, reversed(returns), strict=True)) / sum(
        weights
    )
    found = ewma(path).annualised()
    assert found == pytest.approx(math.sqrt(variance * 365), rel=1e-9, abs=1e-12)


@given(prices, st.integers(0, 60))
def test_ewma_survives_a_restart_exactly(path: list[int], at: int) -> None:
    state = ewma(path[:at])
    restarted = Ewma.from_payload(state.to_payload())
    for day, price in enumerate(path[at:], start=at):
        state = state.with_close(day, price, 0.94)
        restarted = restarted.with_close(day, price, 0.94)
    assert state == restarted


@given(st.floats(0.001, 0.2))
def test_a_steady_swing_is_its_own_volatility(swing: float) -> None:
    path = [round(10**9 * math.exp(swing * (day % 2))) for day in range(40)]
    assert ewma(path).annualised() == pytest.approx(swing * math.sqrt(365), rel=1e-4)
    assert realised(path, 30) == pytest.approx(swing * math.sqrt(365), rel=1e-4)


def test_a_gap_spreads_its_return_over_its_days() -> None:
    gap = Ewma().with_close(0, 10**9, 0.9).with_close(4, round(10**9 * math.e), 0.9)
    assert gap.annualised() == pytest.approx(math.sqrt(365 / 4), rel=1e-6)


def test_nothing_known_is_none_and_the_guard_is_red() -> None:
    assert Ewma().annualised() is None
    assert ewma([10**6]).annualised() is None
    assert realised([10**6] * 30, 30) is None
    assert realised([10**6] * 31, 30) == 0.0
    assert is_above_guard(None, 4_000)
    assert is_above_guard(0.400001, 4_000)
    assert not is_above_guard(0.4, 4_000)


def test_the_same_day_twice_changes_nothing() -> None:
    state = ewma([10**6, 2 * 10**6])
    assert state.with_close(1, 5 * 10**6, 0.94) is state
    with pytest.raises(InvariantBroken):
        state.with_close(2, 0, 0.94)
    with pytest.raises(Refused):
        Ewma.from_payload("[1]")


def test_spans() -> None:
    assert decay_for_days(30) == pytest.approx(29 / 31)
