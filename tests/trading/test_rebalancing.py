"""The specification's three names plan, price and carry out the real thing."""

from __future__ import annotations

import pytest

from dynamic.adapters.mandate_file import read_mandate
from dynamic.simulation.sample import SampleFeed
from dynamic.trading import rebalancing
from dynamic.workflows.carry_out import Ending
from dynamic.workflows.observe import observe
from tests.planning.treasury import AAVE, CONTEXT, GWEI, RULES, USD, WBTC, fair, move, proposal
from tests.planning.treasury import situation as a_situation
from tests.workflows.world import World


@pytest.mark.req("RB-22")
def test_rb_interface_plans_and_prices() -> None:
    found = rebalancing.plan_rebalancing(
        proposal(move(AAVE, 10_000 * USD, WBTC)), a_situation(), fair(), RULES, CONTEXT
    )
    assert found is not None
    assert rebalancing.estimate_gas_costs(found, 20 * GWEI, 2_000 * USD) > 0


@pytest.mark.req("RB-22")
def test_rb_interface_carries_out_the_plan_in_hand() -> None:
    world = World(SampleFeed(1), read_mandate().under("replay"))
    world.restart()
    world.cycle(world.first_s)
    assert world.memory.plan is not None
    legs = world.memory.plan.plan.legs
    world.sign("ann", "bob")
    view = observe(world.memory, world.io, world.mandate, world.first_s)
    passage = rebalancing.execute_rebalancing_plan(
        world.memory, view, world.io, world.mandate, "accumulation", 0
    )
    assert (passage.ending, passage.settled) == (Ending.DONE, legs)
    world.check_books()
