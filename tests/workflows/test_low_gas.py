"""What was held because gas was dear is done when gas is cheap, and is not forgotten meanwhile."""

from __future__ import annotations

import pytest

from dynamic.records import DecisionOutcome
from dynamic.signals.signal import Trigger
from tests.workflows.conftest import Begin
from tests.workflows.world import World

DEAR, CHEAP = {"gas:ethereum": 30_000}, {"gas:ethereum": 100}


def triggers(world: World, number: int) -> dict[str, DecisionOutcome]:
    """Live through one day; what was decided, by its trigger."""
    return {d.trigger: d.outcome for d in world.day(number).decisions}


@pytest.mark.req("RB-08")
def test_rb_opportunistic_what_waited_for_gas_is_done_when_it_is_cheap(begin: Begin) -> None:
    world = begin()
    world.until(13)
    assert not world.memory.diary.waits_for_gas
    world.feed.scaled_bps = DEAR
    report = world.day(14)
    assert report.decisions[0].outcome is DecisionOutcome.HELD
    assert "gas" in report.decisions[0].reasoning
    assert world.memory.diary.waits_for_gas
    for number in range(15, 30):
        assert Trigger.LOW_GAS.value not in triggers(world, number)
    assert world.memory.diary.waits_for_gas
    world.restart()
    assert world.memory.diary.waits_for_gas, "a restart forgets nothing that waits"
    world.feed.scaled_bps = CHEAP
    assert triggers(world, 30)[Trigger.LOW_GAS.value] is DecisionOutcome.PLANNED
    assert not world.memory.diary.waits_for_gas


@pytest.mark.req("RB-08")
def test_rb_opportunistic_cheap_gas_alone_is_no_reason(begin: Begin) -> None:
    world = begin()
    world.until(13)
    world.feed.scaled_bps = CHEAP
    for number in range(14, 30):
        assert Trigger.LOW_GAS.value not in triggers(world, number)
