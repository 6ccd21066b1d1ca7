"""One leg, once, whatever the venue does: lost replies, refusals, delays, deadlines, storms."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynamic.adapters.venues.faults import Fault, SeededFaults
from dynamic.errors import InvariantBroken
from dynamic.ledger.canonical import canonical_json
from dynamic.planning.plan import PlanState
from dynamic.policy.proposal import Position
from dynamic.policy.situation import SwitchState
from dynamic.ports import Movement, Order, Receipt
from dynamic.records import StepState
from dynamic.units import DAY_S
from dynamic.workflows.carry_out import Ending
from dynamic.workflows.execute_step import (
    check_bounds,
    leg_from_payload,
    leg_payload,
    order_from_payload,
    order_payload,
)
from tests.workflows.conftest import Begin
from tests.workflows.world import Scripted, World

MINUTES = 60


def states(world: World, plan_id: str) -> dict[str, list[str]]:
    """The journal of each step of a plan, oldest first."""
    found: dict[str, list[str]] = {}
    for row in world.sql.reader().steps(plan_id):
        found.setdefault(row["step_key"], []).append(row["state"])
    return found


def once(number: int, fault: Fault) -> Scripted:
    """A venue that fails the sending with this number, and no other."""
    sendings = iter(range(1, 1_000_000))
    return Scripted(lambda key, at_s: fault if next(sendings) == number else Fault.NONE)


@pytest.mark.req("RB-10", "OP-13")
@pytest.mark.parametrize("sending", [1, 2, 3])
def test_rb_retry_idempotent_after_a_lost_reply(begin: Begin, sending: int) -> None:
    """Carried out, but nobody told us: never sent again, booked from evidence, no residue."""
    venue = once(sending, Fault.LOST_REPLY)
    world = begin(venue)
    first = world.day(0)
    assert first.ending is Ending.WAITING
    waits = world.memory.plan
    assert waits is not None
    lost = waits.plan.legs[sending - 1]
    assert world.memory.steps[lost.key].state is StepState.INTENDED
    second = world.cycle(world.first_s + 10 * MINUTES)
    assert second.residues.residues == ()
    assert lost in second.settled
    assert second.ending is Ending.DONE
    assert Counter(venue.sent)[lost.key] == 1
    assert states(world, waits.plan.plan_id)[lost.key] == ["intended", "settled"]
    world.check_books()
    assert "ledger-residue" not in world.duty.codes()


@pytest.mark.req("RB-10")
def test_rb_retry_idempotent_after_a_lost_request(begin: Begin) -> None:
    """It never arrived: the same order, key and deadline are sent again, and arrive once."""
    venue = once(2, Fault.LOST_REQUEST)
    world = begin(venue)
    assert world.day(0).ending is Ending.WAITING
    assert world.memory.plan is not None
    lost = world.memory.plan.plan.legs[1].key
    journaled = world.memory.steps[lost].payload
    report = world.cycle(world.first_s + 10 * MINUTES)
    assert report.ending is Ending.DONE
    assert Counter(venue.sent)[lost] == 2
    assert world.venue.outcome(lost) is not None
    order = order_from_payload(journaled)
    assert order.deadline_s == world.first_s + world.mandate.authority.plan_ttl_s
    world.check_books()


@pytest.mark.req("RB-18", "RB-20")
def test_rb_an_order_that_never_arrived_is_over_one_second_after_its_deadline(begin: Begin) -> None:
    for late_s, states_after in ((0, ["intended", "settled"]), (1, ["intended", "abandoned"])):
        world = begin(once(1, Fault.LOST_REQUEST))
        world.day(0)
        assert world.memory.plan is not None
        plan = world.memory.plan.plan
        world.cycle(world.first_s + world.mandate.authority.plan_ttl_s + late_s)
        assert states(world, plan.plan_id)[plan.legs[0].key] == states_after
        world.check_books()


@pytest.mark.req("RB-18")
@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.DELAYED, Fault.LOST_REQUEST])
@pytest.mark.parametrize("sending", range(1, 9))
def test_rb_partial_failure_at_each_leg(begin: Begin, sending: int, fault: Fault) -> None:
    """Each leg fails once: books equal the venue, no funds are orphaned, the work is done later."""
    world = begin(once(sending, fault))
    world.until(9)
    world.check_books()
    assert world.memory.plan is None
    calm = begin()
    calm.until(9)
    assert world.memory.position_units().keys() == calm.memory.position_units().keys()
    # A day later at most; what is not yet invested is cash, not lost.
    assert abs(world.memory.last_nav_usd_micro / calm.memory.last_nav_usd_micro - 1) < 0.01
    world.until(14, 10)
    assert world.cycle().residues.residues == ()


@pytest.mark.req("RB-18")
def test_rb_a_refused_leg_costs_nothing_and_its_followers_are_never_sent(begin: Begin) -> None:
    """A swap whose funding failed has no funds, and is not tried without."""
    world = begin(once(4, Fault.REFUSED))
    world.until(2)
    failed = world.sql.reader().plan_records([PlanState.ABANDONED.value])
    assert len(failed) == 1
    refused = failed[0].plan.legs[0]
    assert "refused by the venue" in failed[0].reason
    outcome = world.venue.outcome(refused.key)
    assert outcome is not None
    assert outcome.reverted
    assert outcome.gas_units == 0
    for leg in failed[0].plan.legs[1:]:
        if refused.key in leg.after:
            assert leg.key not in states(world, failed[0].plan.plan_id)
    assert states(world, failed[0].plan.plan_id)[refused.key] == ["intended", "reverted"]
    world.check_books()


@pytest.mark.req("RB-10", "OP-13")
def test_rb_a_delayed_order_is_booked_when_it_was_mined(begin: Begin) -> None:
    """Mined while we looked away: booked at the index of its own instant, no residue ever."""
    world = begin(once(1, Fault.DELAYED))  # the lending leg, whose units grow
    assert world.day(0).ending is Ending.WAITING
    for minute in (10, 20, 24 * 60, 48 * 60):
        assert world.cycle(world.first_s + minute * MINUTES).residues.residues == ()
    world.check_books()
    assert world.held("aave_v3", "USDC") > 0


@pytest.mark.req("RB-10")
def test_rb_a_lost_reply_of_lending_earns_its_interest_from_the_first_day(begin: Begin) -> None:
    world = begin(once(1, Fault.LOST_REPLY))
    world.day(0)
    for number in (1, 2, 3):
        assert world.day(number).residues.residues == ()
    world.check_books()


@pytest.mark.slow
@pytest.mark.req("RB-10", "RB-18", "OP-13", "PM-08")
@settings(max_examples=20)
@example(seed=18189, hour=24)  # two deposits of one cycle: two last units
@given(seed=st.integers(0, 2**32), hour=st.sampled_from([1, 6, 24]))
def test_rb_no_storm_of_faults_loses_or_doubles_anything(
    begin: Begin, seed: int, hour: int
) -> None:
    """A third of all sendings go wrong somehow, at any pace of cycles."""
    storm = SeededFaults(
        seed,
        {Fault.LOST_REPLY: 12, Fault.LOST_REQUEST: 8, Fault.REFUSED: 7, Fault.DELAYED: 8},
    )
    world = begin(storm)
    for number in range(40):
        world.clock.move_to(world.first_s + number * hour * 3_600)
        assert world.day_at(world.clock.now_s()).residues.residues == ()
    world.clock.move_to(world.clock.now_s() + 2 * DAY_S)
    assert world.day_at(world.clock.now_s()).residues.residues == ()
    if world.memory.plan is None:
        world.check_books()
    booked = Counter(
        entry.ref for entry in world.sql.reader().entry_records()
        if entry.kind.value in {"trade", "deposit", "withdraw", "redeem"}
    )  # fmt: skip
    assert set(booked.values()) <= {1}
    for key in booked:
        receipt = world.venue.outcome(key)
        assert receipt is not None
        assert not receipt.reverted


@pytest.mark.req("GV-03", "GR-26")
def test_gr_halted_between_plan_and_send_sends_nothing(begin: Begin) -> None:
    """The switch is read at the last moment: a plan already approved dies unsent."""
    venue = Scripted()
    world = begin(venue)
    world.cycle(world.first_s)
    world.sign("ann", "bob")
    world.switch.now = SwitchState.HALTED
    report = world.cycle()
    assert report.ending is Ending.ABANDONED
    assert venue.sent == []
    world.check_books()


@pytest.mark.req("RB-10", "GR-26")
def test_gr_halted_between_intend_and_a_second_send_waits_for_evidence(begin: Begin) -> None:
    """I-18: after HALTED no first send; what may have arrived is asked about, not sent again."""
    venue = once(1, Fault.LOST_REQUEST)
    world = begin(venue)
    world.day(0)
    assert world.memory.plan is not None
    key = world.memory.plan.plan.legs[0].key
    world.switch.now = SwitchState.HALTED
    assert world.cycle(world.first_s + 5 * MINUTES).ending is Ending.WAITING
    assert venue.sent == [key]
    world.cycle(world.first_s + 31 * MINUTES)  # its deadline is over: nothing can arrive any more
    assert venue.sent == [key]
    assert world.memory.plan is None
    world.check_books()


@pytest.mark.req("GR-26")
def test_gr_halted_while_the_intent_is_being_written_sends_nothing(begin: Begin) -> None:
    """I-18: somebody pulls the lever during the very commit that precedes the first send."""
    venue = Scripted()
    world = begin(venue)
    world.cycle(world.first_s)
    world.sign("ann", "bob")
    questions = iter(range(1_000))

    def falls_after_the_second_question() -> None:
        # Asked for the situation, then by the step before it writes; then it has fallen.
        if next(questions) >= 3:
            world.switch.now = SwitchState.HALTED

    world.switch.when_asked = falls_after_the_second_question
    assert world.cycle().ending is Ending.WAITING
    assert venue.sent == []
    assert world.memory.plan is not None
    key = world.memory.plan.plan.legs[0].key
    assert world.memory.steps[key].state is StepState.INTENDED
    world.cycle(world.first_s + 31 * MINUTES)
    assert venue.sent == []
    assert world.memory.plan is None
    world.check_books()


def test_what_was_lost_and_became_final_is_booked_under_halted(begin: Begin) -> None:
    """Booking is not sending: the truth is written down whatever the switch says."""
    world = begin(once(1, Fault.LOST_REPLY))
    world.day(0)
    world.switch.now = SwitchState.HALTED
    report = world.cycle(world.first_s + 5 * MINUTES)
    assert len(report.settled) == 1
    assert report.residues.residues == ()
    world.check_books()


@pytest.mark.req("GR-26")
def test_gr_reducing_lets_reductions_through_and_nothing_else(begin: Begin) -> None:
    """With too much BTC in the market's eyes, REDUCING still sells; it buys nothing."""
    venue = Scripted()
    world = begin(venue)
    world.until(12)
    bought = len(venue.sent)
    world.switch.now = SwitchState.REDUCING
    report = world.day(13)
    assert all(leg.spend.asset in ("WBTC", "WETH") for leg in report.settled)
    assert len(venue.sent) == bought
    world.feed.scaled_bps = {"price:BTC": 40_000, "price:ETH": 40_000}
    report = world.day(14)
    sold = [leg for leg in report.settled if leg.spend.asset in ("WBTC", "WETH")]
    assert sold
    assert all(leg.receive.asset not in ("WBTC", "WETH") for leg in report.settled)
    world.check_books()


