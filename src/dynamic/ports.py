"""Every way to touch the world, on one page.

A workflow is given these and nothing else. Live, replay and the seeded world differ only
in what stands behind them, which is why no `if simulated:` exists anywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dynamic.decision.advice import Advice
from dynamic.market.observation import Observation
from dynamic.planning.plan import Leg
from dynamic.policy.proposal import Position, Proposal
from dynamic.policy.situation import Situation, SwitchState
from dynamic.records import Batch, Recovered


class Clock(Protocol):
    """The only source of now."""

    def now_s(self) -> int:
        """Seconds since 1970-01-01 UTC."""
        ...


class Feed(Protocol):
    """What may be known of the market."""

    def observe(self, now_s: int) -> Sequence[Observation]:
        """Return the latest observation of every key known by `now_s`; absent keys are missing."""
        ...


class Advisor(Protocol):
    """The model's seat. It may only make us do less, later, or ask."""

    def advise(
        self, proposal: Proposal, situation: Situation, dossier: Mapping[str, str]
    ) -> Advice:
        """Judge one proposal; an advisor that fails says HOLD, never PROCEED."""
        ...


class Switch(Protocol):
    """The persisted switch. Any process may lower it; only people raise it."""

    def state(self) -> SwitchState:
        """Read it now; unreadable means HALTED."""
        ...

    def lower(self, to: SwitchState, actor: str, reason: str, now_s: int) -> None:
        """Move towards HALTED; a call that would raise it is refused."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """One leg as it leaves us. The same key may be sent again; it has one effect."""

    key: str
    leg: Leg
    deadline_s: int
    gas_price_wei_max: int


@dataclass(frozen=True, slots=True)
class Movement:
    """What really moved: base units into (+) or out of (-) one of our positions."""

    position: Position
    base_units: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """The final outcome of one order. A reverted order moved nothing but its gas."""

    key: str
    tx_id: str
    settled_at_s: int
    reverted: bool
    reason: str
    movements: tuple[Movement, ...]
    fee: Movement | None  # part of what was spent that went to the venue as a fee
    gas_units: int
    gas_price_wei: int


class Venue(Protocol):
    """Where legs are carried out: paper here, chains later, the same contract."""

    def quote(self, leg: Leg, now_s: int) -> int | None:
        """Return the base units `leg` would receive now, or None where it cannot be said."""
        ...

    def send(self, order: Order, now_s: int) -> Receipt | None:
        """Carry out once per key; None means the outcome is not known yet."""
        ...

    def outcome(self, key: str) -> Receipt | None:
        """Return what became of a key, or None where nothing final is known."""
        ...

    def balances(self, now_s: int) -> Mapping[Position, int]:
        """Return what the venue says we hold, in base units; the truth that books must equal."""
        ...

    def observe(self, now_s: int) -> Sequence[Observation]:
        """Return the venue's own facts: index:, rate:, apy:, tvl:, paused:."""
        ...


class Store(Protocol):
    """The one durable memory."""

    def commit(self, batch: Batch) -> None:
        """Make everything in the batch durable, together; raises StoreUnavailable otherwise."""
        ...

    def recover(self) -> Recovered:
        """Read back what a starting process must know."""
        ...


class Notifier(Protocol):
    """Where alerts go."""

    def alert(self, severity: str, code: str, message: str, at_s: int) -> None:
        """Say one thing to the people on duty; deduplication is the notifier's."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All of it, handed to a workflow."""

    clock: Clock
    feed: Feed
    venue: Venue
    advisor: Advisor
    switch: Switch
    store: Store
    notifier: Notifier
