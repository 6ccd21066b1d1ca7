"""Growth is exact to the last digits, monotone, and independent of the cadence."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.protocols.growth import exp_ray, growth_ray, log_rate_ray
from dynamic.units import DAY_S, RAY, YEAR_S

RATES = st.integers(0, 3 * RAY)


def test_known_values() -> None:
    assert exp_ray(0) == RAY
    assert exp_ray(RAY) == 2718281828459045235360287471
    assert exp_ray(-RAY) == 367879441171442321595523770
    assert log_rate_ray(RAY) == 693147180559945309417232121
    assert log_rate_ray(0) == 0


@given(st.integers(-5 * RAY, 5 * RAY))
def test_exp_agrees_with_decimal(x: int) -> None:
    with localcontext() as context:
        context.prec = 60
        exact = (Decimal(x) / RAY).exp() * RAY
    assert abs(exp_ray(x) - exact) <= max(1, exact / 10**24)
    assert exp_ray(x) <= exact


@given(RATES)
def test_a_year_at_an_apy_earns_the_apy(apy: int) -> None:
    earned = growth_ray(apy, YEAR_S) - RAY
    assert 0 <= apy - earned <= 1_000  # floored, and by less than 1e-24


@given(RATES, st.integers(0, 400 * DAY_S), st.integers(1, DAY_S))
def test_growth_never_falls_with_time(apy: int, elapsed: int, more: int) -> None:
    assert RAY - 1 <= growth_ray(apy, elapsed) <= growth_ray(apy, elapsed + more)


@given(st.integers(0, RAY // 2))
def test_growth_does_not_depend_on_the_cadence(apy: int) -> None:
    index = RAY
    for _ in range(24):
        index = index * growth_ray(apy, 3_600) // RAY
    assert abs(index - growth_ray(apy, DAY_S)) < 10**6  # 1e-21


@pytest.mark.parametrize("apy", [-RAY, -99 * RAY // 100 - 1, 100 * RAY + 1])
def test_an_absurd_rate_is_refused(apy: int) -> None:
    with pytest.raises(ValueError, match="rate"):
        log_rate_ray(apy)


def test_borders_of_the_rate_are_accepted() -> None:
    assert log_rate_ray(-99 * RAY // 100) < 0 < log_rate_ray(100 * RAY)


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="time"):
        growth_ray(0, -1)
    with pytest.raises(ValueError, match="exponent"):
        exp_ray(50 * RAY + 1)
