"""What the treasury remembers between two instants; all of it can be rebuilt from the store.

    recover : Recovered -> Memory          the only way a process begins
    batch   : Memory -> Batch              whatever changes memory travels in a batch
    seal    : the batch takes memory's own state along, so both become durable together

A process whose commit failed throws its memory away and recovers: memory is never ahead of
the store by more than the batch in hand.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from dynamic.decision.sizing import SizingMemory
from dynamic.ledger.audit import AuditChain, entry_digest
from dynamic.ledger.book import Book
from dynamic.ledger.canonical import canonical_json, digest
from dynamic.ledger.entry import Entry
from dynamic.ledger.lots import LotBook
from dynamic.market.watch import PegState, PegWatch, PricePrint
from dynamic.performance.attribution import Mark
from dynamic.performance.benchmarks import Benchmarks
from dynamic.performance.decisions import DecisionClass, Tracked
from dynamic.policy.proposal import Position
from dynamic.policy.situation import PastMove
from dynamic.records import ApprovalRecord, Batch, PlanRecord, Recovered, StepRecord
from dynamic.signals.state import SignalState
from dynamic.units import DAY_S


@lru_cache(maxsize=1_024)  # the same few places, several times in every cycle
def _position(location: str, asset: str) -> Position:
    return Position(location, asset)


@dataclass(slots=True)
class Diary:
    """When things were last done, and the small counters that must survive a restart."""

    cycle_no: int = 0
    last_cycle_at_s: int | None = None
    last_rebalance_at_s: int | None = None
    last_review_at_s: int | None = None
    funded_at_s: int | None = None
    base_deployed_at_s: int | None = None
    delayed_until_s: int = 0
    proposer: str = "rules"  # of the plan in hand: nobody signs what they proposed
    planned_prices: dict[str, int] = field(default_factory=dict)  # usd_micro, when it was made
    waits_for_gas: bool = False  # something worth doing was held because gas was too dear
    policy_signed_until_s: int | None = None
    gas_wei_by_day: list[tuple[int, int]] = field(default_factory=list)  # (UTC day, wei)
    closes: list[tuple[int, int, int]] = field(default_factory=list)  # (UTC day, BTC, ETH) micro
    realised_day: int = 0  # UTC day of the gains below
    realised_usd_micro: int = 0
    month: int = 0  # UTC month of the gas sum below, as year x 12 + month
    month_gas_usd_micro: int = 0
    yield_index_ray: int = 0  # Aave's, at the last accrual
    scaled: int = 0  # our scaled balance there

    def gas_usd_micro_in_month_of(self, now_s: int) -> int:
        """Return the gas of the calendar month now; what an earlier month spent is over."""
        moment = datetime.fromtimestamp(now_s, UTC)
        is_now = self.month == moment.year * 12 + moment.month
        return self.month_gas_usd_micro if is_now else 0

    def to_payload(self) -> dict[str, object]:
        """Write the diary by field name; integers beyond 64 bits as text."""
        raw = {name: getattr(self, name) for name in self.__slots__}
        return raw | {"yield_index_ray": str(self.yield_index_ray), "scaled": str(self.scaled)}

    @classmethod
    def from_payload(cls, raw: Mapping[str, object]) -> "Diary":
        """Read a diary back; a field this version does not know is refused by name."""
        diary = cls(**raw)  # type: ignore[arg-type]
        diary.gas_wei_by_day = [(day, wei) for day, wei in diary.gas_wei_by_day]
        diary.closes = [(day, btc, eth) for day, btc, eth in diary.closes]
        diary.yield_index_ray, diary.scaled = int(diary.yield_index_ray), int(diary.scaled)
        return diary


@dataclass(slots=True)
class Memory:
    """The treasury's state: its books, its cycle, its plan in hand."""

    book: Book = field(default_factory=Book)
    lots: LotBook = field(default_factory=LotBook)
    audit: AuditChain = field(default_factory=AuditChain)
    signal: SignalState = field(default_factory=SignalState)
    sizing: SizingMemory = field(default_factory=SizingMemory)
    diary: Diary = field(default_factory=Diary)
    past_moves: tuple[PastMove, ...] = ()
    plan: PlanRecord | None = None
    approvals: list[ApprovalRecord] = field(default_factory=list)
    steps: dict[str, StepRecord] = field(default_factory=dict)
    opening: Mark | None = None  # the last NAV mark
    opening_parts: dict[str, int] = field(default_factory=dict)  # why NAV changed up to it
    posted: dict[tuple[str, str], int] = field(default_factory=dict)  # (account, asset), since it
    benchmarks: Benchmarks | None = None
    followed: list[tuple[Tracked, int]] = field(default_factory=list)  # and horizons measured
    last_nav_usd_micro: int = 0
    pegs: dict[str, PegWatch] = field(default_factory=dict)  # by dollar token
    prints: dict[tuple[str, str], list[PricePrint]] = field(default_factory=dict)  # a day of them

    def batch(self) -> Batch:
        """Start a batch."""
        return Batch()

    def note(
        self, batch: Batch, kind: str, actor: str, payload: Mapping[str, object], at_s: int
    ) -> None:
        """Append one event to the audit chain, in this batch."""
        batch.audit.append(self.audit.append(at_s, kind, actor, payload))

    def post(self, batch: Batch, entry: Entry) -> None:
        """Book an entry, in this batch, with its digest in the audit chain."""
        self.book.post(entry)
        batch.entries.append(entry)
        for p in entry.postings:
            key = (p.account, p.asset)
            self.posted[key] = self.posted.get(key, 0) + p.base_units
        payload = {"entry": entry.entry_id, "digest": entry_digest(entry)}
        self.note(batch, "entry", "engine", payload, entry.at_s)

    def remember_moves(self, moves: tuple[PastMove, ...], now_s: int, window_s: int) -> None:
        """Add moves; forget those no rolling sum and no UTC day can still reach."""
        oldest = now_s - max(window_s, DAY_S)
        kept = tuple(move for move in self.past_moves if move.at_s >= oldest)
        self.past_moves = kept + moves

    def seal(self, batch: Batch) -> None:
        """Let the batch carry memory's own state."""
        batch.states.update(
            {
                "signal": self.signal.to_payload,
                "sizing": self._sizing_payload,
                "diary": self._diary_payload,
                "moves": self._moves_payload,
                "lots": self._lots_payload,
                "mark": self._mark_payload,
                "benchmarks": self._benchmarks_payload,
                "followed": self._followed_payload,
                "pegs": self._pegs_payload,
                "prints": self._prints_payload,
            }
        )

    def state_hash(self) -> str:
        """Return one digest of everything remembered: books, cycle, audit head, all of it."""
        batch = self.batch()
        self.seal(batch)
        states = {
            name: text if isinstance(text, str) else text() for name, text in batch.states.items()
        }
        balances = [[*place, str(units)] for place, units in sorted(self.book.balances.items())]
        return digest({"audit": [self.audit.seq, self.audit.head], "books": balances} | states)

    def close_plan(self) -> None:
        """Forget the plan in hand; the store keeps it."""
        self.plan = None
        self.approvals = []
        self.steps = {}

    def position_units(self) -> dict[Position, int]:
        """Return what the books say we hold, by position."""
        return {_position(*place): units for place, units in self.book.position_units().items()}

    def _sizing_payload(self) -> str:
        s = self.sizing
        return canonical_json(
            [
                s.peak_usd_micro, s.ladder_bps, s.is_buying, s.is_paused, s.bought_day,
                s.target_usd_micro,
            ]
        )  # fmt: skip

    def _diary_payload(self) -> str:
        return canonical_json(self.diary.to_payload())

    def _moves_payload(self) -> str:
        return canonical_json(
            [
                [m.at_s, m.direction, m.notional_usd_micro, m.is_discretionary]
                for m in self.past_moves
            ]
        )

    def _lots_payload(self) -> str:
        return canonical_json(self.lots.to_payload())

    def _mark_payload(self) -> str:
        opening = self.opening
        held = None
        if opening is not None:
            held = [
                opening.at_s,
                [[*place, str(units)] for place, units in sorted(opening.units.items())],
                dict(opening.prices),
                {symbol: str(rate) for symbol, rate in opening.rates.items()},
            ]
        posted = [[*key, str(n)] for key, n in sorted(self.posted.items())]
        return canonical_json([held, posted, self.last_nav_usd_micro, self.opening_parts])

    def _benchmarks_payload(self) -> str:
        return canonical_json(None if self.benchmarks is None else self._benchmark_strings())

    def _benchmark_strings(self) -> dict[str, str]:
        assert self.benchmarks is not None
        return {name: str(value) for name, value in self.benchmarks.payload().items()}

    def _pegs_payload(self) -> str:
        return canonical_json(
            {
                symbol: [peg.last_s, peg.off_since_s, peg.far_since_s, int(peg.state)]
                for symbol, peg in self.pegs.items()
            }
        )

    def _prints_payload(self) -> str:
        return canonical_json([[*name, kept] for name, kept in sorted(self.prints.items())])

    def _followed_payload(self) -> str:
        return canonical_json(
            [
                [
                    t.decision_id, t.made_at_s, t.about.value,
                    [[*h, str(n)] for h, n in sorted(t.difference.items())],
                    [[*h, str(n)] for h, n in sorted(t.index_ray.items())],
                    done,
                ]
                for t, done in self.followed
            ]
        )  # fmt: skip


