"""A real paper treasury: sample market, paper venue, SQLite and a switch file.

`World.restart` is what a process start is: a new engine on the same store, venue and switch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dynamic.adapters.mandate_file import default_text
from dynamic.adapters.notify.log import LogNotifier
from dynamic.adapters.storage.store import SqlStore
from dynamic.adapters.switch_file import SwitchFile
from dynamic.adapters.venues.paper import PaperVenue
from dynamic.market.observation import Observation
from dynamic.planning.plan import PlanState
from dynamic.policy.mandate import Mandate
from dynamic.policy.situation import SwitchState
from dynamic.ports import Order, Receipt
from dynamic.simulation.clock import ManualClock
from dynamic.simulation.sample import SampleFeed
from dynamic.trading.engine import Engine
from dynamic.trading.opening import beginning
from dynamic.trading.paper import PaperTreasury, compose
from dynamic.trading.service import PaperService, Setting
from dynamic.trading.views import DecisionView, PlanView, SourceView
from dynamic.units import DAY_S, HOUR_S

PEOPLE = ("ann", "bob")
START_DAY = 30  # of seed 1: accumulation, so that the treasury buys from its third day on


class TurnedFeed:
    """A feed some of whose values are changed or hidden; `when_asked` runs before each answer."""

    def __init__(self, feed: SampleFeed) -> None:
        self._feed = feed
        self.hidden: set[str] = set()
        self.scaled_bps: dict[str, int] = {}
        self.when_asked: Callable[[], None] = lambda: None

    def observe(self, now_s: int) -> Sequence[Observation]:
        """Return what is left, scaled."""
        self.when_asked()
        found = []
        for o in self._feed.observe(now_s):
            if o.key not in self.hidden:
                bps = self.scaled_bps.get(o.key)
                found.append(o if bps is None else replace(o, value=o.value * bps // 10_000))
        return found

    def history(self, key: str, until_s: int) -> Sequence[Observation]:
        """Return the unchanged past."""
        return self._feed.history(key, until_s)


class WatchedVenue(PaperVenue):
    """A paper venue that calls `when_sent` before it carries an order out."""

    when_sent: Callable[[Order], None] = staticmethod(lambda order: None)  # type: ignore[assignment]

    def send(self, order: Order, now_s: int) -> Receipt | None:
        """Send, watched."""
        self.when_sent(order)
        return super().send(order, now_s)


@dataclass
class World:
    """What outlives a process, and the process of the day."""

    mandate: Mandate
    feed: TurnedFeed
    clock: ManualClock
    store: SqlStore
    switch: SwitchFile
    first_s: int
    parts: PaperTreasury
    engine: Engine
    service: PaperService
    notifier: LogNotifier

    @property
    def venue(self) -> PaperVenue:
        """The paper world."""
        return self.parts.venue

    def restart(self) -> None:
        """Begin as a process does, from what is stored alone."""
        self.engine = Engine(self.parts, beginning(self.parts, self.feed, self.clock))
        self.service = PaperService(
            self.engine, self.store.reader(), self.switch, setting(self.clock)
        )

    def go(self, days: float = 0, hours: int = 0) -> int:
        """Move the clock on; return the new instant."""
        self.clock.move_to(self.clock.now_s() + int(days * DAY_S) + hours * HOUR_S)
        return self.clock.now_s()

    def sign_all(self, people: Sequence[str] = PEOPLE) -> None:
        """Let people sign whatever waits, as often as it takes."""
        for _ in range(5):
            waiting = self.service.pending()
            if not waiting:
                return
            plan = plan_of(waiting[0])
            signed = {each.operator for each in plan.signatures}
            for name in [n for n in people if n not in signed]:
                if self.service.pending():
                    self.service.decide(waiting[0].decision_id, name, True, "seen", plan.digest)

    def live(self, days: int, *, sign: bool = True) -> None:
        """Live day by day; people sign what waits, and keep the emergency policy alive."""
        for _ in range(days):
            self.engine.renew_policy(self.clock.now_s() + 30 * DAY_S, PEOPLE)
            self.engine.cycle()
            if sign:
                self.sign_all()
            self.go(days=1)

    def deploy(self) -> None:
        """Put the capital to work: the base layer stands, and its 48 h have begun."""
        self.engine.renew_policy(self.clock.now_s() + 30 * DAY_S, PEOPLE)
        self.engine.cycle()
        self.sign_all()
        assert self.engine.plan() is None

    def check_books(self) -> None:
        """Books are venue to the base unit, balanced, and vouched for by the audit chain."""
        self.engine.inspect(lambda memory: memory.book.check())
        assert self.service.reconcile().residues == ()
        evidence = self.store.reader().verify_audit()
        assert evidence["holds"], evidence

    def open_plan_state(self) -> PlanState | None:
        """Where the plan in hand stands."""
        record = self.engine.plan()
        return None if record is None else record.state


def plan_of(decision: DecisionView) -> PlanView:
    """The plan of a decision that has one."""
    assert decision.plan is not None
    return decision.plan


def setting(clock: ManualClock) -> Setting:
    """What the composition says of itself."""
    return Setting(
        label=lambda: "paper · test",
        is_synthetic=True,
        mandate_text=default_text(),
        sources=lambda: (SourceView("sample", True, clock.now_s(), None, 0),),
    )


def build(
    sample: SampleFeed, mandate: Mandate, home: Path, *, url: str = "sqlite://", active: bool = True
) -> World:
    """Put a treasury together at `home`; its switch is ACTIVE unless said otherwise."""
    first_s = sample.span()[0] + START_DAY * DAY_S + 10 * HOUR_S
    clock, feed = ManualClock(first_s), TurnedFeed(sample)
    switch, notifier = SwitchFile(home / "switch.json"), LogNotifier()
    if active:
        switch.raise_to(SwitchState.ACTIVE, PEOPLE, "start", first_s)
    store = SqlStore(url, durable=False)
    parts = compose(mandate, feed, store, clock, switch, notifier)
    parts.venue.__class__ = WatchedVenue
    world = World(
        mandate, feed, clock, store, switch, first_s, parts, None, None, notifier  # type: ignore[arg-type]
    )  # fmt: skip
    world.restart()
    return world
