"""Each leg may fail once; what is left is planned again from real balances."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import InvariantBroken
from dynamic.planning.planner import plan
from dynamic.planning.settlement import (
    bucket_deltas,
    check_realised,
    execute_rebalancing_plan,
    execution_seconds,
    ready_legs,
    remaining_proposal,
    verify,
)
from dynamic.policy.proposal import Move
from tests.planning.test_planner import move_sets
from tests.planning.treasury import (
    AAVE,
    CONTEXT,
    CURVE,
    RULES,
    UNITS,
    USD,
    USDC,
    WBTC,
    WETH,
    fair,
    move,
    planned,
    proposal,
    situation,
)


@pytest.mark.req("RB-18")
@given(move_sets(), st.integers(0, 40))
def test_rb_partial_failure_leaves_a_consistent_state(moves: tuple[Move, ...], broken: int) -> None:
    found = planned(*moves)
    if found is None:
        return
    broken %= len(found.legs)
    balances = dict(UNITS)

    def carry_out(leg):  # type: ignore[no-untyped-def]
        if leg.key == found.legs[broken].key:
            return False
        assert balances.get(leg.spend, 0) >= leg.spend_units
        balances[leg.spend] -= leg.spend_units
        balances[leg.receive] = balances.get(leg.receive, 0) + leg.receive_units_min
        return True

    ended = execute_rebalancing_plan(found, carry_out)
    assert ended.failed == (found.legs[broken].key,)
    together = {*ended.settled, *ended.failed, *ended.cancelled}
    assert together == {leg.key for leg in found.legs}
    assert len(ended.settled) + len(ended.failed) + len(ended.cancelled) == len(found.legs)
    assert all(units >= 0 for units in balances.values())

    rest = remaining_proposal(proposal(*moves), found, set(ended.settled), balances, USDC, 1)
    if rest is None:
        return
    spent: dict[object, int] = {}
    for one in rest.moves:
        spent[one.spend] = spent.get(one.spend, 0) + one.spend_units
    assert all(units <= balances.get(place, 0) for place, units in spent.items())
    left = {
        leg.spend: sum(o.spend_units for o in found.legs
                       if o.spend == leg.spend and o.key not in ended.settled)
        for leg in found.legs
    }  # fmt: skip
    assert all(units <= left.get(place, 0) for place, units in spent.items() if place != USDC)
    again = plan(rest, situation(balances), fair(), RULES, replace(CONTEXT, plan_id="p2"))
    assert again is None or all(leg.key.startswith("p2:") for leg in again.legs)


@pytest.mark.req("RB-18")
def test_rb_partial_failure_each_leg_index_once() -> None:
    units = {AAVE: 60_000 * USD, WETH: 10 * 10**18}
    found = planned(move(AAVE, 60_000 * USD, WBTC), move(WETH, 5 * 10**18, CURVE), units=units)
    assert found is not None
    assert len(found.legs) == 5
    # withdraw, sell, two clips of WBTC, curve: a failed release cancels exactly what it paid for
    expected = {0: {2, 3}, 1: {4}, 2: {3}, 3: set(), 4: set()}
    for index, leg in enumerate(found.legs):
        ended = execute_rebalancing_plan(found, lambda one, bad=leg.key: one.key != bad)
        assert ended.cancelled == tuple(found.legs[n].key for n in sorted(expected[index]))
        assert not ended.is_complete


@pytest.mark.req("RB-18")
def test_a_failed_purchase_is_proposed_again_from_the_wallet() -> None:
    units = {AAVE: 10_000 * USD}
    found = planned(move(AAVE, 10_000 * USD, WBTC), units=units)
    assert found is not None
    rest = remaining_proposal(proposal(), found, {found.legs[0].key}, {USDC: 10_000 * USD}, USDC, 2)
    assert rest is not None
    assert rest.key == "k1/rest2"
    assert rest.moves == (Move(USDC, 10_000 * USD, WBTC, 24_875_000),)
    short = remaining_proposal(proposal(), found, {found.legs[0].key}, {USDC: USD}, USDC, 2)
    assert short is not None
    assert short.moves == (Move(USDC, USD, WBTC, 2_488),)  # its own price, rounded up
    nothing_there = remaining_proposal(proposal(), found, {found.legs[0].key}, {}, USDC, 2)
    assert nothing_there is None
    done = {leg.key for leg in found.legs}
    assert remaining_proposal(proposal(), found, done, units, USDC, 2) is None


def test_an_untouched_plan_is_proposed_again_as_it_was() -> None:
    units = {AAVE: 10_000 * USD}
    found = planned(move(AAVE, 10_000 * USD, WBTC), units=units)
    assert found is not None
    rest = remaining_proposal(proposal(), found, set(), units, USDC, 1)
    assert rest is not None
    assert rest.moves == (Move(AAVE, 10_000 * USD, WBTC, 24_875_000),)


def test_ready_legs_wait_for_their_money() -> None:
    found = planned(move(AAVE, 10_000 * USD, WBTC), units={AAVE: 10_000 * USD})
    assert found is not None
    first, second = found.legs
    assert ready_legs(found, set(), set()) == (first,)
    assert ready_legs(found, {first.key}, {first.key}) == (second,)
    assert ready_legs(found, set(), {first.key}) == ()  # reverted: its money never came


@pytest.mark.req("RB-11")
def test_rb_verify_within_half_a_point_or_explained() -> None:
    found = planned(move(AAVE, 10_000 * USD, WBTC))
    assert found is not None
    for btc, beyond in ((2_050, 0), (2_051, 1), (1_950, 0), (1_949, 1)):
        checked = verify(found, {"base_yield": 8_000, "btc": btc}, (), 50)
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
    check_realised(leg, leg.spend_units, leg.receive_units_min)
    check_realised(leg, leg.spend_units, leg.receive_units_min + 1)
    for spent, received in (
        (leg.spend_units + 1, leg.receive_units_min),
        (leg.spend_units - 1, leg.receive_units_min),
        (leg.spend_units, leg.receive_units_min - 1),
    ):
        with pytest.raises(InvariantBroken, match="p1:1"):
            check_realised(leg, spent, received)


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