def recover(stored: Recovered) -> Memory:
    """Rebuild memory from what the store kept; an empty store gives a treasury not yet funded."""
    states = stored.states
    memory = Memory(audit=AuditChain(stored.audit_seq, stored.audit_hash))
    memory.book = Book.from_balances(stored.balances)
    if "signal" in states:
        memory.signal = SignalState.from_payload(states["signal"])
        memory.sizing = SizingMemory(*json.loads(states["sizing"]))
        memory.diary = Diary.from_payload(json.loads(states["diary"]))
        memory.past_moves = tuple(PastMove(*row) for row in json.loads(states["moves"]))
        memory.lots = LotBook.from_payload(json.loads(states["lots"]))
        marked = json.loads(states["mark"])
        memory.opening, memory.posted = _mark(*marked[:2])
        memory.last_nav_usd_micro, memory.opening_parts = marked[2:]
        benchmarks = json.loads(states["benchmarks"])
        if benchmarks is not None:
            memory.benchmarks = Benchmarks.from_payload({k: int(v) for k, v in benchmarks.items()})
        memory.followed = _followed(json.loads(states["followed"]))
        memory.prints = {
            (symbol, source): [PricePrint(at_s, usd) for at_s, usd in kept]
            for symbol, source, kept in json.loads(states["prints"])
        }
        memory.pegs = {
            symbol: PegWatch(last_s, off_s, far_s, PegState(state))
            for symbol, (last_s, off_s, far_s, state) in json.loads(states["pegs"]).items()
        }
    if stored.open_plans:
        memory.plan = stored.open_plans[-1]
        memory.approvals = [a for a in stored.approvals if a.digest == memory.plan.plan.digest]
        memory.steps = {step.step_key: step for step in stored.plan_steps}
    return memory


def _mark(
    held: list[Any] | None, posted: list[Any]
) -> tuple[Mark | None, dict[tuple[str, str], int]]:
    opening = None
    if held is not None:
        at_s, units, prices, rates = held
        opening = Mark(
            at_s,
            {(place, symbol): int(n) for place, symbol, n in units},
            prices,
            {symbol: int(rate) for symbol, rate in rates.items()},
        )
    sums = {(account, symbol): int(n) for account, symbol, n in posted}
    return opening, sums


def _followed(raw: list[Any]) -> list[tuple[Tracked, int]]:
    return [
        (
            Tracked(
                decision_id,
                made_at_s,
                DecisionClass(about),
                {(place, symbol): int(n) for place, symbol, n in difference},
                {(place, symbol): int(n) for place, symbol, n in index},
            ),
            done,
        )
        for decision_id, made_at_s, about, difference, index, done in raw
    ]
