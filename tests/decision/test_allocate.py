"""The allocator: what it proposes the judge permits, and it never spends what is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic.decision.allocate import Request, base_targets, propose
from dynamic.policy.guardrails import Denial, Permit, judge
from dynamic.policy.proposal import Position, Proposal, Urgency
from dynamic.policy.situation import PastMove, Situation, SwitchState
from dynamic.signals.signal import AllocationSignal, Mode, Phase, RiskLevel, Trigger
from tests.policy.cases import (
    AAVE,
    BTC,
    CASH,
    GAS,
    LP,
    MANDATE,
    NOW,
    PT,
    PT_NAME,
    SAFE,
    WETH,
    U,
    amended,
    holding,
)

BUYS = Request("drift>5%", fixed_rate_asset=PT_NAME)
# Trades and authority are not what these tests are about.
ROOMY = amended(lambda t: t["trades"].__setitem__("per_day_max", 100))


def signal(crypto_bps: int, allows: bool = True) -> AllocationSignal:
    half = crypto_bps // 2
    target = {"base_yield": 10_000 - crypto_bps, "btc": half, "eth": crypto_bps - half, "cash": 0}
    return AllocationSignal(
        NOW, Phase.EUPHORIA, Mode.TACTICAL, target, crypto_bps * 10_000 // 4_000, 0.9, "MVRV 2.1",
        Trigger.DRIFT, (), RiskLevel.MEDIUM, allows,
    )  # fmt: skip


def flows(p: Proposal | None, s: Situation) -> dict[Position, int]:
    """Net dollars by position, at the situation's prices, rounded to a dollar."""
    net: dict[Position, int] = {}
    for m in p.moves if p else ():
        asset = s.assets[m.spend.asset]
        key = asset.symbol if asset.kind == "claim" else asset.underlying
        usd = round(m.spend_units * s.prices[key].usd_micro / asset.one / U)
        net[m.spend] = net.get(m.spend, 0) - usd
        net[m.receive] = net.get(m.receive, 0) + usd
    return net


@st.composite
def treasuries(draw: st.DrawFn) -> Situation:
    part = st.integers(0, 130_000)
    dollars = {place: draw(part) for place in (CASH, BTC, WETH, AAVE, PT, LP)}
    dollars[GAS] = draw(st.integers(0, 1_500))
    dollars[CASH] += 20_000
    s = holding(dollars)
    return replace(
        s,
        switch=draw(st.sampled_from([*[SwitchState.ACTIVE] * 2, SwitchState.REDUCING])),
        phase=draw(st.sampled_from(["euphoria", "top", "unknown"])),
        open_residues=draw(st.sampled_from([0, 0, 0, 1])),
        base_deployed_at_s=draw(st.sampled_from([NOW - 10**6, NOW - 10, None])),
        drawdown_paused=draw(st.sampled_from([False, False, True])),
        protocols=draw(st.sampled_from([s.protocols, {}, {"aave_v3": SAFE},
                                        {**s.protocols, "curve": replace(SAFE, is_paused=None)}])),
    )  # fmt: skip


