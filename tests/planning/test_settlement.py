"""A plan arrived or says why not, took its time, and moved what it was permitted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import InvariantBroken
from dynamic.planning.settlement import (
    bucket_deltas,
    check_realised,
    execution_seconds,
    verify,
)
from tests.planning.treasury import (
    AAVE,
    USD,
    USDC,
    WBTC,
    move,
    planned,
)


@pytest.mark.req("RB-11")
def test_rb_verify_within_half_a_point_or_explained() -> None:
    found = planned(move(AAVE, 10_000 * USD, WBTC))
    assert found is not None
    for btc, beyond in ((2_050, 0), (2_051, 2), (1_950, 0), (1_949, 2)):
        checked = verify(found, {"base_yield": 10_000 - btc, "btc": btc}, (), 50)
        assert [d.bps for d in checked.deviations] == [2_000 - btc, btc - 2_000]
        assert len(checked.beyond) == beyond
        assert checked.is_accounted_for is not bool(beyond)
        assert [d.bucket for d in checked.deviations] == ["base_yield", "btc"]
    explained = verify(found, {"base_yield": 10_000}, ("leg p1:2 reverted",), 50)
    assert len(explained.beyond) == 2
    assert explained.is_accounted_for


@pytest.mark.req("I-11", "I-9")
def test_what_settled_lies_within_its_preview() -> None:
    found = planned(move(USDC, 4_000 * USD, WBTC))
    assert found is not None
    leg = found.legs[0]
    spend, least = leg.spend_units, leg.receive_units_min
    check_realised(leg, {USDC: -spend, WBTC: least})
    check_realised(leg, {USDC: -spend, WBTC: least + 1})
    for moved in (
        {USDC: -spend - 1, WBTC: least},
        {USDC: -spend + 1, WBTC: least},
        {USDC: -spend, WBTC: least - 1},
        {USDC: -spend},
        {USDC: -spend, WBTC: least, AAVE: -1},
        {USDC: -spend, WBTC: least, AAVE: 0},
        {},
    ):
        with pytest.raises(InvariantBroken, match="p1:1"):
            check_realised(leg, moved)


@pytest.mark.req("RB-16", "C-60")
def test_rb_exec_time_counts_whole_plans_and_slices() -> None:
    found = planned(move(AAVE, 10_000 * USD, WBTC), units={AAVE: 10_000 * USD})
    assert found is not None
    at = {"p1:1": 1_100, "p1:2": 1_250}
    assert execution_seconds(found, 1_000, at, 6) == (250,)
    assert execution_seconds(found, 1_000, at, 2) == (250,)
    assert execution_seconds(found, 1_000, at, 1) == (100, 150)
    assert execution_seconds(found, 1_000, {}, 6) == ()


@pytest.mark.req("RB-01")
@given(st.lists(st.integers(0, 100), min_size=4, max_size=4))
def test_rb_delta_sums_to_zero(parts: list[int]) -> None:
    names = ("base_yield", "btc", "eth", "cash")
    target = dict(zip(names, parts, strict=True))
    current = dict(zip(names, reversed(parts), strict=True))
    deltas = bucket_deltas(current, target)
    assert sum(deltas.values()) == 0
    assert {n: current[n] + deltas[n] for n in names} == target
    with pytest.raises(InvariantBroken):
        bucket_deltas(current, {**target, "cash": target["cash"] + 1})
