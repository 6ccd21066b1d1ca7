"""Execute one leg of a plan, once, whatever breaks.

    (nothing) --intend--> INTENDED --evidence--> SETTLED  (and booked, in the same batch)
        \\--void or switch--> ABANDONED   \\----> REVERTED  (only its gas is booked)

There is no separate recovery code. `advance` reads the journal, does the next single thing,
and says whether the step is over; a process that died is a process that will call it again.

Why nothing happens twice: the order is journaled under its key before it is sent, and the
venue admits a key once. Why nothing is forgotten: no answer is not an answer. A step in
INTENDED stays there until the venue says what became of its key, or until its deadline has
passed there too.

The switch is read at the last moment before the first send.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from dynamic.errors import InvariantBroken
from dynamic.ledger.canonical import canonical_json
from dynamic.planning.plan import Leg, LegKind
from dynamic.planning.settlement import check_realised
from dynamic.policy.proposal import Position
from dynamic.policy.situation import PastMove, SwitchState
from dynamic.ports import Order, Ports, Receipt
from dynamic.records import StepRecord, StepState
from dynamic.workflows.memory import Memory
from dynamic.workflows.settle import proposed_log, settle

FINAL = frozenset({StepState.SETTLED, StepState.REVERTED, StepState.ABANDONED})


class Progress(StrEnum):
    """Where one step stands after `advance`."""

    WAITING = "waiting"  # no evidence yet; ask again
    SETTLED = "settled"
    REVERTED = "reverted"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Step:
    """One leg of one plan, with the limits its order carries and what booking it needs."""

    plan_id: str
    leg_no: int
    leg: Leg
    reduces_risk: bool
    deadline_s: int
    gas_price_wei_max: int
    prices: dict[str, int]  # usd_micro by underlying, for the cost of lots
    moves: tuple[PastMove, ...]  # what authority remembers once it has settled
    window_s: int


def advance(step: Step, memory: Memory, io: Ports, objection: Callable[[], str | None]) -> Progress:
    """Do the next single thing for `step`.

    `objection` is asked, on fresh state, just before the first send: the last gate (GR-26).
    """
    journaled = memory.steps.get(step.leg.key)
    if journaled is not None and journaled.state in FINAL:
        return Progress(journaled.state.value)
    if journaled is None:
        why_not = _switch_objection(step, io) or objection()
        if why_not is not None:
            _journal(step, StepState.ABANDONED, {"reason": why_not}, memory, io)
            return Progress.ABANDONED
        return _send(_intend(step, memory, io), step, memory, io)
    order = order_from_payload(journaled.payload)
    receipt = io.venue.outcome(order.key)
    if receipt is not None:
        return _finish(step, receipt, memory, io)
    if io.clock.now_s() > order.deadline_s:
        # The venue refuses an order after its deadline and knows no effect of it: it is over.
        _journal(step, StepState.ABANDONED, {"reason": "deadline passed unsent"}, memory, io)
        return Progress.ABANDONED
    return _send(order, step, memory, io)


def _intend(step: Step, memory: Memory, io: Ports) -> Order:
    order = Order(step.leg.key, step.leg, step.deadline_s, step.gas_price_wei_max)
    _journal(step, StepState.INTENDED, order_payload(order), memory, io)
    return order


def _send(order: Order, step: Step, memory: Memory, io: Ports) -> Progress:
    """Send, unless the switch fell while we were writing; evidence or the deadline ends it then."""
    if _switch_objection(step, io) is not None:
        return Progress.WAITING
    receipt = io.venue.send(order, io.clock.now_s())
    return Progress.WAITING if receipt is None else _finish(step, receipt, memory, io)


def _finish(step: Step, receipt: Receipt, memory: Memory, io: Ports) -> Progress:
    check_bounds(step.leg, receipt)
    state = StepState.REVERTED if receipt.reverted else StepState.SETTLED
    now_s = io.clock.now_s()
    batch = settle(step.leg, receipt, step.prices, memory, now_s)
    if not receipt.reverted:
        memory.remember_moves(step.moves, now_s, step.window_s)
    record = _record(step, state, receipt_payload(receipt), io)
    batch.steps.append(record)
    memory.steps[step.leg.key] = record
    memory.note(batch, "step", "engine", {"key": record.step_key, "state": state.value}, now_s)
    memory.seal(batch)
    io.store.commit(batch)
    return Progress(state.value)


def check_bounds(leg: Leg, receipt: Receipt) -> None:
    """Halt where a receipt is not this leg's, or moved other than was previewed (I-11)."""
    if receipt.key != leg.key:
        raise InvariantBroken(f"receipt {receipt.key} was given for {leg.key}")
    moved: dict[Position, int] = {}
    for movement in receipt.movements:
        moved[movement.position] = moved.get(movement.position, 0) + movement.base_units
    if receipt.reverted:
        if moved:
            raise InvariantBroken(f"{leg.key} was reverted and still moved {moved}")
        return
    check_realised(leg, moved)


