"""Replaying: one run of the paper treasury through recorded or sampled time, and what came of it.

run     : Course -> Outcome              state_hash is the same for the same course, anywhere
compare : the ladder as written, with C-62's stages, and as shipped, side by side
check   : the same past under another future must make the same decisions
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from dynamic.adapters.storage.group import GroupCommit
from dynamic.adapters.storage.store import SqlStore
from dynamic.errors import Refused
from dynamic.market.recording import Future
from dynamic.performance.metrics import NavPoint, apy, daily_returns, max_drawdown, sharpe
from dynamic.planning.plan import LegKind
from dynamic.policy.mandate import Mandate, with_sizing_mode
from dynamic.records import DecisionOutcome
from dynamic.signals.volatility import Ewma, decay_for_days, is_above_guard
from dynamic.simulation.clock import ManualClock
from dynamic.simulation.replay import Replay, Span
from dynamic.trading.paper import AlwaysActive, PaperTreasury, Recorded, compose, pay_in, warm_up
from dynamic.units import BPS, DAY_S, iso
from dynamic.workflows.memory import Memory, recover
from dynamic.workflows.treasury_cycle import CycleReport

MODES: Final = ("ladder", "stages", "default")
MEMORY_STORE: Final = "sqlite://"


class ReplayFeed(Recorded, Protocol):
    """A feed whose end is known and whose future can be altered."""

    def span(self) -> tuple[int, int]:
        """Return the first and last instant it can serve."""
        ...

    def with_future(self, after_s: int, mode: Future | str, seed: int) -> "ReplayFeed":
        """Return a feed whose values known after `after_s` are shuffled or cut off."""
        ...


@dataclass(frozen=True, slots=True)
class Course:
    """What to live through: a feed, a span, the mandate, and where to write."""

    feed: ReplayFeed
    span: Span
    mandate: Mandate
    store_url: str = MEMORY_STORE
    group: int = 500
    has_memory: bool = True  # the ladder knows the history before the first day
    sign_after_s: int | None = 0  # how long the replay's people take to sign; None: there are none


@dataclass(slots=True)
class Tally:
    """What is counted along the way."""

    cycles: int = 0
    decisions: int = 0
    held: int = 0
    planned: int = 0
    denied: int = 0
    pending: int = 0
    residues: int = 0
    unmarked: int = 0
    unexplained_usd_micro: int = 0
    volatile_bps_after_order_max: int = 0
    guard_red: int = 0
    alerts: int = 0
    trades: int = 0
    traded_usd_micro: int = 0


class Quiet:
    """The notifier of a replay: it counts."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def alert(self, severity: str, code: str, message: str, at_s: int) -> None:  # noqa: ARG002
        """Count one alert; nobody is on duty in recorded time."""
        self._tally.alerts += 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a course ended. `seconds` is the wall time of its cycles."""

    course: Course
    tally: Tally
    points: tuple[NavPoint, ...]
    benchmarks: dict[str, int]
    attribution: dict[str, int]
    state_hash: str
    audit_seq: int
    seconds: float

    def report(self) -> dict[str, object]:
        """Return the report with stable field names."""
        daily = daily_returns(self.points)
        fall = max_drawdown(self.points)
        nav = [p.nav_usd_micro for p in self.points]
        yearly = apy(self.points)
        years = (self.points[-1].at_s - self.points[0].at_s) / (365 * DAY_S)
        tally = self.tally
        return {
            "mode": self.course.mandate.sizing.mode,
            "has_memory": self.course.has_memory,
            "first": iso(self.course.span.first_s),
            "last": iso(self.course.span.last_s),
            "cycles": tally.cycles,
            "cycles_per_second": round(tally.cycles / self.seconds, 1),
            "nav_usd": f"{nav[-1] / 1e6:.2f}",
            "annual_return": None if yearly is None else yearly.fraction,
            "max_drawdown": None if fall is None else fall.fraction,
            "sharpe": sharpe(daily),
            "trades": tally.trades,
            "turnover_per_year": tally.traded_usd_micro / (sum(nav) / len(nav)) / years,
            "decisions": tally.decisions,
            "held": tally.held,
            "planned": tally.planned,
            "pending_approval": tally.pending,
            "denied": tally.denied,
            "volatile_bps_after_order_max": tally.volatile_bps_after_order_max,
            "volatility_guard_red_share": tally.guard_red / tally.cycles,
            "residues": tally.residues,
            "unmarked": tally.unmarked,
            "alerts": tally.alerts,
            "attribution_usd": {name: v / 1e6 for name, v in self.attribution.items()},
            "attribution_residual": tally.unexplained_usd_micro / 1e6,
            "benchmarks_usd": {name: v / 1e6 for name, v in self.benchmarks.items()},
            "audit_events": self.audit_seq,
            "state_hash": self.state_hash,
        }


def under_mode(mandate: Mandate, mode: str) -> Mandate:
    """Return the mandate with another sizing mode, and its own digest."""
    if mode not in MODES:
        raise Refused(f"expected a sizing mode of {', '.join(MODES)}, found {mode!r}")
    if mode == mandate.sizing.mode:
        return mandate
    if mode == "ladder":  # as written it knows no stages: they begin where nothing is left
        stages = replace(mandate.drawdown, warn_bps=BPS - 2, reduce_bps=BPS - 1, exit_bps=BPS)
        mandate = replace(mandate, drawdown=stages)
    return with_sizing_mode(mandate, mode)


def checked_span(feed: ReplayFeed, first_s: int | None, last_s: int | None, step_s: int) -> Span:
    """Return the span asked for, inside what the feed can serve; Refused outside of it."""
    known_first, known_last = feed.span()
    first = known_first if first_s is None else first_s
    last = known_last if last_s is None else last_s
    if not known_first <= first <= last <= known_last:
        raise Refused(
            f"expected a span inside {iso(known_first)} .. {iso(known_last)}, "
            f"found {iso(first)} .. {iso(last)}; nothing was replayed"
        )
    return Span(first, last, step_s)


class Journey:
    """A course under way: composed, funded, one cycle at a time."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.tally = Tally()
        durable = course.store_url != MEMORY_STORE
        self.store = GroupCommit(SqlStore(course.store_url, durable=durable), course.group)
        self.memory: Memory = recover(self.store.recover())
        if self.memory.diary.cycle_no:
            self.store.close()
            raise Refused(f"expected an empty store, found one with a past at {course.store_url}")
        self.clock = ManualClock(course.span.first_s)
        mandate = course.mandate
        self.treasury: PaperTreasury = compose(
            mandate, course.feed, self.store, self.clock, AlwaysActive(), Quiet(self.tally)
        )
        if course.has_memory:
            eve = course.span.first_s - DAY_S
            warm_up(self.memory, course.feed, eve, self.treasury.parameters)
        pay_in(self.treasury, self.memory, course.span.first_s)
        self.replay = Replay(
            self.clock, self.memory, self.treasury.io, mandate, self.treasury.parameters,
            people_sign=course.sign_after_s is not None, sign_after_s=course.sign_after_s or 0,
        )  # fmt: skip
        self._points: list[NavPoint] = []
        self._parts: dict[str, int] = {}
        self._benchmarks: dict[str, int] = {}
        self._ewma = Ewma()

    def cycles(self) -> Iterator[CycleReport]:
        """Live through the whole span."""
        for report in self.replay.run(self.course.span):
            self._count(report)
            yield report

    def finish(self, seconds: float) -> Outcome:
        """Close the store and return what came of it."""
        self.store.flush()
        return Outcome(
            course=self.course,
            tally=self.tally,
            points=tuple(self._points),
            benchmarks=self._benchmarks,
            attribution=self._parts,
            state_hash=self.memory.state_hash(),
            audit_seq=self.memory.audit.seq,
            seconds=seconds,
        )

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    def _count(self, report: CycleReport) -> None:
        tally = self.tally
        tally.cycles += 1
        tally.residues += len(report.residues.residues)
        for decision in report.decisions:
            tally.decisions += 1
            outcome = decision.outcome
            tally.held += outcome is DecisionOutcome.HELD
            tally.denied += outcome is DecisionOutcome.DENIED
            tally.pending += outcome is DecisionOutcome.PENDING_APPROVAL
            tally.planned += outcome is DecisionOutcome.PLANNED
        for leg in report.settled:
            if leg.kind is LegKind.SWAP:
                tally.trades += 1
                tally.traded_usd_micro += leg.notional_usd_micro
        btc = report.view.prices.get("BTC")
        if btc is not None:
            self._ewma = self._ewma.with_close(report.at_s // DAY_S, btc, GUARD_DECAY)
            tally.guard_red += is_above_guard(self._ewma.annualised(), VOLATILITY_GUARD_BPS)
        marked = report.marked
        if marked is None:
            tally.unmarked += 1
            return
        nav, parts = marked.record, marked.attribution
        before = self._points[-1].nav_usd_micro if self._points else 0
        tally.unexplained_usd_micro += unexplained(nav.nav_usd_micro - before, parts)
        self._points.append(NavPoint(nav.at_s, nav.nav_usd_micro, parts["flows"]))
        for name, value in parts.items():
            self._parts[name] = self._parts.get(name, 0) + value
        self._benchmarks = marked.benchmarks
        if self.memory.sizing.bought_day == report.at_s // DAY_S:
            share = -(-nav.volatile_usd_micro * BPS // nav.nav_usd_micro)
            tally.volatile_bps_after_order_max = max(tally.volatile_bps_after_order_max, share)


def unexplained(change_usd_micro: int, parts: Mapping[str, int]) -> int:
    """Return the usd_micro of a change of NAV that its recorded parts leave over or overdo.

    NAV and parts are stored as whole micros, both rounded down, so a change may exceed its
    parts by one micro; that one is rounding, and anything else is a residual.
    """
    gap = change_usd_micro - sum(parts.values())
    return abs(gap - min(max(gap, 0), 1))


def run(course: Course, watch: Callable[[CycleReport], None] | None = None) -> Outcome:
    """Live through a course from beginning to end; `watch` sees every cycle."""
    journey = Journey(course)
    try:
        begun = time.perf_counter()
        for report in journey.cycles():
            if watch is not None:
                watch(report)
        return journey.finish(time.perf_counter() - begun)
    finally:
        journey.close()


def compare(course: Course, watch: Callable[[CycleReport], None] | None = None) -> list[Outcome]:
    """Run the course under every sizing mode; with and without the ladder's memory of the past."""
    return [
        run(
            replace(
                course, mandate=under_mode(course.mandate, mode), has_memory=has_memory,
                store_url=MEMORY_STORE,
            ),
            watch,
        )
        for has_memory in (True, False)
        for mode in MODES
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Peek:
    """One altered future: where it began, how it was altered, and whether the past held."""

    after_s: int
    future: str
    held: bool


def check_lookahead(course: Course, cuts: int = 3, seed: int = 1) -> list[Peek]:
    """Alter the future at several instants; every decision up to there must stay the same.

    The audit head after each cycle stands for everything decided so far.
    """
    heads: dict[int, str] = {}
    course = replace(course, store_url=MEMORY_STORE)
    _follow(course, course.span, heads)
    instants = list(heads)
    peeks = []
    for number in range(1, cuts + 1):
        at_s = instants[len(instants) * number // (cuts + 1)]
        for future in Future:
            altered = replace(course, feed=course.feed.with_future(at_s, future, seed))
            found: dict[int, str] = {}
            _follow(altered, replace(course.span, last_s=at_s), found)
            peeks.append(Peek(at_s, future.value, found[at_s] == heads[at_s]))
    return peeks


def _follow(course: Course, span: Span, heads: dict[int, str]) -> None:
    journey = Journey(replace(course, span=span))
    try:
        for report in journey.cycles():
            heads[report.at_s] = journey.memory.audit.head
    finally:
        journey.close()


VOLATILITY_GUARD_BPS: Final = 4_000  # C-29's guard, reported here and applied to DCT's treasury
GUARD_DECAY: Final = decay_for_days(30)
