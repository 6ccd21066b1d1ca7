"""What is not known stops what depends on it, says so, and is never filled in."""

from __future__ import annotations

import pytest

from dynamic.policy.proposal import Position
from dynamic.records import DecisionOutcome
from dynamic.units import DAY_S
from tests.workflows.conftest import Begin
from tests.workflows.world import Killed, Scripted


@pytest.mark.req("PM-08")
@pytest.mark.parametrize("unit", [1, -1])
def test_pm_reconcile_one_unit_blocks_new_risk_and_names_itself(begin: Begin, unit: int) -> None:
    """One base unit too many or too few: no new risk, a call, the position by name."""
    venue = Scripted()
    world = begin(venue)
    world.until(1)
    sent = len(venue.sent)
    world.venue.deposit_capital(Position("wallet", "USDC"), unit, "nobody booked this")
    report = world.day(2)
    assert len(report.residues.residues) == 1
    residue = report.residues.residues[0]
    assert residue.position == ("wallet", "USDC")
    assert residue.residue == unit
    assert len(venue.sent) == sent
    calls = [text for _, code, text in world.duty.alerts if code == "ledger-residue"]
    assert calls
    assert f"residue {unit} base units" in calls[0]
    world.venue.deposit_capital(Position("wallet", "USDC"), -unit, "and back")
    assert world.day(3).residues.residues == ()
    assert len(venue.sent) > sent


@pytest.mark.req("PM-08")
def test_pm_a_residue_does_not_stop_a_reduction(begin: Begin) -> None:
    world = begin()
    world.until(12)
    held = world.held("wallet", "WBTC")
    world.venue.deposit_capital(Position("wallet", "USDC"), 1, "nobody booked this")
    world.feed.scaled_bps = {"price:BTC": 40_000, "price:ETH": 40_000}
    report = world.day(13)
    assert report.residues.residues
    assert world.held("wallet", "WBTC") < held


@pytest.mark.parametrize("hidden", ["price:BTC", "price:ETH", "price:USDC"])
def test_a_missing_price_decides_nothing_and_marks_nothing(begin: Begin, hidden: str) -> None:
    venue = Scripted()
    world = begin(venue)
    world.until(12)
    sent, nav = len(venue.sent), world.memory.last_nav_usd_micro
    world.feed.hidden = {hidden}
    report = world.day(13)
    assert report.marked is None
    assert [d.outcome for d in report.decisions] == [DecisionOutcome.HELD]
    assert report.decisions[0].reasoning.startswith("no price for ")
    assert len(venue.sent) == sent
    assert world.memory.last_nav_usd_micro == nav
    world.feed.hidden = set()
    back = world.day(14)
    assert back.marked is not None  # and the change of both days is explained in one
    world.check_books()


@pytest.mark.parametrize("hidden", ["mvrv_z:BTC", "gas:ethereum"])
def test_without_its_signal_or_gas_nothing_is_bought(begin: Begin, hidden: str) -> None:
    venue = Scripted()
    world = begin(venue)
    world.until(4)
    world.feed.hidden = {hidden}
    for number in range(5, 9):
        report = world.day(number)
        assert not [leg for leg in report.settled if leg.receive.asset in ("WBTC", "WETH")]
        assert report.marked is not None
    world.check_books()


@pytest.mark.req("RB-20")
@pytest.mark.parametrize(("late_s", "sends"), [(0, True), (1, False)])
def test_rb_plan_ttl_of_an_unsigned_plan(begin: Begin, late_s: int, sends: bool) -> None:
    """A plan nobody has to sign lives thirty minutes: a process down for longer voids it."""
    venue = Scripted()
    world = begin(venue)
    world.until(1)
    sent = len(venue.sent)
    at_s = world.first_s + 2 * DAY_S
    world.store.dies_at = world.store.commits + 2  # after the plan is durable, before any leg
    world.store.after = True
    with pytest.raises(Killed):
        world.cycle(at_s)
    world.restart()
    assert world.memory.plan is not None
    plan = world.memory.plan.plan
    assert plan.valid_until_s == at_s + world.mandate.authority.plan_ttl_s == at_s + 1_800
    world.cycle(at_s + 1_800 + late_s)
    state = world.sql.reader().plan_record(plan.plan_id).state.value
    assert state == ("done" if sends else "expired")
    keys = {leg.key for leg in plan.legs}
    assert bool(keys & set(venue.sent[sent:])) is sends
    world.check_books()


@pytest.mark.req("RB-12", "LG-04")
def test_rb_audit_every_transition_is_in_the_chain(begin: Begin) -> None:
    """Plans, steps, entries and decisions: each change of state has its event."""
    world = begin()
    world.until(5)
    reader = world.sql.reader()
    events = list(reader.audit_chain())
    kinds = {event.kind for event in events}
    assert {"decision", "plan", "step", "entry", "nav", "approval"} <= kinds
    counts = reader.counts()
    assert sum(e.kind == "step" for e in events) == counts["steps"]
    assert sum(e.kind == "decision" for e in events) == counts["decisions"]
    assert sum(e.kind == "entry" for e in events) == counts["entries"]
    assert sum(e.kind == "approval" for e in events) == counts["approvals"]
    world.check_books()


@pytest.mark.req("RB-21")
def test_rb_proceeds_of_a_sale_earn_in_the_base(begin: Begin) -> None:
    """What a tactical sale brings is lent again, not left lying."""
    world = begin()
    world.until(12)
    before = sum(n for p, n in world.memory.position_units().items() if p.location != "wallet")
    world.feed.scaled_bps = {"price:BTC": 40_000, "price:ETH": 40_000}
    report = world.day(13)
    sold = [leg for leg in report.settled if leg.spend.asset in ("WBTC", "WETH")]
    lent = [leg for leg in report.settled if leg.spend == Position("wallet", "USDC")]
    assert sold
    assert lent
    assert {leg.receive.location for leg in lent} <= {"aave_v3", "pendle_v2", "curve"}
    after = sum(n for p, n in world.memory.position_units().items() if p.location != "wallet")
    assert after > before
    assert world.held("wallet", "ETH") > 0  # and the gas reserve was not for sale
