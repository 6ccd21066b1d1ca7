"""The schedule: cadence by a clock that is told the time, and what a failing job costs."""

from __future__ import annotations

import pytest

from dynamic.adapters.notify.log import LogNotifier
from dynamic.errors import DataUnfit, InvariantBroken
from dynamic.simulation.clock import ManualClock
from dynamic.trading.schedule import Job, Loop

HOUR = 3_600
START = 1_700_000_000


def loop_of(*jobs: Job) -> Loop:
    return Loop(ManualClock(START), jobs, LogNotifier(), retry_s=300)


@pytest.mark.req("PE-01")
def test_pe_cadence_three_hours_are_three_cycles() -> None:
    ran: list[int] = []
    now = [START]
    job = Job("cycle", HOUR, "", lambda: ran.append(now[0]), last_at_s=START)
    loop = loop_of(job)
    for at_s in range(START, START + 3 * HOUR + 1, 60):
        now[0] = at_s
        loop.run_due(at_s)
    assert ran == [START + HOUR, START + 2 * HOUR, START + 3 * HOUR]


def test_one_second_early_is_early_and_a_missed_day_is_made_up_once() -> None:
    ran: list[str] = []
    loop = loop_of(Job("cycle", HOUR, "", lambda: ran.append("x"), last_at_s=START))
    assert loop.run_due(START + HOUR - 1) == []
    assert loop.run_due(START + 24 * HOUR) == ["cycle"]
    assert loop.run_due(START + 24 * HOUR + 1) == []
    assert ran == ["x"]


def test_a_new_treasury_does_everything_at_once() -> None:
    loop = loop_of(Job("cycle", HOUR, "", lambda: None), Job("daily-state", 86_400, "", int))
    assert loop.run_due(START) == ["cycle", "daily-state"]


def test_a_failing_job_is_said_retried_and_holds_nobody_up() -> None:
    outcomes = iter([DataUnfit("no price"), None])
    ran: list[str] = []

    def cycle() -> None:
        outcome = next(outcomes)
        if outcome is not None:
            raise outcome

    notifier = LogNotifier()
    loop = Loop(
        ManualClock(START),
        [Job("cycle", HOUR, "", cycle), Job("daily-state", 86_400, "", lambda: ran.append("y"))],
        notifier,
        retry_s=300,
    )
    assert loop.run_due(START) == ["daily-state"]
    assert [alert.code for alert in notifier.recent()] == ["job-cycle"]
    assert loop.run_due(START + 299) == []
    assert loop.run_due(START + 300) == ["cycle"]
    assert loop.run_due(START + 300 + HOUR - 1) == []


def test_a_broken_invariant_ends_the_loop() -> None:
    def lie() -> None:
        raise InvariantBroken("two and two are five")

    loop = loop_of(Job("cycle", HOUR, "", lie))
    with pytest.raises(InvariantBroken):
        loop.run()