requests = st.builds(
    Request, st.just("t"),
    urgency=st.sampled_from([Urgency.DISCRETIONARY, Urgency.DISCRETIONARY, Urgency.MANDATORY]),
    trade_usd_micro=st.none() | st.integers(-200_000 * U, 200_000 * U),
    sizing_bps=st.none() | st.integers(0, 4_000),
    rebalances_base=st.booleans(),
    fixed_rate_asset=st.sampled_from([PT_NAME, None]),
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(treasuries(), st.integers(0, 4_000), st.booleans(), requests)
def test_what_is_proposed_is_permitted(
    s: Situation, crypto_bps: int, allows: bool, request: Request
) -> None:
    """Only authority's sums, which want people or patience, may stop our own proposals."""
    p = propose(signal(crypto_bps, allows), s, ROOMY, request)
    if p is None:
        return
    verdict = judge(p, s, ROOMY)
    if isinstance(verdict, Denial):
        assert {f.rule for f in verdict.findings} <= {"authority"}, verdict.message


@settings(max_examples=150, deadline=None)
@given(treasuries(), st.integers(0, 4_000), st.booleans(), requests)
def test_never_spends_more_than_is_held(
    s: Situation, crypto_bps: int, allows: bool, request: Request
) -> None:
    p = propose(signal(crypto_bps, allows), s, MANDATE, request)
    spent: dict[Position, int] = {}
    for m in p.moves if p else ():
        assert m.spend_units > 0
        assert m.receive_units_min > 0
        spent[m.spend] = spent.get(m.spend, 0) + m.spend_units
    assert all(units <= s.units[place] for place, units in spent.items())
    assert GAS not in spent


@settings(max_examples=150, deadline=None)
@given(treasuries(), st.integers(0, 4_000), requests)
def test_never_buys_where_nothing_may_be_increased(
    s: Situation, crypto_bps: int, request: Request
) -> None:
    held_back = propose(signal(crypto_bps, allows=False), s, MANDATE, request)
    assert not any(m.receive in (BTC, WETH) for m in (held_back.moves if held_back else ()))
    lowered = replace(s, switch=SwitchState.REDUCING)
    reduced = propose(signal(crypto_bps), lowered, MANDATE, request)
    assert all(m.receive == CASH for m in (reduced.moves if reduced else ()))
    permitted = reduced is None or judge(reduced, lowered, ROOMY)
    assert permitted is True or isinstance(permitted, Permit | Denial)


@pytest.mark.req("PM-02", "PM-13", "C-09")
def test_pm_staged_deploy_fills_the_base_first() -> None:
    """The first proposal puts 240 000 to work by the mandate's weights and buys nothing."""
    fresh = holding({CASH: 400_000}, base_deployed_at_s=None)
    p = propose(signal(2_400), fresh, MANDATE, replace(BUYS, trigger="first_run"))
    net = flows(p, fresh)
    assert set(net) == {CASH, AAVE, PT, LP}
    assert net[CASH] == -240_000
    assert net[PT] == 79_992
    assert 99_000 < net[AAVE] <= 100_000  # 41.67 % is 100 008, and 25 % of NAV is the cap
    assert net[LP] == 240_000 - net[PT] - net[AAVE]
    assert p is not None
    permit = judge(p, fresh, MANDATE)
    assert isinstance(permit, Permit)
    assert permit.signatures_required == 2


@pytest.mark.req("RB-17", "GR-13")
def test_rb_slicing_of_a_purchase() -> None:
    s = holding({CASH: 175_000, AAVE: 99_000, PT: 75_000, LP: 50_000, GAS: 1_000})
    p = propose(signal(2_400), s, MANDATE, replace(BUYS, rebalances_base=False))
    assert p is not None
    net = flows(p, s)
    assert net == {CASH: -95_000, BTC: 47_500, WETH: 47_500}  # 24 % of 400 000, less the gas ETH
    permit = judge(p, s, MANDATE)
    assert isinstance(permit, Permit)
    assert len(p.moves) == 4


def test_a_purchase_is_paid_by_the_cheapest_exit() -> None:
    s = holding({CASH: 11_000, AAVE: 99_000, LP: 90_000, PT: 90_000, BTC: 60_000, WETH: 50_000})
    request = replace(BUYS, trade_usd_micro=40_000 * U, rebalances_base=False)
    net = flows(propose(signal(4_000), s, MANDATE, request), s)
    assert net == {CASH: -10_000, AAVE: -30_000, BTC: 15_000, WETH: 25_000}


@pytest.mark.req("GR-10", "PM-01")
def test_a_full_tactical_layer_stays_below_the_cap() -> None:
    s = holding({CASH: 160_000, AAVE: 99_000, LP: 70_000, PT: 70_000, GAS: 1_000})
    p = propose(signal(4_000), s, ROOMY, replace(BUYS, rebalances_base=False))
    assert p is not None
    permit = judge(p, s, ROOMY)
    assert isinstance(permit, Permit)
    assert 3_980 <= permit.effects.volatile_bps_after <= 3_990


@pytest.mark.req("RB-21")
def test_rb_proceeds() -> None:
    """Proceeds of tactical sells go to Aave first; what the caps turn away stays USDC."""
    s = holding({CASH: 21_000, BTC: 80_000, WETH: 79_000, AAVE: 80_000, PT: 70_000, LP: 70_000})
    ladder = Request("mvrv>3.5", Urgency.MANDATORY, rebalances_base=False, fixed_rate_asset=PT_NAME)
    p = propose(signal(2_400, allows=False), s, MANDATE, ladder)
    net = flows(p, s)
    sold = -net[BTC] - net[WETH]
    assert sold == 159_000 - 96_000
    assert abs((80_000 + net[BTC]) - (79_000 + net[WETH])) <= 1  # what remains is split in half
    assert set(net) == {BTC, WETH, AAVE, CASH}
    assert 80_000 + net[AAVE] <= 100_000
    assert net[CASH] == sold - net[AAVE]
    paused = replace(s, protocols={"aave_v3": replace(SAFE, is_paused=True)})
    home = flows(propose(signal(2_400, allows=False), paused, MANDATE, ladder), paused)
    assert set(home) == {BTC, WETH, CASH}


@pytest.mark.req("RB-21")
@pytest.mark.parametrize(("gwei", "lends"), [(100, True), (101, False), (None, False)])
def test_rb_proceeds_stay_usdc_while_gas_is_dear(gwei: int | None, lends: bool) -> None:
    """A reduction may pay more for gas than a deposit may: it must not fail for the deposit."""
    s = holding({CASH: 100_000, BTC: 80_000, WETH: 80_000, AAVE: 40_000, LP: 100_000})
    s = replace(s, gas_price_wei=None if gwei is None else gwei * 10**9)
    ladder = Request("mvrv>3.5", Urgency.MANDATORY, rebalances_base=False)
    net = flows(propose(signal(2_400, allows=False), s, MANDATE, ladder), s)
    assert (AAVE in net) is lends


def test_a_discretionary_sale_fills_the_base_up_to_its_caps() -> None:
    s = holding({CASH: 1_000, BTC: 80_000, WETH: 80_000, AAVE: 80_000, PT: 80_000, LP: 79_000})
    net = flows(propose(signal(0, allows=False), s, MANDATE, BUYS), s)
    assert (net[BTC], net[WETH]) == (pytest.approx(-80_000, abs=1), pytest.approx(-80_000, abs=1))
    for place, before in ((AAVE, 80_000), (PT, 80_000), (LP, 79_000)):
        assert 98_000 < before + net[place] <= 100_000
    assert net[CASH] == pytest.approx(160_000 - net[AAVE] - net[PT] - net[LP], abs=3)


def test_positions_above_the_trim_cap_are_trimmed_to_the_cap() -> None:
    s = holding({CASH: 100_000, AAVE: 104_001, PT: 96_000, LP: 99_999})
    p = propose(signal(0), s, MANDATE, replace(BUYS, rebalances_base=False))
    net = flows(p, s)
    assert set(net) == {AAVE, CASH}
    assert 104_001 + net[AAVE] <= 100_000
    at_26 = holding({CASH: 100_001, AAVE: 104_000, PT: 96_000, LP: 99_999})
    assert propose(signal(0), at_26, MANDATE, replace(BUYS, rebalances_base=False)) is None


def test_dust_is_not_worth_a_leg() -> None:
    s = holding({CASH: 1_999, BTC: 60_000, WETH: 60_000, AAVE: 99_000, PT: 99_000, LP: 80_002})
    near = replace(BUYS, trade_usd_micro=999 * U)
    assert propose(signal(3_000), s, MANDATE, replace(near, rebalances_base=False)) is None
    assert propose(signal(3_000), replace(s, nav_usd_micro=0), MANDATE, BUYS) is None


@pytest.mark.req("PM-12")
def test_working_cash_is_never_spent() -> None:
    s = holding({CASH: 400_000})
    p = propose(signal(4_000), s, ROOMY, BUYS)
    assert p is not None
    assert 398_000 * U < sum(m.spend_units for m in p.moves) <= 399_000 * U


@settings(max_examples=120, deadline=None)
@given(treasuries(), st.integers(0, 500_000))
def test_base_targets_stay_within_every_cap(s: Situation, total: int) -> None:
    targets = base_targets(total * U, s, MANDATE, PT_NAME)
    held = {p.location: v for p, v in s.values_usd_micro.items() if p.location != "wallet"}
    assert sum(targets.values()) <= max(total * U, 0) + 2
    for place, usd in targets.items():
        assert usd >= 0
        limit = max(s.nav_usd_micro // 4, held.get(place.location, 0))
        assert usd <= limit


@pytest.mark.req("GR-21", "I-17")
def test_the_base_is_filled_within_all_authority_and_the_rest_waits() -> None:
    """A treasury grown to 900 000 USD moves at most the ceiling of 400 000 into protocols a day."""
    rich = holding({CASH: 900_000, GAS: 1_000})
    found = propose(
        signal(0), rich, MANDATE, Request("drift>5%", trade_usd_micro=0, fixed_rate_asset=PT_NAME)
    )
    assert found is not None
    moved = sum(move.spend_units for move in found.moves)
    ceiling = MANDATE.authority.ceiling_usd_micro_max
    assert ceiling * 98 // 100 < moved <= ceiling
    assert isinstance(judge(found, rich, MANDATE), Permit)
    done = replace(rich, past_moves=(PastMove(rich.now_s - 60, "in", ceiling, True),))
    assert (
        propose(
            signal(0),
            done,
            MANDATE,
            Request("drift>5%", trade_usd_micro=0, fixed_rate_asset=PT_NAME),
        )
        is None
    )
