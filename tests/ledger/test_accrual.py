"""Interest by index: never a unit claimed too early."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import InvariantBroken
from dynamic.ledger.accrual import ScaledPosition, accrued_units, balance_units, scaled_for
from dynamic.units import RAY, Rounding

indexes = st.integers(RAY, 5 * RAY)
amounts = st.integers(0, 10**24)


@given(amounts, indexes)
def test_a_deposit_is_never_worth_more_than_was_paid(units: int, index: int) -> None:
    scaled = scaled_for(units, index, Rounding.DOWN)
    assert units - index // RAY - 1 <= balance_units(scaled, index) <= units


@given(amounts, indexes, st.data())
def test_a_withdrawal_never_leaves_too_much(units: int, index: int, data: st.DataObject) -> None:
    position = ScaledPosition(0, index).deposit(units)
    taken = data.draw(st.integers(0, position.units))
    assert 0 <= position.withdraw(taken).units <= position.units - taken


@given(amounts, indexes, st.integers(0, RAY))
def test_a_rising_index_only_adds(units: int, index: int, more: int) -> None:
    position = ScaledPosition(0, index).deposit(units)
    later = position.at(index + more)
    assert accrued_units(later.scaled_units, later.index_ray, position.units) >= 0


def test_five_percent_to_the_unit() -> None:
    position = ScaledPosition(0, RAY).deposit(1_000_000)
    assert position.at(RAY * 105 // 100).units == 1_050_000
    assert position.at(RAY * 105 // 100 - 1).units == 1_049_999
    assert accrued_units(1_000_000, RAY * 105 // 100, 1_000_000) == 50_000


def test_an_index_that_falls_is_a_lie() -> None:
    position = ScaledPosition(5, RAY + 1)
    assert position.at(RAY + 1) == position
    with pytest.raises(InvariantBroken, match="index fell"):
        position.at(RAY)
    with pytest.raises(InvariantBroken, match="expected to withdraw"):
        position.withdraw(position.units + 1)