def _switch_objection(step: Step, io: Ports) -> str | None:
    state = io.switch.state()
    if state is SwitchState.ACTIVE or (state is SwitchState.REDUCING and step.reduces_risk):
        return None
    return f"switch is {state.value}"


def _journal(
    step: Step, state: StepState, payload: dict[str, object], memory: Memory, io: Ports
) -> None:
    batch = memory.batch()
    record = _record(step, state, payload, io)
    batch.steps.append(record)
    if state is StepState.INTENDED:
        batch.tx_logs.append(proposed_log(step.leg, record.at_s))
    memory.steps[step.leg.key] = record
    memory.note(batch, "step", "engine", {"key": step.leg.key, "state": state.value}, record.at_s)
    io.store.commit(batch)


def _record(step: Step, state: StepState, payload: dict[str, object], io: Ports) -> StepRecord:
    text = canonical_json(payload)
    return StepRecord(step.leg.key, step.plan_id, step.leg_no, state, io.clock.now_s(), text)


def order_payload(order: Order) -> dict[str, object]:
    """Write an order so that a restarted process sends the same one."""
    leg = order.leg
    return {
        "key": order.key,
        "deadline_s": order.deadline_s,
        "gas_price_wei_max": order.gas_price_wei_max,
        "leg": leg_payload(leg),
    }


def leg_payload(leg: Leg) -> dict[str, object]:
    """Write a leg with its positions by name."""
    return {
        "key": leg.key,
        "kind": leg.kind.value,
        "venue": leg.venue,
        "spend": list(leg.spend),
        "spend_units": str(leg.spend_units),
        "receive": list(leg.receive),
        "receive_units_expected": str(leg.receive_units_expected),
        "receive_units_min": str(leg.receive_units_min),
        "notional_usd_micro": leg.notional_usd_micro,
        "gas_units": leg.gas_units,
        "slippage_bps_max": leg.slippage_bps_max,
        "after": list(leg.after),
    }


def leg_from_payload(raw: dict[str, object]) -> Leg:
    """Read a leg back, exactly."""
    spend, receive, after = raw["spend"], raw["receive"], raw["after"]
    if not (isinstance(spend, list) and isinstance(receive, list) and isinstance(after, list)):
        raise InvariantBroken(f"expected a journaled leg, found {raw!r}")
    return Leg(
        key=str(raw["key"]),
        kind=LegKind(str(raw["kind"])),
        venue=str(raw["venue"]),
        spend=Position(*spend),
        spend_units=int(str(raw["spend_units"])),
        receive=Position(*receive),
        receive_units_expected=int(str(raw["receive_units_expected"])),
        receive_units_min=int(str(raw["receive_units_min"])),
        notional_usd_micro=int(str(raw["notional_usd_micro"])),
        gas_units=int(str(raw["gas_units"])),
        slippage_bps_max=int(str(raw["slippage_bps_max"])),
        after=tuple(str(key) for key in after),
    )


def order_from_payload(text: str) -> Order:
    """Read a journaled order back, exactly."""
    raw = json.loads(text)
    return Order(
        raw["key"], leg_from_payload(raw["leg"]), raw["deadline_s"], raw["gas_price_wei_max"]
    )


def receipt_payload(receipt: Receipt) -> dict[str, object]:
    """Write a receipt for the journal and the screens."""
    return {
        "tx_id": receipt.tx_id,
        "settled_at_s": receipt.settled_at_s,
        "reverted": receipt.reverted,
        "reason": receipt.reason,
        "movements": [[*m.position, str(m.base_units)] for m in receipt.movements],
        "fee": None
        if receipt.fee is None
        else [*receipt.fee.position, str(receipt.fee.base_units)],
        "gas_units": receipt.gas_units,
        "gas_price_wei": receipt.gas_price_wei,
    }
