"""A paper treasury in a seeded market whose switch, market, venue, advisor and store misbehave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from dynamic.adapters.storage.store import SqlStore
from dynamic.adapters.venues.faults import Fault, Faults
from dynamic.adapters.venues.paper import PaperVenue
from dynamic.decision.advice import Advice
from dynamic.decision.rule_advisor import RuleAdvisor
from dynamic.market.observation import Observation
from dynamic.planning.plan import PlanState
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Position, Proposal
from dynamic.policy.situation import Situation, SwitchState
from dynamic.ports import Advisor, Ports, Store
from dynamic.records import Batch, PlanRecord, Recovered
from dynamic.simulation.clock import ManualClock
from dynamic.simulation.sample import SampleFeed
from dynamic.trading.paper import PaperFeed, PaperTreasury, paper_costs, pay_in, warm_up
from dynamic.units import DAY_S
from dynamic.workflows.approve import Signature, sign
from dynamic.workflows.instruments import registry
from dynamic.workflows.memory import Memory, recover
from dynamic.workflows.parameters import Parameters
from dynamic.workflows.treasury_cycle import PASSES_MAX, CycleReport, run_cycle

PEOPLE = ("ann", "bob")
SIGNED_MAX = 3
LENT = ("aave_v3", "USDC")
START_DAY = 30  # of seed 1: accumulation, so that the treasury buys from its third day on


class Killed(BaseException):
    """The process dies here; nothing may catch it."""


class Lever:
    """A switch whose state a test sets; `when_asked` may change it between two questions."""

    def __init__(self) -> None:
        self.now = SwitchState.ACTIVE
        self.when_asked: Callable[[], None] = lambda: None

    def state(self) -> SwitchState:
        """Return the state a test has set."""
        self.when_asked()
        return self.now

    def lower(self, to: SwitchState, actor: str, reason: str, now_s: int) -> None:
        """Lower it."""
        self.now = to


class Duty:
    """The people on duty: every alert, in order."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, str, str]] = []

    def alert(self, severity: str, code: str, message: str, at_s: int) -> None:
        """Write one down."""
        self.alerts.append((severity, code, message))

    def codes(self) -> set[str]:
        """What was called about."""
        return {code for _, code, _ in self.alerts}


