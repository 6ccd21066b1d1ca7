"""Costs are rounded against us and unknown ones are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import Refused
from dynamic.planning.costs import (
    VenueCost,
    cost_model,
    gas_cost_usd_micro,
)
from dynamic.units import WAD
from tests.planning.treasury import GWEI, USD, costs

BPS_WAD = WAD // 10_000


@given(st.integers(0, 10**13), st.integers(0, 10**12), st.integers(0, 100), st.integers(0, 500))
def test_larger_never_costs_less(size: int, more: int, spread: int, impact: int) -> None:
    cost = VenueCost(5, spread, impact)
    assert cost.loss_wad(size) <= cost.loss_wad(size + more)
    assert cost.cost_usd_micro(size) <= cost.cost_usd_micro(size + more)


def test_exact_costs() -> None:
    cost = VenueCost(5, 5, 100)
    assert cost.loss_wad(0) == 5 * BPS_WAD
    assert cost.loss_wad(1_000_000 * USD) == 105 * BPS_WAD
    assert cost.loss_wad(10_000 * USD) == 6 * BPS_WAD
    assert cost.cost_usd_micro(10_000 * USD) == 11 * USD
    assert cost.cost_usd_micro(1) == 1  # never free
    assert cost.size_usd_micro_max(30) == 300_000 * USD
    assert VenueCost(0, 0, 0).size_usd_micro_max(30) is None


@pytest.mark.req("RB-13")
def test_rb_gas_estimate_rounds_up() -> None:
    assert gas_cost_usd_micro(180_000, 20 * GWEI, 2_000 * USD) == 7_200_000
    assert gas_cost_usd_micro(1, 1, 1) == 1
    assert gas_cost_usd_micro(0, 20 * GWEI, 2_000 * USD) == 0


def test_what_is_not_stated_is_refused() -> None:
    with pytest.raises(Refused, match="nowhere"):
        costs().venue("nowhere")
    with pytest.raises(Refused, match="stake:lido"):
        costs().gas_of("stake", "lido")
    with pytest.raises(Refused, match="half_spread_bps for curve"):
        cost_model({"curve": 1}, {}, {"curve": 1}, {})


def test_gas_of_a_venue_comes_before_gas_of_a_kind() -> None:
    model = cost_model({}, {}, {}, {"deposit": 1, "deposit:curve": 2})
    assert (model.gas_of("deposit", "curve"), model.gas_of("deposit", "aave_v3")) == (2, 1)
