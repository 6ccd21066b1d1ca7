"""Killed before and after every single commit: the restart ends where no crash would have (I-13).

A restart is itself written down, so identifiers and the audit head may differ. What must not
differ is the money: what is held where, what it cost, what the peak and the plan are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from dynamic.units import DAY_S
from tests.workflows.conftest import Begin
from tests.workflows.world import Killed, World

DAYS = 4  # the first deployment with two signatures, the 48 h watch, and buys


def money(world: World) -> dict[str, object]:
    """Everything of the treasury that money depends on."""
    memory = world.memory
    lots = memory.lots
    return {
        "books": memory.position_units(),
        "venue": dict(world.venue.balances(world.clock.now_s())),
        "lots": {
            symbol: [
                (lot.units, lot.cost_usd_micro, lot.acquired_at_s) for lot in lots.lots(symbol)
            ]
            for symbol in lots.assets()
        },
        "sizing": memory.sizing,
        "plan": memory.plan,
        "moves": sorted((m.at_s, m.direction, m.notional_usd_micro) for m in memory.past_moves),
        "nav": memory.last_nav_usd_micro,
        "benchmarks": memory.benchmarks and memory.benchmarks.payload(),
        "gas": memory.diary.month_gas_usd_micro,
        "scaled": memory.diary.scaled,
        "since": (memory.diary.funded_at_s, memory.diary.base_deployed_at_s),
    }


def survive(world: World, days: int, on_restart: Callable[[], None] = lambda: None) -> int:
    """Live through days; whenever the process dies, begin again at the same instant."""
    deaths = number = 0
    while number <= days:
        try:
            if world.memory.diary.funded_at_s is None:
                world.restart()
            world.day_at(world.first_s + number * DAY_S)
        except Killed:
            deaths += 1
            world.memory = type(world.memory)()
            on_restart()
            world.restart_quietly()
            continue
        number += 1
    return deaths


def effects(world: World) -> Counter[str]:
    """How often each leg was booked."""
    kinds = {"trade", "deposit", "withdraw", "redeem"}
    return Counter(e.ref for e in world.sql.reader().entry_records() if e.kind.value in kinds)


@pytest.fixture(scope="module")
def unharmed(fresh: Begin) -> tuple[int, dict[str, object], int]:
    """How many commits it takes, where it ends, and how many legs it books without a crash."""
    world = fresh()
    assert survive(world, DAYS) == 0
    world.check_books()
    assert len(effects(world)) > 6
    return world.store.commits, money(world), len(effects(world))


@pytest.mark.slow
@pytest.mark.req("OP-13", "RB-10", "RB-18")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_op_crash_matrix(
    unharmed: tuple[int, dict[str, object], int], fresh: Begin, after: bool
) -> None:
    """Kill at each of n commits: exactly one effect each, and the same end."""
    commits, expected, legs = unharmed
    for number in range(1, commits + 1):
        world = fresh()
        world.store.dies_at, world.store.after = number, after
        assert survive(world, DAYS) == 1, number
        world.check_books()
        assert set(effects(world).values()) == {1}, number
        assert len(effects(world)) == legs, number
        assert money(world) == expected, number


@pytest.mark.req("OP-13")
def test_op_a_process_that_dies_at_every_commit_still_arrives(
    unharmed: tuple[int, dict[str, object], int], fresh: Begin
) -> None:
    """It dies after each commit it ever makes, and goes on from there each time."""
    world = fresh()
    world.store.dies_at, world.store.after = 1, True

    def die_again() -> None:
        world.store.dies_at = world.store.commits + 1 if world.store.commits < 60 else None

    assert survive(world, DAYS, die_again) >= 60 - 1
    world.check_books()
    assert set(effects(world).values()) == {1}


@pytest.mark.req("OP-13")
def test_op_what_recovers_is_what_was_remembered(begin: Begin) -> None:
    """The state hash of a restarted process equals the one that ran, after every day."""
    world = begin()
    for number in range(12):
        world.day(number)
        before = world.memory.state_hash()
        world.restart()
        assert world.memory.state_hash() == before
