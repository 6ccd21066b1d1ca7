"""The advisor's chair: hold, reduce, delay, ask; whoever sits in it, no limit moves."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from dynamic.decision.advice import Advice, Verdict
from dynamic.decision.rule_advisor import RuleAdvisor
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Proposal, Urgency
from dynamic.ports import Ports
from dynamic.records import DecisionOutcome
from dynamic.units import BPS
from tests.workflows.conftest import Begin
from tests.workflows.world import Says, Scripted, World


def says(verdict: Verdict, scale_bps: int = 0, delay_s: int = 0) -> Says:
    """An advisor of one opinion."""
    return Says(lambda proposal: Advice(verdict, scale_bps, delay_s, "so be it", "test", {}))


def bought(world: World) -> int:
    """What is held of BTC and ETH at cost, in usd_micro."""
    return sum(world.memory.lots.cost_usd_micro(symbol) for symbol in ("WBTC", "WETH"))


def test_ai_hold_holds_everything_discretionary(begin: Begin) -> None:
    venue = Scripted()
    world = begin(venue, says(Verdict.HOLD))
    for number in range(4):
        report = world.day(number)
        assert {d.outcome for d in report.decisions} == {DecisionOutcome.HELD}
    assert venue.sent == []


@pytest.mark.req("GR-26")
def test_ai_reduce_shrinks_what_is_sent(begin: Begin, mandate: object) -> None:
    world = begin(None, says(Verdict.PROCEED))
    world.until(2)
    whole = bought(world)
    half = begin(None, says(Verdict.PROCEED))
    half.until(1)
    half.io = _with_advisor(half, says(Verdict.REDUCE, scale_bps=5_000))
    half.day(2)
    assert 0.45 * whole < bought(half) < 0.55 * whole
    half.check_books()


def test_ai_delay_waits_and_then_acts(begin: Begin) -> None:
    world = begin(None, says(Verdict.PROCEED))
    world.until(1)
    at_s = world.first_s + 2 * 86_400
    world.io = _with_advisor(world, says(Verdict.DELAY, delay_s=1_800))
    world.day_at(at_s)
    assert bought(world) == 0
    world.io = _with_advisor(world, says(Verdict.PROCEED))
    world.day_at(at_s + 1_799)
    assert bought(world) == 0
    world.day_at(at_s + 1_800)
    assert bought(world) > 0


def test_ai_delay_is_never_longer_than_the_mandate_s(begin: Begin, mandate: Mandate) -> None:
    world = begin(None, says(Verdict.PROCEED))
    world.until(1)
    at_s = world.first_s + 2 * 86_400
    world.io = _with_advisor(world, says(Verdict.DELAY, delay_s=10**9))
    world.day_at(at_s)
    assert world.memory.diary.delayed_until_s == at_s + mandate.advisor.delay_s
    world.io = _with_advisor(world, says(Verdict.DELAY, delay_s=-5))
    world.day_at(at_s + mandate.advisor.delay_s)
    assert world.memory.diary.delayed_until_s == at_s + mandate.advisor.delay_s


def test_ai_ask_makes_a_small_plan_wait_for_a_person(begin: Begin) -> None:
    world = begin(None, says(Verdict.PROCEED))
    world.until(1)
    world.io = _with_advisor(world, says(Verdict.ASK))
    report = world.cycle(world.first_s + 2 * 86_400)
    assert report.decisions[-1].outcome is DecisionOutcome.PENDING_APPROVAL
    assert world.memory.plan is not None
    assert world.memory.plan.plan.signatures_required == 1
    world.sign("ann")
    world.cycle()
    assert bought(world) > 0


def test_ai_a_reduction_the_mandate_demands_is_beyond_its_reach(begin: Begin) -> None:
    world = begin(None, says(Verdict.PROCEED))
    world.until(12)
    held = world.held("wallet", "WBTC")
    world.io = _with_advisor(world, says(Verdict.HOLD))
    world.feed.scaled_bps = {"price:BTC": 40_000, "price:ETH": 40_000}
    world.day(13)
    assert world.held("wallet", "WBTC") < held


@pytest.mark.slow
@pytest.mark.req("GR-10", "GR-21", "GR-26")
@pytest.mark.parametrize("seed", [1, 2])
def test_ai_a_hostile_advisor_cannot_widen_anything(begin: Begin, seed: int) -> None:
    """Three hundred days of random verdicts, wild scales and delays: no limit is broken."""
    chance = random.Random(seed)

    def say(proposal: Proposal) -> Advice:
        return Advice(
            chance.choice(list(Verdict)), chance.choice((-1, 0, 1, 5_000, 10_000, 10**9)),
            chance.choice((-(10**9), 0, 3_600, 90_000)), "trust me", "hostile", {"fact": "none"},
        )  # fmt: skip

    world, rules = begin(None, Says(say)), begin()
    most = world.mandate.exposure.volatile_bps_max
    for number in range(300):
        report = world.day(number)
        assert report.residues.residues == ()
        rules.day(number)
        if report.marked is None or not report.settled:
            continue
        nav = report.marked.record
        if any(leg.receive.asset in ("WBTC", "WETH") for leg in report.settled):
            assert nav.volatile_usd_micro * BPS <= most * nav.nav_usd_micro
        assert nav.volatile_usd_micro <= nav.nav_usd_micro
    for record in world.sql.reader().plan_records(["done", "abandoned", "expired"]):
        gross = record.plan.gross_usd_micro
        if record.plan.urgency is Urgency.DISCRETIONARY and not record.plan.signatures_required:
            assert gross <= world.mandate.authority.unattended_usd_micro_max
    world.check_books()
    assert isinstance(rules.io.advisor, RuleAdvisor)


def _with_advisor(world: World, advisor: Says) -> Ports:
    return replace(world.io, advisor=advisor)