LEG_POSITION = Position("wallet", "USDC")


@pytest.mark.req("GR-26")
def test_what_moved_must_be_what_was_previewed(begin: Begin) -> None:
    """I-11: exact spend, at least the least, nothing beside; else the process stops."""
    world = begin()
    world.until(2)
    settled = world.sql.reader().plan_records([PlanState.DONE.value])[-1].plan.legs[-1]
    receipt = world.venue.outcome(settled.key)
    assert receipt is not None
    check_bounds(settled, receipt)
    spent, got = receipt.movements

    def with_moves(*moves: Movement) -> Receipt:
        return replace(receipt, movements=moves)

    least = replace(got, base_units=settled.receive_units_min)
    check_bounds(settled, with_moves(spent, least))
    for wrong in (
        with_moves(spent, replace(got, base_units=settled.receive_units_min - 1)),
        with_moves(replace(spent, base_units=spent.base_units - 1), got),
        with_moves(replace(spent, base_units=spent.base_units + 1), got),
        with_moves(spent, got, Movement(Position("wallet", "DAI"), 1)),
        with_moves(spent),
        replace(receipt, key="other"),
        replace(receipt, reverted=True),
    ):
        with pytest.raises(InvariantBroken):
            check_bounds(settled, wrong)
    check_bounds(settled, replace(receipt, reverted=True, movements=()))


def test_a_journaled_order_reads_back_exactly(begin: Begin) -> None:
    world = begin()
    world.until(3)
    for record in world.sql.reader().plan_records([s.value for s in PlanState]):
        for leg in record.plan.legs:
            assert leg_from_payload(leg_payload(leg)) == leg
            order = Order(leg.key, leg, 2**62, 10**13)
            assert order_from_payload(canonical_json(order_payload(order))) == order
    with pytest.raises(InvariantBroken, match="expected a journaled leg"):
        leg_from_payload({"spend": 1, "receive": [], "after": []})
