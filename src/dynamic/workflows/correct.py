"""Correct: two people explain what nobody had named, and the books follow what is really there.

    a residue + two people + its exact units + a reason  ->  one CORRECTION entry, audited

A residue blocks new risk until somebody knows why it is there. People clear it position by
position and whole, in the very units they have seen: half an explanation is none. Nothing of
ours may be in flight, because what an order moved is not a residue. No peak is moved and no
flow is booked: what was lost or found stands in the attribution as `other`.
"""

from dataclasses import dataclass

from dynamic.errors import Conflict, DataUnfit, Refused
from dynamic.ledger.posting import correction_entry
from dynamic.ledger.reconcile import Residue
from dynamic.policy.approval import people
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Position
from dynamic.ports import Ports
from dynamic.protocols import aave_v3
from dynamic.records import StepState
from dynamic.units import AssetKind
from dynamic.workflows.instruments import AAVE, asset
from dynamic.workflows.memory import Memory
from dynamic.workflows.observe import INDEX, accrue, compare, observe


@dataclass(frozen=True, slots=True)
class Correction:
    """What people say of one position: base units above (+) or below (-) the books, and why."""

    position: Position
    base_units: int
    operators: tuple[str, ...]
    reason: str


def correct(correction: Correction, memory: Memory, io: Ports, mandate: Mandate) -> None:
    """Book one explained residue.

    Raises Refused unless two distinct people say why, Conflict where an order is in flight or
    the residue is another, DataUnfit where what lending owes us is not known.
    """
    named = people(correction.operators)
    if len(named) < 2 or not correction.reason.strip():
        raise Refused(
            f"expected two distinct people and a reason, found {len(named)}; nothing was booked"
        )
    if any(step.state is StepState.INTENDED for step in memory.steps.values()):
        raise Conflict("an order is in flight, and may explain it; nothing was booked")
    now_s = io.clock.now_s()
    _accrue(memory, io, mandate, now_s)
    found = _residue(correction, memory, io, now_s)
    batch = memory.batch()
    place = correction.position
    ref = f"{now_s}:{place}"
    memory.post(
        batch, correction_entry(now_s, ref, *place, correction.base_units, correction.reason)
    )
    _move_lots(correction, memory, ref, now_s)
    if place == AAVE:
        _follow_claim(found.observed, memory)
    payload = {
        "position": str(place), "base_units": str(correction.base_units),
        "ledger": str(found.ledger), "observed": str(found.observed),
        "reason": correction.reason, "operators": list(named),
    }  # fmt: skip
    memory.note(batch, "correction", ",".join(named), payload, now_s)
    memory.seal(batch)
    io.store.commit(batch)


def _accrue(memory: Memory, io: Ports, mandate: Mandate, now_s: int) -> None:
    """Book the interest first: what was earned is no residue."""
    view = observe(memory, io, mandate, now_s)
    if memory.diary.scaled and view.snapshot.fresh(INDEX) is None:
        raise DataUnfit("expected the index of lending, found none; nothing was booked")
    batch = memory.batch()
    accrue(view, memory, batch, now_s, f":correct:{now_s}")
    memory.seal(batch)
    io.store.commit(batch)


def _residue(correction: Correction, memory: Memory, io: Ports, now_s: int) -> Residue:
    place, units = correction.position, correction.base_units
    residues = {r.position: r for r in compare(memory, io, now_s).residues}
    found = residues.get((place.location, place.asset))
    if found is None:
        raise Conflict(f"expected a residue at {place}, found none; nothing was booked")
    if found.residue != units:
        raise Conflict(f"expected {found}; {units} were named; nothing was booked")
    return found


def _move_lots(correction: Correction, memory: Memory, ref: str, now_s: int) -> None:
    """Lose lots for nothing, oldest first, or find one that cost nothing; dollars have none."""
    token, units = asset(correction.position.asset), correction.base_units
    if token.kind is AssetKind.STABLE:
        return
    if units > 0:
        memory.lots.acquire(token.symbol, units, 0, now_s, ref)
        return
    lost = memory.lots.dispose(token.symbol, -units, 0, now_s)
    memory.diary.realised_usd_micro += lost.gain_usd_micro


def _follow_claim(observed: int, memory: Memory) -> None:
    """Take over the scaled balance the pool must hold for us, so that interest stays ours."""
    index = memory.diary.yield_index_ray
    scaled = aave_v3.scaled_of_claim(observed, index)
    if aave_v3.claim(scaled, index) != observed:
        raise Conflict(f"no balance claims {observed} at index {index}; nothing was booked")
    memory.diary.scaled = scaled
