"""Playing: a treasury lives through a recorded market at a chosen speed, with people watching.

    history --speed--> engine.cycle, day by day --end of history--> one cycle an hour, wall clock

While a plan waits for signatures the market's clock stands still for a while, so that whoever
watches may sign or reject; then the demo's own people sign, under names that say what they are.
Everything goes through the engine, so the dashboard and the player take turns on one lock.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from dynamic.errors import Conflict, DynamicError, NotFound, Refused
from dynamic.planning.plan import PlanState
from dynamic.policy.situation import SwitchState
from dynamic.records import PlanRecord
from dynamic.trading.opening import Treasury
from dynamic.units import DAY_S, HOUR_S
from dynamic.workflows.approve import Signature

OPERATOR: Final = "demo-operator (simulated)"
APPROVER: Final = "demo-approver (simulated)"
SECOND: Final = "demo-second-approver (simulated)"
PEOPLE: Final = (APPROVER, SECOND)
LOOK_S: Final = 0.2  # how often a waiting player looks whether somebody has signed
LEAST_PATIENCE_S: Final = 3.0
OPENING_S: Final = 2.0  # while the capital is first put to work: a demo should live at once

log = structlog.get_logger("dynamic.demo")


class DemoClock:
    """The market's time: told while history plays, then as fast as the wall clock."""

    def __init__(self, start_s: int, ticks: Callable[[], float] = time.monotonic) -> None:
        self._at_s = start_s
        self._ticks = ticks
        self._released_at: float | None = None

    def now_s(self) -> int:
        """Return the market's time."""
        if self._released_at is None:
            return self._at_s
        return self._at_s + int(self._ticks() - self._released_at)

    def move_to(self, at_s: int) -> None:
        """Advance to an instant; an earlier one changes nothing, since time never runs back."""
        self._at_s = max(self._at_s, at_s)

    def release(self, at_s: int | None = None) -> None:
        """Let time run by itself from here, or from a later instant."""
        if at_s is not None:
            self.move_to(at_s)
        self._released_at = self._ticks()

    @property
    def is_playing(self) -> bool:
        """True while history is played."""
        return self._released_at is None


def raise_for_demo(treasury: Treasury) -> None:
    """Let the demo's two people raise a switch that nobody has touched (I-19).

    A switch that somebody halted in an earlier run stays where it is.
    """
    if treasury.switch.state() is SwitchState.HALTED and not treasury.switch.log():
        treasury.switch.raise_to(
            SwitchState.ACTIVE, (OPERATOR, APPROVER), "start of the demo", treasury.clock.now_s()
        )


def left_to_play(treasury: Treasury, instants: range) -> range:
    """Return the instants after the last one this treasury has lived through."""
    last = treasury.reader.latest_nav()
    if last is None or last["at_s"] < instants[0]:
        return instants
    left = range(last["at_s"] + instants.step, instants.stop, instants.step)
    return left or range(last["at_s"], last["at_s"] + 1)


