"""A claim never exceeds what was supplied plus interest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.protocols import aave_v3
from dynamic.units import RAY, YEAR_S

UNITS = st.integers(1, 10**15)
INDEX = st.integers(RAY, 3 * RAY)


@given(UNITS, INDEX)
def test_a_fresh_supply_claims_at_most_itself(units: int, index: int) -> None:
    claim = aave_v3.claim(aave_v3.supplied_scaled(units, index), index)
    assert units - 1 - index // RAY <= claim <= units


@given(UNITS, INDEX, st.integers(0, 10**15))
def test_a_withdrawal_leaves_at_most_the_rest(units: int, index: int, asked: int) -> None:
    scaled = aave_v3.supplied_scaled(units, index)
    held = aave_v3.claim(scaled, index)
    asked = min(asked, held)
    left = scaled - aave_v3.withdrawn_scaled(asked, scaled, index)
    assert left >= 0
    assert held - asked - 1 - index // RAY <= aave_v3.claim(left, index) <= held - asked


@given(UNITS, INDEX)
def test_withdrawing_everything_leaves_nothing(units: int, index: int) -> None:
    scaled = aave_v3.supplied_scaled(units, index)
    taken = aave_v3.withdrawn_scaled(aave_v3.claim(scaled, index), scaled, index)
    assert aave_v3.claim(scaled - taken, index) == 0


@given(UNITS, INDEX, st.integers(0, RAY), st.integers(0, YEAR_S))
def test_claims_never_fall_with_time(units: int, index: int, apy: int, elapsed: int) -> None:
    scaled = aave_v3.supplied_scaled(units, index)
    later = aave_v3.index_at_apy(index, apy, elapsed)
    assert aave_v3.claim(scaled, later) >= aave_v3.claim(scaled, index) - 1


def test_a_hundred_thousand_at_3_9_percent_for_a_year() -> None:
    index = aave_v3.index_at_apy(RAY, RAY * 39 // 1000, YEAR_S)
    scaled = aave_v3.supplied_scaled(100_000_000_000, RAY)
    assert aave_v3.claim(scaled, index) == 103_899_999_999  # floored from 103 900.000000


@pytest.mark.parametrize(("units", "expected"), [(1, 0), (2, 1), (3, 2), (1_000_000, 999_999)])
def test_the_floor_is_one_unit(units: int, expected: int) -> None:
    index = RAY + RAY // 3
    assert aave_v3.claim(aave_v3.supplied_scaled(units, index), index) == expected
