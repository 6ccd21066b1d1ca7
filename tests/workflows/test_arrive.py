"""A plan that is over says how far from its target it ended, and people hear what has no reason."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from dynamic.adapters.venues.faults import Fault
from dynamic.errors import InvariantBroken
from dynamic.planning.plan import Plan, PlanState
from dynamic.policy.proposal import Position
from dynamic.policy.situation import Situation, SwitchState
from dynamic.workflows.arrive import arrival
from dynamic.workflows.observe import assess, observe
from tests.workflows.conftest import Begin
from tests.workflows.world import Scripted, World

CASH = Position("wallet", "USDC")


def ends(world: World) -> list[dict[str, Any]]:
    """The audit notes of plans that were carried out, oldest first."""
    rows = world.sql.reader().audit_events(1, 100_000)
    notes = [json.loads(row["payload"]) for row in rows if row["kind"] == "plan"]
    return [note for note in notes if "deviations" in note]


def standing(world: World) -> tuple[Plan, Situation]:
    """The last plan, and what is held after it."""
    view = observe(world.memory, world.io, world.mandate, world.clock.now_s())
    situation = assess(
        view, world.memory, world.mandate, SwitchState.ACTIVE, "accumulation", 0,
        world.clock.now_s(),
    )  # fmt: skip
    return world.sql.reader().plan_records([PlanState.DONE.value])[-1].plan, situation


@pytest.mark.req("RB-11", "RB-12")
def test_rb_verify_every_plan_that_ends_is_measured(begin: Begin) -> None:
    world = begin()
    world.until(12)
    done = world.sql.reader().plan_records([PlanState.DONE.value])
    notes = ends(world)
    assert len(notes) == len(done) > 3
    for note in notes:
        assert {row[0] for row in note["deviations"]} == {"base_yield", "btc", "eth", "cash"}
        for _, target, actual, off in note["deviations"]:
            assert off == actual - target
            assert abs(off) <= world.mandate.trades.deviation_bps_max
        assert sum(row[3] for row in note["deviations"]) == 0
        assert max(note["execution_s"]) < 300
    assert "plan-deviation" not in world.duty.codes()


@pytest.mark.req("RB-11")
def test_rb_verify_a_leg_that_failed_is_the_reason(begin: Begin) -> None:
    world = begin(Scripted(lambda key, at_s: Fault.REFUSED if key.endswith(":2") else Fault.NONE))
    world.day(0)
    (note, *_) = ends(world)
    assert note["state"] == "abandoned"
    assert len(note["reasons"]) == 1
    assert ":2 reverted" in note["reasons"][0]
    assert "plan-deviation" not in world.duty.codes()


@pytest.mark.req("RB-11")
@pytest.mark.parametrize(
    ("missing_usd", "btc_bps", "is_alarmed"),
    [(0, 0, False), (1_500, 0, False), (2_500, 0, True), (2_500, 49, True), (2_500, 51, False)],
)
def test_rb_verify_without_a_reason_people_are_told(
    begin: Begin, missing_usd: int, btc_bps: int, is_alarmed: bool
) -> None:
    """0.5 points of 400 000 USD are 2 000; a price that moved by 50 bps at most explains none."""
    world = begin()
    world.day(0)
    plan, situation = standing(world)
    values = dict(situation.values_usd_micro)
    lent = next(place for place in values if place.location == "aave_v3")
    values[lent] -= missing_usd * 10**6
    values[CASH] += missing_usd * 10**6
    btc = situation.prices["BTC"]
    was = btc.usd_micro * 10_000 // (10_000 + btc_bps)
    planned = {symbol: fact.usd_micro for symbol, fact in situation.prices.items()} | {"BTC": was}
    found = arrival(
        plan, (), {}, (), replace(situation, values_usd_micro=values),
        planned, world.mandate.trades.deviation_bps_max,
    )  # fmt: skip
    assert (found.alarm is not None) is is_alarmed


@pytest.mark.req("RB-11")
def test_rb_verify_measures_nothing_without_a_price(begin: Begin) -> None:
    world = begin()
    world.day(0)
    plan, situation = standing(world)
    values = {p: v for p, v in situation.values_usd_micro.items() if p != CASH}
    found = arrival(plan, (), {}, (), replace(situation, values_usd_micro=values), {}, 50)
    assert (found.payload["deviations"], found.alarm) == (None, None)


@pytest.mark.req("GV-03", "I-11")
def test_gv_plan_hash_at_execution_an_altered_plan_sends_nothing(begin: Begin) -> None:
    venue = Scripted()
    world = begin(venue)
    world.cycle(world.first_s)
    world.sign("ann", "bob")
    record = world.memory.plan
    assert record is not None
    legs = record.plan.legs
    more = replace(legs[0], spend_units=legs[0].spend_units + 1)
    world.memory.plan = replace(record, plan=replace(record.plan, legs=(more, *legs[1:])))
    with pytest.raises(InvariantBroken, match="digest"):
        world.cycle()
    assert venue.sent == []


@pytest.mark.req("RB-11")
def test_rb_verify_a_price_the_plan_does_not_touch_is_a_reason_too(begin: Begin) -> None:
    """The first deployment is dollars alone; what BTC did while it waited moves its shares."""
    world = begin()
    world.cycle(world.first_s)
    plan = world.memory.plan
    assert plan is not None
    assert "BTC" not in plan.plan.reference_prices
    world.restart()
    assert world.memory.diary.planned_prices.keys() >= {"BTC", "ETH", "USDC"}
    world.feed.scaled_bps = {"price:BTC": 10_300}
    world.sign("ann", "bob")
    world.cycle(world.first_s + 3_600)
    (note,) = ends(world)
    assert [reason.split(" ")[0] for reason in note["reasons"]] == ["BTC"]
