"""What needs people waits for them: two for much, the same one never twice, and not for ever."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dynamic.decision.advice import Advice, Verdict
from dynamic.errors import Conflict, NotFound, Refused
from dynamic.planning.plan import PlanState
from dynamic.policy.mandate import with_sizing_mode
from dynamic.policy.situation import SwitchState
from dynamic.records import DecisionOutcome
from dynamic.units import DAY_S
from dynamic.workflows.approve import Signature, resume, sign
from dynamic.workflows.carry_out import Ending
from tests.workflows.conftest import Begin
from tests.workflows.world import Says, Scripted, World


def waiting(begin: Begin, venue: Scripted | None = None) -> World:
    """The first deployment, 240 000 USD, on the table and unsigned."""
    world = begin(venue)
    report = world.cycle(world.first_s)
    assert [d.outcome for d in report.decisions] == [DecisionOutcome.PENDING_APPROVAL]
    assert world.memory.plan is not None
    assert world.memory.plan.plan.signatures_required == 2
    return world


def answer(world: World, operator: str, approved: bool = True, **other: str) -> Signature:
    """One person's answer to the plan that waits."""
    assert world.memory.plan is not None
    plan = world.memory.plan.plan
    facts = {"plan_id": plan.plan_id, "digest": plan.digest} | other
    return Signature(operator=operator, approved=approved, notes="seen", **facts)


@pytest.mark.req("GV-03", "GR-21")
def test_gv_nothing_is_sent_before_two_distinct_people_sign(begin: Begin) -> None:
    venue = Scripted()
    world = waiting(begin, venue)
    for _ in range(3):
        assert world.cycle().ending is Ending.WAITING
    assert world.sign("ann").state is PlanState.PENDING_APPROVAL
    assert world.cycle().ending is Ending.WAITING
    for again in ("ann", "Ann ", "operator:ann"):
        with pytest.raises(Refused, match="already signed"):
            world.sign(again)
    for nobody in ("rules", "claude", "engine", ""):
        with pytest.raises(Refused):
            world.sign(nobody)
    assert venue.sent == []
    assert world.sign("bob").state is PlanState.APPROVED
    assert world.cycle().ending is Ending.DONE
    assert len(venue.sent) == 3
    world.check_books()


@pytest.mark.req("GV-03")
def test_gv_plan_hash_binds_every_signature(begin: Begin) -> None:
    world = waiting(begin)
    with pytest.raises(Refused, match="expected digest"):
        sign(answer(world, "ann", digest="0" * 64), world.memory, world.io, world.mandate)
    with pytest.raises(NotFound):
        sign(answer(world, "ann", plan_id="p9-9"), world.memory, world.io, world.mandate)
    assert world.memory.approvals == []
    world.sign("ann", "bob")
    with pytest.raises(Conflict, match="is approved"):
        world.sign("cid")


def test_gv_one_rejection_ends_it(begin: Begin) -> None:
    venue = Scripted()
    world = waiting(begin, venue)
    world.sign("ann")
    no = answer(world, "bob", approved=False)
    assert sign(no, world.memory, world.io, world.mandate).state is PlanState.REJECTED
    assert world.memory.plan is None
    assert venue.sent == []
    with pytest.raises(NotFound):
        sign(no, world.memory, world.io, world.mandate)


@pytest.mark.req("GV-14", "RB-20")
@pytest.mark.parametrize(
    ("btc_bps", "ending"), [(10_199, Ending.DONE), (9_801, Ending.DONE), (10_201, Ending.EXPIRED)]
)
def test_gv_stale_approval_when_the_price_moved(begin: Begin, btc_bps: int, ending: Ending) -> None:
    """Within 2 % the signatures hold; beyond it they are worth nothing and nothing is sent."""
    venue = Scripted()
    # A buy that people were asked about: an advisor that asks makes every plan wait.
    world = begin(venue, _asks())
    world.day(0)
    world.day(1)
    at_s = world.first_s + 2 * DAY_S
    world.cycle(at_s)
    waits = world.memory.plan
    assert waits is not None
    assert "BTC" in waits.plan.reference_prices
    sent = len(venue.sent)
    world.sign("ann")
    world.feed.scaled_bps = {"price:BTC": btc_bps}
    report = world.cycle(at_s + 60)
    if ending is Ending.DONE:
        assert len(venue.sent) > sent
    else:
        assert len(venue.sent) == sent
        stored = world.sql.reader().plan_record(waits.plan.plan_id)
        assert stored.state is PlanState.EXPIRED
        assert "BTC moved" in stored.reason
    assert report.residues.residues == ()
    world.check_books()


