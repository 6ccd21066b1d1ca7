"""Fair value: a reference may pull a little when near, and makes us doubt when far."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.decision.fair_value import fair_value
from dynamic.decision.quote import SHIPPING, QuotingParameters
from dynamic.errors import Refused

prices = st.floats(1e-6, 1e6)


@given(prices, st.floats(-0.9, 0.9), prices, st.floats(0, 2))
def test_the_reference_never_moves_fair_value_beyond_its_bound(
    mid: float, adjustment: float, reference: float, weight: float
) -> None:
    found = fair_value(mid, adjustment, reference, QuotingParameters(basis_pull_weight=weight))
    shifted = mid * (1 + adjustment)
    assert abs(found.price / shifted - 1) <= 50e-4 * (1 + 1e-9)
    assert (found.doubt_bps > 0) == (abs(found.basis_bps) > 100)
    if found.doubt_bps:
        assert found.price == shifted  # doubted, never averaged in


@pytest.mark.parametrize(
    ("mid", "adjustment", "reference"),
    [(1.0, -1.0, 1.0), (1.0, -2.0, 1.0), (0.0, 0.0, 1.0), (1e308, 1.0, 1.0), (math.nan, 0.0, 1.0),
     (1.0, 0.0, 0.0), (1.0, 0.0, math.nan)],
)  # fmt: skip
def test_what_is_no_price_is_refused(mid: float, adjustment: float, reference: float) -> None:
    with pytest.raises(Refused):
        fair_value(mid, adjustment, reference, SHIPPING)


def test_a_far_reference_is_doubted_and_a_near_one_only_looked_at() -> None:
    at_gate = fair_value(1.01, 0.0, 1.0, SHIPPING)
    beyond = fair_value(1.0101, 0.0, 1.0, SHIPPING)
    assert (at_gate.basis_bps, at_gate.doubt_bps, at_gate.price) == (100.0, 0.0, 1.01)
    assert (beyond.basis_bps, beyond.doubt_bps, beyond.price) == (101.0, 4.0, 1.0101)
    assert fair_value(1.05, 0.0, 1.01, SHIPPING).basis_bps == pytest.approx(396.04, abs=5e-3)
    assert fair_value(0.98, 0.0, 1.0, SHIPPING).doubt_bps == 4.0  # either way


def test_the_adjustment_comes_before_the_basis() -> None:
    assert fair_value(1.0, 0.01, 1.01, SHIPPING).basis_bps == 0.0
    assert fair_value(1.0, 0.01, 1.01, SHIPPING).price == pytest.approx(1.01)


@pytest.mark.parametrize(
    ("weight", "mid", "pull"), [(0.5, 1.008, -40.0), (0.5, 0.992, 40.0), (1.0, 1.008, -50.0),
                                (1.0, 0.992, 50.0), (1.0, 1.02, 0.0)],
)  # fmt: skip
def test_a_near_reference_pulls_at_most_its_bound(weight: float, mid: float, pull: float) -> None:
    found = fair_value(mid, 0.0, 1.0, QuotingParameters(basis_pull_weight=weight))
    assert found.pull_bps == pytest.approx(pull)
    assert found.price == pytest.approx(mid * (1 + pull / 1e4))
