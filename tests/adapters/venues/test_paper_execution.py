"""What a leg brings in the paper world: exact numbers, rounded against us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import DataUnfit, Refused
from dynamic.planning.plan import LegKind
from dynamic.policy.proposal import Position
from dynamic.units import DAY_S, RAY, WAD, YEAR_S
from tests.adapters.venues.world import (
    buy,
    buy_pt,
    funded,
    join_pool,
    leg,
    lend,
    market,
    order,
)
from tests.planning.treasury import (
    AAVE,
    CURVE,
    GAS,
    GWEI,
    NOW_S,
    PT,
    PT_SYMBOL,
    USD,
    USDC,
    WBTC,
    WETH,
)

MATURITY = 1_711_584_000


def test_a_swap_pays_fee_spread_and_impact() -> None:
    venue = funded()
    receipt = venue.send(order("a", buy(10_000 * USD)), NOW_S)
    assert receipt is not None
    # 10 000 - 5 (fee) = 9 995 USDC; less 5 + 1 bps; at 40 000
    assert [m.base_units for m in receipt.movements] == [-10_000 * USD, 24_972_507]
    assert receipt.movements[1].base_units == 9_995 * 9_994 * 10**8 // (10_000 * 40_000)
    assert receipt.fee is not None
    assert (receipt.fee.position, receipt.fee.base_units) == (USDC, 5 * USD)
    assert (receipt.gas_units, receipt.gas_price_wei) == (180_000, 20 * GWEI)
    assert venue.balances(NOW_S)[GAS] == 10**18 - 180_000 * 20 * GWEI


def test_a_fee_is_rounded_up() -> None:
    for units, fee in ((1_000_000, 500), (1_000_001, 501)):
        receipt = funded().send(order("a", buy(units)), NOW_S)
        assert receipt is not None
        assert receipt.fee is not None
        assert receipt.fee.base_units == fee


@given(st.integers(1, 200_000 * USD))
def test_there_and_back_never_gains(units: int) -> None:
    venue = funded()
    first = venue.send(order("a", buy(units)), NOW_S)
    assert first is not None
    if first.reverted:
        return
    got = first.movements[1].base_units
    back = venue.send(order("b", leg(LegKind.SWAP, "oneinch", WBTC, got, USDC)), NOW_S)
    assert back is not None
    assert back.reverted or back.movements[1].base_units <= units


@pytest.mark.req("GR-24")
def test_gr_min_out_reverts_one_unit_below_the_least() -> None:
    for least, reverted in ((24_972_507, False), (24_972_508, True)):
        receipt = funded().send(order("a", buy(10_000 * USD, least)), NOW_S)
        assert receipt is not None
        assert receipt.reverted is reverted
    assert receipt.movements == ()
    assert "at least 24972508" in receipt.reason


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (buy(200_000 * USD + 1), "insufficient"),
        (leg(LegKind.SWAP, "oneinch", WETH, 10 * 10**18 + 1, USDC), "insufficient"),
        (leg(LegKind.SWAP, "oneinch", USDC, 1_000, Position("wallet", PT_SYMBOL)), "no swap"),
        (leg(LegKind.SWAP, "aave_v3", USDC, 1_000, WBTC), "no route"),
        (leg(LegKind.DEPOSIT, "aave_v3", USDC, 1_000, WBTC), "no route"),
        (leg(LegKind.DEPOSIT, "curve", WBTC, 1_000, CURVE), "no route"),
        (leg(LegKind.WITHDRAW, "aave_v3", AAVE, 1, USDC), "insufficient"),
        (leg(LegKind.SWAP, "oneinch", USDC, 0, WBTC), "nothing to spend"),
        (leg(LegKind.REDEEM, "pendle_v2", PT, 1, USDC), "matures at 2024-03-28"),
        (leg(LegKind.REDEEM, "curve", CURVE, 1, USDC), "nothing to redeem"),
    ],
)
def test_a_revert_moves_nothing_but_gas(what, reason: str) -> None:  # type: ignore[no-untyped-def]
    venue = funded()
    before = dict(venue.balances(NOW_S))
    receipt = venue.send(order("a", what), NOW_S)
    assert receipt is not None
    assert receipt.reverted
    assert reason in receipt.reason
    after = dict(venue.balances(NOW_S))
    assert before.pop(GAS) - after.pop(GAS) == receipt.gas_units * receipt.gas_price_wei > 0
    assert before == after


def test_the_gas_tank_cannot_pay_for_its_own_gas_twice() -> None:
    gas_wei = 180_000 * 20 * GWEI
    for units, reverted in ((10**18 - gas_wei, False), (10**18 - gas_wei + 1, True)):
        receipt = funded().send(order("a", leg(LegKind.SWAP, "oneinch", GAS, units, USDC)), NOW_S)
        assert receipt is not None
        assert receipt.reverted is reverted


def test_a_pause_and_a_deadline_revert() -> None:
    venue = funded()
    venue.pause("aave_v3", paused=True)
    assert venue.quote(lend(), NOW_S) is None
    paused = venue.send(order("a", lend()), NOW_S)
    assert paused is not None
    assert paused.reason == "aave_v3 is paused"
    venue.pause("aave_v3", paused=False)
    assert venue.quote(lend(), NOW_S) == 100_000 * USD
    for key, now_s, reverted in (("b", NOW_S + 600, False), ("c", NOW_S + 601, True)):
        receipt = venue.send(order(key, buy(USD)), now_s)
        assert receipt is not None
        assert receipt.reverted is reverted


@pytest.mark.req("GR-23")
def test_gr_gas_cap_100_sent_101_waits() -> None:
    venue = funded()
    venue.observe_market(market(NOW_S, gas=100 * GWEI), NOW_S)
    assert venue.send(order("a", buy(USD)), NOW_S) is not None
    venue.observe_market(market(NOW_S, gas=101 * GWEI), NOW_S)
    before = venue.balances(NOW_S)
    assert venue.send(order("b", buy(USD)), NOW_S) is None
    assert venue.outcome("b") is None
    assert venue.balances(NOW_S) == before
    venue.observe_market(market(NOW_S + 60, gas=100 * GWEI), NOW_S + 60)
    mined = venue.outcome("b")
    assert mined is not None
    assert not mined.reverted
    assert venue.send(order("b", buy(USD)), NOW_S + 60) == mined


@pytest.mark.parametrize("gas_then", [101 * GWEI, 20 * GWEI])
def test_an_order_never_mined_is_dropped_after_its_deadline_for_nothing(gas_then: int) -> None:
    venue = funded()
    venue.observe_market(market(NOW_S, gas=101 * GWEI), NOW_S)
    before = venue.balances(NOW_S)
    assert venue.send(order("a", buy(USD)), NOW_S) is None
    venue.observe_market(market(NOW_S + 600, gas=101 * GWEI), NOW_S + 600)
    assert venue.outcome("a") is None
    venue.observe_market(market(NOW_S + 601, gas=gas_then), NOW_S + 601)
    dropped = venue.outcome("a")
    assert dropped is not None
    assert dropped.reverted
    assert (dropped.gas_units, dropped.movements) == (0, ())
    assert venue.balances(NOW_S) == before


def test_lending_earns_the_yield_known_at_the_beginning() -> None:
    venue = funded()
    venue.send(order("a", lend()), NOW_S)
    assert venue.balances(NOW_S)[AAVE] == 100_000 * USD
    later = NOW_S + YEAR_S
    venue.observe_market(market(later, aave=0.9), later)  # tomorrow's yield pays from tomorrow on
    assert venue.balances(later)[AAVE] == 103_899_999_999
    out = leg(LegKind.WITHDRAW, "aave_v3", AAVE, 103_899_999_999, USDC)
    receipt = venue.send(order("b", out, later), later)
    assert receipt is not None
    assert not receipt.reverted
    assert AAVE not in venue.balances(later)


def test_without_a_yield_an_index_stands_still() -> None:
    from dynamic.adapters.venues.paper import PaperVenue
    from tests.adapters.venues.world import COSTS
    from tests.planning.treasury import ASSETS

    venue = PaperVenue(ASSETS, COSTS)
    gone = ("apy:aave_v3:USDC", "apy:pendle_v2:PT-USDC", "apy:curve:LP-USDC-USDT")
    for now_s in (NOW_S, NOW_S + DAY_S):
        venue.observe_market(market(now_s, without=gone), now_s)
    facts = {o.key: o.value for o in venue.observe(NOW_S + DAY_S)}
    assert facts["index:aave_v3:USDC"] == RAY
    assert facts["rate:curve:LP-USDC-USDT"] == WAD
    assert not any(key.startswith("rate:PT") for key in facts)
    assert venue.quote(buy_pt(), NOW_S) is None


def test_the_pool_and_back_costs_fees_both_ways() -> None:
    venue = funded()
    joined = venue.send(order("a", join_pool(10_000 * USD)), NOW_S)
    assert joined is not None
    lp = joined.movements[1].base_units
    # 2 bps fee, then 1 bp spread and 0.2 bp impact, at virtual price 1
    assert lp == 9_998 * 10**18 * 99_988 // 100_000
    left = venue.send(order("b", leg(LegKind.WITHDRAW, "curve", CURVE, lp, USDC)), NOW_S)
    assert left is not None
    assert left.fee is not None
    assert left.fee.position == CURVE
    assert 9_993 * USD < left.movements[1].base_units < 9_994 * USD


@pytest.mark.req("PM-11", "C-11")
def test_pm_pt_valuation_bought_at_a_discount_sold_early_or_redeemed_at_par() -> None:
    venue = funded()
    bought = venue.send(order("a", buy_pt(10_000 * USD)), NOW_S)
    assert bought is not None
    tokens = bought.movements[1].base_units
    assert tokens > 10_000 * USD  # more tokens than dollars: that is the fixed yield
    sell = leg(LegKind.WITHDRAW, "pendle_v2", PT, tokens, USDC)
    quoted = venue.quote(sell, NOW_S)
    rate = {o.key: o.value for o in venue.observe(NOW_S)}[f"rate:{PT.asset}"]
    assert quoted is not None
    assert tokens * int(rate) // WAD < quoted < 10_000 * USD  # counted for less than it brings
    venue.observe_market(market(MATURITY - 1), MATURITY - 1)
    early = venue.send(
        order("b", leg(LegKind.REDEEM, "pendle_v2", PT, tokens, USDC), MATURITY), MATURITY - 1
    )
    assert early is not None
    assert early.reverted
    venue.observe_market(market(MATURITY), MATURITY)
    late = venue.send(
        order("c", leg(LegKind.REDEEM, "pendle_v2", PT, tokens, USDC), MATURITY), MATURITY
    )
    assert late is not None
    assert [m.base_units for m in late.movements] == [-tokens, tokens]
    sold_late = venue.send(order("d", sell, MATURITY), MATURITY)
    assert sold_late is not None
    assert "has matured" in sold_late.reason
    still_told = {o.key: o.value for o in venue.observe(MATURITY)}
    assert still_told[f"rate:{PT.asset}"] == WAD


def test_time_does_not_run_backwards_and_absurd_yields_are_refused() -> None:
    venue = funded()
    with pytest.raises(Refused, match="asked for"):
        venue.observe_market(market(NOW_S - 1), NOW_S - 1)
    for absurd in (float("nan"), float("inf"), -0.99, 100.0):
        with pytest.raises(DataUnfit, match="apy:aave_v3"):
            funded().observe_market(market(NOW_S, aave=absurd), NOW_S)


def test_facts_say_where_they_come_from() -> None:
    facts = {o.key: o for o in funded().observe(NOW_S)}
    assert facts["tvl:aave_v3"].provenance == "fallback"
    assert facts["tvl:aave_v3"].source == "paper venue (assumed)"
    assert facts["paused:curve"].value == 0
    assert facts["index:aave_v3:USDC"].provenance == "derived"
    assert facts["apy:aave_v3:USDC"].value == 0.039
    assert facts["exit_capacity_24h:curve"].value == 10_000_000 * USD
    assert "tvl:curve" not in facts  # not stated, not invented
    assert all(type(o.value) is int for o in facts.values() if not o.key.startswith("apy:"))
