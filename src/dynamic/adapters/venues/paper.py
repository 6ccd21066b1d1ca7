"""The paper venue: real prices, our own pretend money, and a world that keeps its own books.

    send(order) -> Receipt        once per key, for ever: the same key brings the same receipt
                -> None           not known yet: reply lost, or waiting for cheaper gas

It stands behind `ports.Venue` as a chain would. In memory it serves the replay; opened on a
file it outlives us, so a crash between sending and booking is as real here as anywhere.
An order above its gas limit waits like a transaction in a mempool; after its deadline it is
dropped, which is final and costs nothing. A reverted order costs its gas.
"""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dynamic.adapters.venues.faults import Fault, Faults, NoFaults
from dynamic.adapters.venues.paper_costs import PaperCosts
from dynamic.adapters.venues.paper_execution import AAVE, GAS_TANK, Fill, NoRoute, fill
from dynamic.adapters.venues.paper_facts import PaperFacts
from dynamic.adapters.venues.paper_state import (
    PaperWorld,
    read_receipt,
    read_world,
    write_receipt,
    write_world,
)
from dynamic.adapters.venues.paper_store import PaperStore
from dynamic.errors import Conflict, Refused
from dynamic.market.observation import Observation
from dynamic.planning.plan import Leg
from dynamic.policy.proposal import Position
from dynamic.ports import Movement, Order, Receipt
from dynamic.units import Asset


class PaperVenue:
    """A venue whose market is observed and whose fills are assumed; see the module."""

    def __init__(
        self,
        assets: Mapping[str, Asset],
        costs: PaperCosts,
        faults: Faults | None = None,
        store: PaperStore | None = None,
    ) -> None:
        self._assets = dict(assets)
        self._costs = costs
        self._faults = faults or NoFaults()
        self._store = store
        self._facts = PaperFacts(costs)
        self._receipts: dict[str, tuple[str, Receipt]] = {}
        self._flows: set[str] = set()
        self._lock = threading.RLock()
        payload = None if store is None else store.world()
        self._world = PaperWorld() if payload is None else read_world(payload)

    @classmethod
    def open(
        cls,
        path: Path,
        assets: Mapping[str, Asset],
        costs: PaperCosts,
        faults: Faults | None = None,
        *,
        durable: bool = True,
    ) -> "PaperVenue":
        """Open a world kept in a file of its own; SourceUnavailable where it cannot be used.

        Without `durable` a power cut may lose the last seconds; a killed process loses nothing.
        """
        return cls(assets, costs, faults, PaperStore(path, durable=durable))

    def close(self) -> None:
        """Let go of the file, if there is one."""
        if self._store is not None:
            self._store.close()

    # --- what the composition does to the world --------------------------------------------

    def observe_market(self, observations: Iterable[Observation], now_s: int) -> None:
        """Let time pass to `now_s` and take in the market; orders waiting to be mined are tried.

        Raises Refused where time would run backwards.
        """
        with self._changing() as world:
            world.market.advance(observations, now_s)
            if world.waiting:
                for order in tuple(world.waiting.values()):
                    self._try(world, order, now_s)

    def deposit_capital(self, position: Position, base_units: int, key: str) -> bool:
        """Move the owner's capital in (+) or out (-), once per key; False where it was done."""
        with self._lock:
            if key in self._flows or (self._store is not None and self._store.has_flow(key)):
                return False
            with self._changing() as world:
                if world.held(position) + base_units < 0:
                    raise Refused(
                        f"expected at most {world.held(position)} of {position} to leave, "
                        f"found {-base_units}"
                    )
                world.move(position, base_units)
                if self._store is not None:
                    self._store.put_flow(key, f"{position} {base_units}")
            self._flows.add(key)
            return True

    def pause(self, protocol: str, *, paused: bool) -> None:
        """Pause or resume a protocol."""
        with self._changing() as world:
            (world.paused.add if paused else world.paused.discard)(protocol)

    # --- ports.Venue -----------------------------------------------------------------------

    def quote(self, leg: Leg, now_s: int) -> int | None:  # noqa: ARG002 - the port's signature
        """Return the base units `leg` would receive now, or None where it cannot be said."""
        with self._lock:
            if leg.venue in self._world.paused:
                return None
            found = fill(leg, self._world.market, self._costs, self._assets)
            return found.receive_units if isinstance(found, Fill) else None

    def send(self, order: Order, now_s: int) -> Receipt | None:
        """Carry out once per key; None means the outcome is not known yet.

        Raises Conflict where the key already belongs to another leg.
        """
        with self._lock:
            known = self._known(order.key)
            if known is not None:
                if known[0] != _leg_print(order.leg):
                    raise Conflict(f"{order.key} already belongs to another leg; nothing was sent")
                return known[1]
            fault = self._faults.on_send(order.key, now_s)
            if fault is Fault.LOST_REQUEST:
                return None
            with self._changing() as world:
                receipt: Receipt | None
                if fault is Fault.REFUSED:
                    refused = _without_effect(order, now_s, "refused by the venue")
                    self._write(order, refused)
                    receipt = refused
                elif fault is Fault.DELAYED:
                    world.waiting[order.key] = order
                    receipt = None
                else:
                    receipt = self._try(world, order, now_s)
            return None if fault is Fault.LOST_REPLY else receipt

    def outcome(self, key: str) -> Receipt | None:
        """Return what became of a key, or None where nothing final is known."""
        with self._lock:
            known = self._known(key)
            return None if known is None else known[1]

    def balances(self, now_s: int) -> Mapping[Position, int]:  # noqa: ARG002
        """Return what the world holds for us, in base units; what is absent is zero."""
        with self._lock:
            world = self._world
            found = {position: units for position, units in world.tokens.items() if units}
            parked = world.held(AAVE)
            if parked:
                found[AAVE] = parked
            return found

    def observe(self, now_s: int) -> Sequence[Observation]:
        """Return the venue's own facts as of the last market it saw; none before the first."""
        with self._lock:
            return self._facts.of(self._world, now_s)

    # --- inside ----------------------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Iterator[PaperWorld]:
        """Change a world that lives in memory directly; one in a file all or nothing."""
        with self._lock:
            if self._store is None:
                yield self._world
                return
            with self._store.writing() as changed_elsewhere:
                payload = self._store.world() if changed_elsewhere else None
                base = self._world if payload is None else read_world(payload)
                trial, seen = base.copy(), dict(self._receipts)
                try:
                    yield trial
                except BaseException:
                    self._receipts = seen
                    raise
                self._store.put_world(write_world(trial))
            self._world = trial

    def _known(self, key: str) -> tuple[str, Receipt] | None:
        found = self._receipts.get(key)
        if found is None and self._store is not None:
            payload = self._store.receipt(key)
            found = None if payload is None else read_receipt(payload)
        return found

    def _try(self, world: PaperWorld, order: Order, now_s: int) -> Receipt | None:
        """Mine an order if it can be mined now; otherwise it waits, until its deadline."""
        gas_units = self._costs.model.gas_of(order.leg.kind, order.leg.venue)
        price = world.market.gas_price_wei
        too_late = now_s > order.deadline_s
        affordable = price is not None and (
            price <= order.gas_price_wei_max and gas_units * price <= world.held(GAS_TANK)
        )
        found = fill(order.leg, world.market, self._costs, self._assets)
        # What waited beyond its deadline is dropped, even where gas has just become cheap.
        is_stuck = price is None or not affordable or found is None
        if too_late and (is_stuck or order.key in world.waiting):
            receipt = _without_effect(order, now_s, "never mined: dropped after its deadline")
        elif is_stuck or price is None or found is None:
            world.waiting[order.key] = order
            return None
        else:
            receipt = _mined(world, order, found, gas_units, price, now_s)
        world.waiting.pop(order.key, None)
        self._write(order, receipt)
        return receipt

    def _write(self, order: Order, receipt: Receipt) -> None:
        leg_print = _leg_print(order.leg)
        if self._store is not None:
            self._store.put_receipt(order.key, write_receipt(receipt, leg_print))
        self._receipts[order.key] = (leg_print, receipt)