class Player:
    """Plays one market for one treasury; `run` is for a thread of its own."""

    def __init__(
        self,
        treasury: Treasury,
        clock: DemoClock,
        instants: Sequence[int],
        *,
        days_per_s: float,
        patience_s: float | None,
    ) -> None:
        """`patience_s` is how long people may take to sign; None waits for ever.

        It halves whenever nobody signed, and is whole again as soon as somebody has.
        """
        self._treasury = treasury
        self._clock = clock
        self._instants = instants
        self._days_per_s = days_per_s
        self._patience_s = self._full_patience_s = patience_s
        self._stop = threading.Event()
        self._signed_until_s = 0
        marks = treasury.reader.nav_series(max_points=2)
        born_s = marks[0]["at_s"] if marks else instants[0]
        self._opening_until_s = born_s + treasury.mandate.authority.staged_deploy_s
        self.failures = 0
        # Names the time to go on at when history ends; without it, where history ended.
        self.goes_on_at: Callable[[], int] | None = None

    def stop(self) -> None:
        """Ask the player to end between two cycles."""
        self._stop.set()

    def run(self) -> None:
        """Play to the end of history, then live on: one cycle an hour of the wall clock."""
        due, step_s = time.monotonic(), 0.0
        before_s: int | None = None
        for at_s in self._instants:
            if before_s is not None:
                step_s = (at_s - before_s) / DAY_S / self._days_per_s
            before_s, due = at_s, max(due + step_s, time.monotonic() - 1.0)
            if self._stop.wait(max(due - time.monotonic(), 0.0)):
                return
            waited_s = self.step(at_s)
            due += waited_s
        self._clock.release(None if self.goes_on_at is None else self.goes_on_at())
        while not self._stop.wait(HOUR_S):
            self.step(self._clock.now_s())

    def step(self, at_s: int) -> float:
        """Live through one instant; return the seconds that people were waited for."""
        self._clock.move_to(at_s)
        try:
            self._renew_policy(at_s)
            self._treasury.engine.cycle()
            return self._let_people_sign(at_s)
        except DynamicError as problem:
            self.failures += 1
            log.warning("a cycle of the demo failed", code=problem.code, reason=problem.message)
            self._treasury.notifier.alert("warning", "cycle-failed", problem.message, at_s)
            return 0.0

    def _let_people_sign(self, at_s: int) -> float:
        waited_s = 0.0
        for _ in range(len(PEOPLE)):
            record = self._waiting()
            if record is None or self._stop.is_set():
                return waited_s
            waited_s += self._wait_for_people(record, at_s)
            for name in PEOPLE:
                if self._stop.is_set() or not self._still_waits(record):
                    break
                self._sign(record, name)
        return waited_s

    def _waiting(self) -> PlanRecord | None:
        found = self._treasury.reader.plan_records([PlanState.PENDING_APPROVAL])
        return found[-1] if found else None

    def _still_waits(self, record: PlanRecord) -> bool:
        row = self._treasury.reader.plan(record.plan.plan_id)
        return row is not None and row["state"] == PlanState.PENDING_APPROVAL.value

    def _wait_for_people(self, record: PlanRecord, at_s: int) -> float:
        """Hold the market's clock until somebody decides or patience ends."""
        begun, patience = time.monotonic(), self._patience_s
        if patience is not None and at_s <= self._opening_until_s:
            patience = min(patience, OPENING_S)
        given = len(self._treasury.reader.approvals(record.plan.plan_id))
        has_decided = False
        while not has_decided and not self._stop.wait(LOOK_S):
            if patience is not None and time.monotonic() - begun >= patience:
                break
            has_decided = (
                not self._still_waits(record)
                or len(self._treasury.reader.approvals(record.plan.plan_id)) > given
            )  # one person may have signed of two; the demo's second one follows
        if self._full_patience_s is not None and at_s > self._opening_until_s:
            tired_s = max((self._patience_s or 0.0) / 2, LEAST_PATIENCE_S)
            self._patience_s = self._full_patience_s if has_decided else tired_s
        return time.monotonic() - begun

    def _sign(self, record: PlanRecord, name: str) -> None:
        plan = record.plan
        note = "signed by the demo, not by a person"
        signature = Signature(plan.plan_id, plan.digest, name, True, note)
        try:
            if self._treasury.engine.sign(signature).state is PlanState.APPROVED:
                self._treasury.engine.cycle()
        except (Conflict, NotFound, Refused) as late:
            log.info("somebody decided first", plan=plan.plan_id, reason=late.message)

    def _renew_policy(self, at_s: int) -> None:
        """Let the demo's people renew the emergency policy before it ends (C-04)."""
        if self._signed_until_s < at_s + DAY_S:
            days = self._treasury.mandate.authority.policy_signature_days
            self._signed_until_s = at_s + days * DAY_S
            self._treasury.engine.renew_policy(self._signed_until_s, (OPERATOR, APPROVER))