@pytest.mark.req("RB-20", "GV-14")
@pytest.mark.parametrize(("late_s", "sends"), [(0, True), (1, False)])
def test_rb_plan_ttl_of_a_signed_plan(begin: Begin, late_s: int, sends: bool) -> None:
    """A plan that waits for people lives as long as they may take, and not a second longer."""
    venue = Scripted()
    world = waiting(begin, venue)
    assert world.memory.plan is not None
    until_s = world.memory.plan.plan.valid_until_s
    assert until_s == world.first_s + world.mandate.authority.approval_expiry_s
    world.feed.still_from_s = world.first_s
    world.clock.move_to(until_s - 1)
    world.sign("ann", "bob")
    world.cycle(until_s + late_s)
    assert bool(venue.sent) is sends


@pytest.mark.req("GV-14")
def test_gv_a_changed_mandate_voids_what_was_signed(begin: Begin) -> None:
    venue = Scripted()
    world = waiting(begin, venue)
    world.sign("ann", "bob")
    world.mandate = with_sizing_mode(world.mandate, "ladder")
    world.cycle()
    assert venue.sent == []


@pytest.mark.req("RB-19")
def test_rb_mutex_only_one_plan_is_in_hand(begin: Begin) -> None:
    """While a plan waits or runs, nothing else is decided."""
    world = waiting(begin)
    for hour in (1, 5, 23):
        report = world.cycle(world.first_s + hour * 3_600)
        assert report.decisions == ()
        assert report.ending is Ending.WAITING
    open_plans = world.sql.recover().open_plans
    assert len(open_plans) == 1


@pytest.mark.req("C-57", "GR-20", "GV-01")
def test_a_sale_the_mandate_demands_waits_for_no_person(begin: Begin) -> None:
    """A plan that waits for a signature is taken back when risk must be reduced first."""
    world = begin()
    world.until(12)
    held = world.held("wallet", "WBTC")
    assert held > 0
    world.io = replace(world.io, advisor=_asks())  # from here on every plan waits
    at_s = world.first_s + 20 * DAY_S
    world.cycle(at_s)
    waits = world.memory.plan
    assert waits is not None
    assert waits.state is PlanState.PENDING_APPROVAL
    # No price has moved since, so nothing else voids the plan; but the peak was 20 % higher.
    sizing = world.memory.sizing
    world.memory.sizing = replace(sizing, peak_usd_micro=sizing.peak_usd_micro * 12 // 10)
    world.feed.still_from_s = at_s
    report = world.cycle(at_s + 3_600)
    assert [d.outcome for d in report.decisions][:1] == [DecisionOutcome.PLANNED]
    assert world.held("wallet", "WBTC") < held
    stored = world.sql.reader().plan_record(waits.plan.plan_id)
    assert stored.state is PlanState.ABANDONED
    assert "risk must be reduced" in stored.reason
    world.check_books()


@pytest.mark.req("PM-13")
@pytest.mark.parametrize(("early_s", "buys"), [(1, False), (0, True)])
def test_pm_staged_deploy(begin: Begin, early_s: int, buys: bool) -> None:
    """The tactical layer waits 48 hours over a complete base, to the second."""
    world = begin()
    world.day(0)
    deployed_s = world.memory.diary.base_deployed_at_s
    assert deployed_s == world.first_s
    report = world.day_at(deployed_s + 172_800 - early_s)
    bought = [leg for leg in report.settled if leg.receive.asset in ("WBTC", "WETH")]
    assert bool(bought) is buys
    if not buys:
        assert world.held("wallet", "WBTC") == 0


def test_gr_a_pause_ends_only_by_two_people_and_a_reason(begin: Begin) -> None:
    world = begin()
    world.until(6)
    world.feed.scaled_bps = {"price:BTC": 2_000, "price:ETH": 2_000}
    sizing = world.memory.sizing
    world.memory.sizing = replace(sizing, peak_usd_micro=2 * world.memory.last_nav_usd_micro)
    world.day(7)
    assert world.memory.sizing.is_paused
    assert world.held("wallet", "WBTC") <= 1  # what one base unit less than its value left
    assert "drawdown-exit" in world.duty.codes()
    for people, why in ((("ann",), "x"), (("ann", "Ann"), "x"), (("ann", "rules"), "x"),
                        (("ann", "bob"), " ")):  # fmt: skip
        with pytest.raises(Refused):
            resume(people, why, world.memory, world.io, reset_cycle=False)
        assert world.memory.sizing.is_paused
    resume(("ann", "bob"), "the market recovered", world.memory, world.io, reset_cycle=True)
    assert not world.memory.sizing.is_paused
    world.restart()
    assert not world.memory.sizing.is_paused


def test_the_switch_is_halted_and_a_person_waits_in_vain(begin: Begin) -> None:
    venue = Scripted()
    world = waiting(begin, venue)
    world.switch.now = SwitchState.HALTED
    world.sign("ann", "bob")
    world.cycle()
    assert venue.sent == []
    world.check_books()


def _asks() -> Says:
    return Says(lambda proposal: Advice(Verdict.ASK, 0, 0, "a person, please", "test", {}))