class Turned:
    """A feed some of whose values are changed or hidden."""

    def __init__(self, feed: SampleFeed) -> None:
        self._feed = feed
        self.hidden: set[str] = set()
        self.scaled_bps: dict[str, int] = {}
        self.still_from_s: int | None = None  # the market stands still from here on

    def observe(self, now_s: int) -> Sequence[Observation]:
        """Return what is left."""
        if self.still_from_s is not None:
            now_s = min(now_s, self.still_from_s)
        return [
            replace(o, value=o.value * self.scaled_bps.get(o.key, 10_000) // 10_000)
            if o.key in self.scaled_bps
            else o
            for o in self._feed.observe(now_s)
            if o.key not in self.hidden
        ]

    def history(self, key: str, until_s: int) -> Sequence[Observation]:
        """Return the unchanged past."""
        return self._feed.history(key, until_s)


class Scripted:
    """Faults by a function of key and instant; every sending is written down."""

    def __init__(self, script: Callable[[str, int], Fault] = lambda key, at_s: Fault.NONE) -> None:
        self.script = script
        self.sent: list[str] = []

    def on_send(self, key: str, now_s: int) -> Fault:
        """Return the script's fault."""
        self.sent.append(key)
        return self.script(key, now_s)


class Says:
    """An advisor that says what a function says."""

    def __init__(self, say: Callable[[Proposal], Advice]) -> None:
        self._say = say

    def advise(
        self, proposal: Proposal, situation: Situation, dossier: Mapping[str, str]
    ) -> Advice:
        """Say it."""
        return self._say(proposal)


class Mortal:
    """A store whose process dies just before or just after its n-th commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.commits = 0
        self.dies_at: int | None = None
        self.after = False

    def commit(self, batch: Batch) -> None:
        """Commit, or die."""
        self.commits += 1
        dies = self.commits == self.dies_at
        if dies and not self.after:
            raise Killed
        self._store.commit(batch)
        if dies:
            raise Killed

    def recover(self) -> Recovered:
        """Read the store."""
        return self._store.recover()


class World:
    """Everything around one treasury. `restart` forgets all that is not stored."""

    def __init__(
        self,
        feed: SampleFeed,
        mandate: Mandate,
        faults: Faults | None = None,
        advisor: Advisor | None = None,
    ) -> None:
        self.first_s = feed.span()[0] + START_DAY * DAY_S
        self.feed, self.mandate = Turned(feed), mandate
        self.parameters = Parameters.of(mandate)
        self.venue = PaperVenue(registry(()), paper_costs(mandate, self.parameters), faults)
        self.sql = SqlStore("sqlite://", durable=False)
        self.store = Mortal(self.sql)
        self.switch, self.duty = Lever(), Duty()
        self.clock = ManualClock(self.first_s)
        self.io = Ports(
            self.clock, PaperFeed(self.feed, self.venue), self.venue,
            advisor or RuleAdvisor(mandate), self.switch, self.store, self.duty,
        )  # fmt: skip
        self.memory = Memory()

    def restart(self) -> None:
        """Begin as a process does: from the store alone."""
        self.memory = recover(self.store.recover())
        if self.memory.diary.funded_at_s is None:
            warm_up(self.memory, self.feed, self.first_s - DAY_S, self.parameters)
            treasury = PaperTreasury(self.venue, self.io, self.mandate, self.parameters)
            pay_in(treasury, self.memory, self.clock.now_s())

    def restart_quietly(self) -> None:
        """Begin again after a death; a world never funded is funded by the next attempt."""
        self.memory = recover(self.store.recover())

    def cycle(self, at_s: int | None = None) -> CycleReport:
        """Run one cycle, at an instant or now. The emergency policy stays signed."""
        if at_s is not None:
            self.clock.move_to(at_s)
        diary = self.memory.diary
        diary.policy_signed_until_s = self.first_s + 10_000 * DAY_S
        return run_cycle(self.memory, self.io, self.mandate, self.parameters)

    def sign(self, *people: str) -> PlanRecord:
        """Let people approve the plan that waits."""
        assert self.memory.plan is not None
        plan = self.memory.plan.plan
        for name in people:
            answer = Signature(plan.plan_id, plan.digest, name, True, "seen")
            record = sign(answer, self.memory, self.io, self.mandate)
        return record

    def day(self, number: int) -> CycleReport:
        """Live through one day: a cycle, and another where people have signed."""
        return self.day_at(self.first_s + number * DAY_S)

    def day_at(self, at_s: int) -> CycleReport:
        """Live through one instant: a cycle, and another after each plan that people signed."""
        report = self.cycle(at_s)
        for _ in range(SIGNED_MAX):
            waits = self.memory.plan
            if waits is None or waits.state is not PlanState.PENDING_APPROVAL:
                break
            signed = {approval.operator for approval in self.memory.approvals}
            for name in PEOPLE:
                waits = self.memory.plan
                if waits is None or waits.state is not PlanState.PENDING_APPROVAL:
                    break
                if name not in signed:
                    self.sign(name)
            report = self.cycle()
        return report

    def until(self, last: int, first: int = 0) -> CycleReport:
        """Live through days, both included."""
        for number in range(first, last + 1):
            report = self.day(number)
        return report

    def check_books(self) -> None:
        """What the books hold is what the venue holds, to the base unit; both chains hold."""
        held = {tuple(p): n for p, n in self.venue.balances(self.clock.now_s()).items()}
        booked = self.memory.book.position_units()
        # A pool may keep the last unit of each deposit; the next accrual books what it kept.
        kept = booked.get(LENT, 0) - held.get(LENT, 0)
        assert 0 <= kept <= PASSES_MAX
        assert booked | {LENT: 0} == held | {LENT: 0}
        self.memory.book.check()
        reader = self.sql.reader()
        assert recover(self.sql.recover()).book.balances == self.memory.book.balances
        evidence = reader.verify_audit()
        assert evidence["broken"] is None
        assert evidence["tx_logs_broken"] is None
        assert set(reader.linkage().values()) == {0}

    def held(self, location: str, asset: str) -> int:
        """What the books say we hold."""
        return self.memory.position_units().get(Position(location, asset), 0)