def _leg_print(leg: Leg) -> str:
    return hashlib.sha256(repr(leg).encode()).hexdigest()[:16]


def _tx_id(key: str) -> str:
    return "paper:" + hashlib.sha256(key.encode()).hexdigest()[:32]


def _without_effect(order: Order, now_s: int, reason: str) -> Receipt:
    """Return the final receipt of an order that never reached a block."""
    return Receipt(order.key, _tx_id(order.key), now_s, True, reason, (), None, 0, 0)


def _revert_reason(
    world: PaperWorld, order: Order, found: Fill | NoRoute, gas_wei: int, now_s: int
) -> str:
    leg = order.leg
    if now_s > order.deadline_s:
        return f"deadline {order.deadline_s} passed, mined at {now_s}"
    if leg.venue in world.paused:
        return f"{leg.venue} is paused"
    if isinstance(found, NoRoute):
        return f"no route: {found.reason}"
    held = world.held(leg.spend) - (gas_wei if leg.spend == GAS_TANK else 0)
    if held < leg.spend_units:
        return f"insufficient funds: {held} of {leg.spend}, {leg.spend_units} asked"
    if found.receive_units < max(leg.receive_units_min, 1):
        return f"too little: {found.receive_units}, at least {leg.receive_units_min} asked"
    return ""


def _mined(
    world: PaperWorld, order: Order, found: Fill | NoRoute, gas_units: int, price: int, now_s: int
) -> Receipt:
    """Charge the gas, then move the funds unless the leg reverts."""
    leg = order.leg
    reason = _revert_reason(world, order, found, gas_units * price, now_s)
    world.move(GAS_TANK, -gas_units * price)
    movements: tuple[Movement, ...] = ()
    fee = None
    if not reason and isinstance(found, Fill):
        world.move(leg.spend, -leg.spend_units)
        world.move(leg.receive, found.receive_units)
        movements = (
            Movement(leg.spend, -leg.spend_units), Movement(leg.receive, found.receive_units)
        )  # fmt: skip
        fee = Movement(leg.spend, found.fee_units) if found.fee_units else None
    return Receipt(
        order.key, _tx_id(order.key), now_s, bool(reason), reason, movements, fee, gas_units, price
    )
