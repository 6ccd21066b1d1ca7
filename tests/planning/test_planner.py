"""The planner's laws: funds exist before they are spent, nothing exceeds the permit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import DataUnfit, Refused
from dynamic.planning.fair_value import FairValue, min_out
from dynamic.planning.plan import LegKind, Plan
from dynamic.planning.planner import estimate_gas_costs, plan
from dynamic.planning.validity import is_authentic
from dynamic.policy.proposal import Move, Position, Urgency
from tests.planning.treasury import (
    AAVE,
    ASSETS,
    CONTEXT,
    CURVE,
    EXIT,
    GAS,
    GWEI,
    MID,
    NOW_S,
    PLACES,
    PRICES,
    PT,
    PT_SYMBOL,
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


@st.composite
def move_sets(draw: st.DrawFn) -> tuple[Move, ...]:
    """Moves between any two places that together spend at most what is held."""
    left = dict(UNITS)
    moves = []
    for _ in range(draw(st.integers(1, 6))):
        spend = draw(st.sampled_from(PLACES))
        receive = draw(st.sampled_from([p for p in PLACES if p != spend]))
        units = draw(st.integers(0, left[spend]))
        left[spend] -= units
        if units:
            moves.append(move(spend, units, receive))
    return tuple(moves)


def simulate(found: Plan, units: dict[Position, int]) -> dict[Position, int]:
    """Carry out the legs on their least; fail where one spends what is not there."""
    balances = dict(units)
    for leg in found.legs:
        assert balances.get(leg.spend, 0) >= leg.spend_units, leg
        balances[leg.spend] -= leg.spend_units
        balances[leg.receive] = balances.get(leg.receive, 0) + leg.receive_units_min
    return balances


@pytest.mark.req("RB-02")
@given(move_sets())
def test_rb_order_never_spends_funds_not_yet_available(moves: tuple[Move, ...]) -> None:
    found = planned(*moves)
    if found is None:
        return
    simulate(found, UNITS)
    order = {LegKind.WITHDRAW: 0, LegKind.REDEEM: 0, LegKind.SWAP: 1, LegKind.DEPOSIT: 3}
    ranks = [
        2 if leg.kind is LegKind.SWAP and leg.spend == USDC else order[leg.kind]
        for leg in found.legs
    ]
    assert ranks == sorted(ranks)  # withdraw, sell, buy, deposit
    seen: set[str] = set()
    for leg in found.legs:
        assert set(leg.after) <= seen  # topological
        seen.add(leg.key)
    assert len(seen) == len(found.legs)


@pytest.mark.req("RB-02")
@given(move_sets(), st.randoms(use_true_random=False))
def test_rb_order_holds_for_every_order_that_respects_after(moves: tuple[Move, ...], rng) -> None:  # type: ignore[no-untyped-def]
    found = planned(*moves)
    if found is None:
        return
    settled: list[str] = []
    left = list(found.legs)
    balances = dict(UNITS)
    while left:
        ready = [leg for leg in left if set(leg.after) <= set(settled)]
        leg = rng.choice(ready)
        assert balances.get(leg.spend, 0) >= leg.spend_units
        balances[leg.spend] -= leg.spend_units
        balances[leg.receive] = balances.get(leg.receive, 0) + leg.receive_units_min
        settled.append(leg.key)
        left.remove(leg)


@pytest.mark.req("I-9", "RB-14")
@given(move_sets())
def test_children_never_exceed_the_permit(moves: tuple[Move, ...]) -> None:
    found = planned(*moves)
    if found is None:
        return
    spent: dict[Position, int] = {}
    for leg in found.legs:
        if leg.spend != USDC:
            spent[leg.spend] = spent.get(leg.spend, 0) + leg.spend_units
    permitted: dict[Position, int] = {}
    for one in moves:
        permitted[one.spend] = permitted.get(one.spend, 0) + one.spend_units
    assert all(units <= permitted.get(position, 0) for position, units in spent.items())


@pytest.mark.req("GR-24")
@given(move_sets())
def test_gr_min_out_is_never_below_our_fair_value_less_tolerance(moves: tuple[Move, ...]) -> None:
    found = planned(*moves)
    if found is None:
        return
    for leg in found.legs:
        sound = fair().exchanged(leg.spend.asset, leg.spend_units, leg.receive.asset, at_exit=True)
        assert leg.receive_units_min * 10_000 >= sound * (10_000 - leg.slippage_bps_max)
        assert leg.slippage_bps_max <= 50
        assert leg.receive_units_min <= leg.receive_units_expected


@pytest.mark.req("GR-24")
def test_gr_min_out_rounds_up() -> None:
    assert min_out(10_000, 50) == 9_950
    assert min_out(10_001, 50) == 9_951  # 9950.995
    assert min_out(1, 50) == 1
    assert min_out(0, 50) == 0


@pytest.mark.req("GR-24")
def test_gr_min_out_follows_a_stricter_permit() -> None:
    ours = planned(move(WBTC, 10**7, USDC))
    assert ours is not None
    assert ours.legs[0].receive_units_min == 3_980 * USD
    theirs = planned(move(WBTC, 10**7, USDC, 3_990 * USD))
    assert theirs is not None
    assert theirs.legs[0].receive_units_min == 3_990 * USD
    with pytest.raises(Refused, match="at least 4000000000 are required"):
        planned(move(WBTC, 10**7, USDC, 4_000 * USD))


@pytest.mark.req("GR-24")
def test_gr_min_out_of_a_permit_holds_across_clips_and_routes() -> None:
    found = planned(move(CURVE, 20_000 * 10**18, WBTC, 50_600_000))  # 20 400 USD, 0.51 BTC fair
    assert found is not None
    last = [leg for leg in found.legs if leg.receive == WBTC]
    paid = sum(leg.spend_units for leg in last)
    least = sum(leg.receive_units_min for leg in last)
    assert least * 20_400 * USD >= 50_600_000 * paid  # never a worse price than permitted


@pytest.mark.req("RB-17", "GR-13")
def test_rb_slicing_at_the_clip_and_one_unit_beyond() -> None:
    impact_free = replace(RULES, impact_bps_max=10_000)
    for sats, clips in ((10**8, 1), (10**8 + 1, 2), (2 * 10**8, 2), (2 * 10**8 + 1, 3)):
        found = plan(
            proposal(move(WBTC, sats, USDC)), situation({WBTC: sats}), fair(), impact_free, CONTEXT
        )
        assert found is not None
        assert len(found.legs) == clips
        assert sum(leg.spend_units for leg in found.legs) == sats
        assert all(leg.notional_usd_micro <= 40_000 * USD for leg in found.legs)
        for before, after in zip(found.legs, found.legs[1:], strict=False):
            assert before.key in after.after


@pytest.mark.req("RB-17")
@given(st.integers(10**6, 50 * 10**8), st.integers(10, 1_000), st.integers(1, 300))
def test_rb_slicing_keeps_impact_within_its_limit(sats: int, impact: int, limit: int) -> None:
    costs = RULES.costs
    venue = replace(costs.venues["oneinch"], impact_bps_per_million=impact)
    model = replace(costs, venues={**costs.venues, "oneinch": venue})
    rules = replace(
        RULES, costs=model, impact_bps_max=limit, slippage_volatile_bps=10_000, leg_usd_micro_min=0,
        leg_gas_multiple_min=0,
    )  # fmt: skip
    found = plan(proposal(move(WBTC, sats, USDC)), situation({WBTC: sats}), fair(), rules, CONTEXT)
    assert found is not None
    for leg in found.legs[:3]:
        assert leg.notional_usd_micro <= 40_000 * USD + 40_000  # a satoshi of rounding
        assert impact * leg.notional_usd_micro <= (limit * 10**6 + impact) * USD


@pytest.mark.req("RB-14")
def test_rb_gas_opt_skips_legs_below_the_minimum() -> None:
    cheap = situation(gas_price_wei=1)
    for units, legs in ((1_000 * USD, 1), (1_000 * USD - 1, 0)):
        found = plan(proposal(move(AAVE, units, USDC)), cheap, fair(), RULES, CONTEXT)
        assert (0 if found is None else len(found.legs)) == legs


@pytest.mark.req("RB-14")
def test_rb_gas_opt_skips_legs_below_twenty_times_their_gas() -> None:
    # 230 000 gas x 200 gwei x 2 000 USD = 92 USD; twenty times it is 1 840 USD.
    dear = situation(gas_price_wei=200 * GWEI)
    for units, legs in ((1_840 * USD, 1), (1_840 * USD - 1, 0)):
        found = plan(proposal(move(AAVE, units, USDC)), dear, fair(), RULES, CONTEXT)
        assert (0 if found is None else len(found.legs)) == legs


@pytest.mark.req("RB-14")
def test_rb_gas_opt_maintenance_is_never_too_small() -> None:
    top_up = proposal(move(USDC, 500 * USD, GAS), urgency=Urgency.MAINTENANCE)
    found = plan(top_up, situation(), fair(), RULES, CONTEXT)
    assert found is not None
    assert [leg.receive for leg in found.legs] == [GAS]
    small = replace(top_up, urgency=Urgency.DISCRETIONARY)
    assert plan(small, situation(), fair(), RULES, CONTEXT) is None


@pytest.mark.req("RB-14")
def test_rb_gas_opt_nets_opposite_moves() -> None:
    found = planned(move(AAVE, 30_000 * USD, WBTC), move(WETH, 10 * 10**18, AAVE))
    assert found is not None
    kinds = [(leg.kind, leg.spend, leg.receive) for leg in found.legs]
    assert (LegKind.DEPOSIT, USDC, AAVE) not in kinds
    withdrawn = [leg for leg in found.legs if leg.kind is LegKind.WITHDRAW]
    assert [leg.spend_units for leg in withdrawn] == [30_000 * USD - 19_900 * USD]


@pytest.mark.req("RB-14")
@given(move_sets())
def test_rb_gas_opt_is_never_dearer_than_each_move_by_itself(moves: tuple[Move, ...]) -> None:
    found = planned(*moves)
    naive = 0
    for one in moves:
        alone = planned(one, leg_usd_micro_min=USD, leg_gas_multiple_min=0)  # dust cannot trade
        naive += 0 if alone is None else estimate_gas_costs(alone, 20 * GWEI, 2_000 * USD)
    assert (0 if found is None else found.gas_cost_usd_micro) <= naive


@pytest.mark.req("RB-03", "RB-04", "RB-13")
def test_rb_plan_schema_and_gas_estimate() -> None:
    found = planned(move(AAVE, 10_000 * USD, WBTC))
    assert found is not None
    assert found.plan_id == "p1"
    assert (found.current_bps, found.target_bps) == (CONTEXT.current_bps, CONTEXT.target_bps)
    assert len(found.legs) == 2
    # (230 000 + 180 000) gas x 20 gwei = 0.0082 ETH x 2 000 USD
    assert found.gas_cost_usd_micro == 16_400_000
    assert estimate_gas_costs(found, 20 * GWEI, 2_000 * USD) == 16_400_000
    assert estimate_gas_costs(found, 1, 1) == 1  # rounded up, never free
    assert found.slippage_cost_usd_micro == 11_000_000  # 5 + 5 + 1 bps of 10 000 USD
    assert found.gross_usd_micro == 10_000 * USD  # released and spent again: moved once
    assert not found.requires_approval
    assert found.risk_level == "low"
    leg = found.legs[1]
    assert (leg.kind, leg.venue, leg.spend.asset, leg.receive.asset) == (
        LegKind.SWAP, "oneinch", "USDC", "WBTC",
    )  # fmt: skip
    assert leg.slippage_bps_max == 50
    assert leg.gas_units == 180_000


@pytest.mark.req("RB-20", "GV-01")
def test_rb_plan_ttl_is_thirty_minutes_or_the_approvals() -> None:
    found = planned(move(AAVE, 10_000 * USD, WBTC))
    assert found is not None
    assert found.valid_until_s == NOW_S + 1_800
    asked = plan(
        proposal(move(AAVE, 10_000 * USD, WBTC)), situation(), fair(), RULES,
        replace(CONTEXT, signatures_required=1),
    )  # fmt: skip
    assert asked is not None
    assert asked.requires_approval
    assert asked.valid_until_s == NOW_S + 86_400


@pytest.mark.req("RB-07")
def test_rb_signal_immediate_the_planner_knows_no_cool_down() -> None:
    first = planned(move(WBTC, 10**7, USDC))
    again = plan(
        proposal(move(WBTC, 10**7, USDC)), situation(now_s=NOW_S + 1), fair(), RULES, CONTEXT
    )
    assert first is not None
    assert again is not None
    assert first.legs == again.legs


@pytest.mark.req("RB-21")
def test_rb_proceeds_of_a_sale_reach_the_base_layer() -> None:
    found = planned(move(WBTC, 10**7, AAVE), units={WBTC: 10**7})
    assert found is not None
    assert [(leg.kind, leg.receive) for leg in found.legs] == [
        (LegKind.SWAP, USDC), (LegKind.DEPOSIT, AAVE),
    ]  # fmt: skip
    assert found.legs[1].spend_units == found.legs[0].receive_units_min
    assert found.legs[1].after == (found.legs[0].key,)


def test_a_matured_principal_token_is_redeemed_one_for_one() -> None:
    maturity = 1_711_584_000
    rates = {**EXIT, PT_SYMBOL: 10**18}
    at_par = FairValue(ASSETS, PRICES, {**MID, PT_SYMBOL: 10**18}, rates)
    for now_s, kind in ((maturity - 1, LegKind.WITHDRAW), (maturity, LegKind.REDEEM)):
        found = plan(
            proposal(move(PT, 80_000 * USD, USDC)), situation(now_s=now_s), at_par, RULES, CONTEXT
        )
        assert found is not None
        assert {leg.kind for leg in found.legs} == {kind}
    assert found is not None
    assert [leg.receive_units_min for leg in found.legs] == [80_000 * USD]


def test_a_digest_covers_every_field() -> None:
    found = planned(move(AAVE, 10_000 * USD, WBTC))
    assert found is not None
    assert is_authentic(found)
    changed = [
        replace(found, signatures_required=1),
        replace(found, valid_until_s=found.valid_until_s + 1),
        replace(found, reference_prices={**found.reference_prices, "BTC": 1}),
        replace(found, target_bps={"btc": 1}),
        replace(found, mandate_digest="other"),
        replace(found, legs=found.legs[:1]),
    ]
    leg = found.legs[1]
    altered_legs = (
        replace(leg, spend_units=leg.spend_units + 1),
        replace(leg, receive_units_min=leg.receive_units_min - 1),
        replace(leg, receive=WETH),
        replace(leg, venue="elsewhere"),
        replace(leg, after=()),
    )
    changed += [replace(found, legs=(found.legs[0], altered)) for altered in altered_legs]
    assert not any(is_authentic(one) for one in changed)
    assert len({one.digest for one in changed}) == 1


def test_what_is_not_known_is_not_planned() -> None:
    moves = proposal(move(AAVE, 10_000 * USD, PT))
    no_rate = FairValue(ASSETS, PRICES, {}, {})
    with pytest.raises(DataUnfit, match=PT_SYMBOL):
        plan(moves, situation(), no_rate, RULES, CONTEXT)
    no_price = FairValue(ASSETS, {"USDC": USD, "ETH": USD}, MID, EXIT)
    with pytest.raises(DataUnfit, match="WBTC"):
        plan(proposal(move(WBTC, 10**7, USDC)), situation(), no_price, RULES, CONTEXT)


def test_spending_more_than_is_held_is_refused() -> None:
    with pytest.raises(Refused, match="aave_v3:USDC"):
        planned(move(AAVE, 60_000 * USD, WBTC), move(AAVE, 40_000 * USD + 1, WETH))


def test_an_empty_proposal_is_no_plan() -> None:
    assert planned() is None
    assert planned(move(AAVE, 0, USDC)) is None
