"""One cycle: observe, book, judge, plan, carry out, measure. The same on all three clocks.

    observe -> book what became final -> accrue -> compare books -> continue the plan in hand
            -> estimate -> size -> propose -> advise -> judge -> plan -> carry out
            -> mark

Nothing is remembered outside `Memory`, everything durable goes through `io.store`, and the
order is such that a process may die between any two lines: what was journaled goes on, what
was not never happened. A treasury whose books do not equal the venue still measures, and
still reduces risk; it takes on none.
"""

from dataclasses import dataclass

from dynamic.ledger.canonical import canonical_json
from dynamic.ledger.reconcile import Reconciliation
from dynamic.market.observation import Observation
from dynamic.planning.plan import Leg
from dynamic.policy.mandate import Mandate
from dynamic.ports import Ports
from dynamic.records import DecisionOutcome, DecisionRecord, NavRecord, SnapshotRecord
from dynamic.signals.estimate import estimate
from dynamic.signals.signal import AllocationSignal
from dynamic.units import DAY_S
from dynamic.workflows.carry_out import Ending, carry_out, collect, withdraw
from dynamic.workflows.decide import Ask, Desk, decide, must_reduce
from dynamic.workflows.measure import Marked, mark, review
from dynamic.workflows.memory import Memory
from dynamic.workflows.observe import View, accrue, compare, observe
from dynamic.workflows.parameters import Parameters
from dynamic.workflows.settle import close_day
from dynamic.workflows.watch import watch

PASSES_MAX = 3  # a sale, then its proceeds, then what is left; the rest waits for the next cycle


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What one cycle saw and did."""

    at_s: int
    signal: AllocationSignal
    decisions: tuple[DecisionRecord, ...]
    ending: Ending
    settled: tuple[Leg, ...]
    residues: Reconciliation
    marked: Marked | None
    view: View


def run_cycle(
    memory: Memory, io: Ports, mandate: Mandate, parameters: Parameters, ask: Ask | None = None
) -> CycleReport:
    """Run one cycle at the clock's present instant, for the schedule or for a person."""
    now_s = io.clock.now_s()
    view = observe(memory, io, mandate, now_s)
    settled = [*collect(memory, view, io, mandate, memory.diary.last_cycle_at_s)]
    batch = memory.batch()
    batch.snapshots.append(_snapshot(view))
    close_day(memory, batch, now_s)
    accrue(view, memory, batch, now_s)
    _remember(view, memory, mandate)
    is_emergency = watch(view, memory, mandate, io)
    signal, memory.signal = estimate(
        view.snapshot, memory.signal, parameters.signal, is_emergency=is_emergency
    )
    memory.diary.cycle_no += 1
    memory.diary.last_cycle_at_s = now_s
    memory.seal(batch)
    io.store.commit(batch)

    mined = collect(memory, view, io, mandate, now_s)
    if mined:
        settled += mined
        batch = memory.batch()
        accrue(view, memory, batch, now_s, ":mined")
        memory.seal(batch)
        io.store.commit(batch)
    residues = compare(memory, io, now_s)
    open_residues = len(residues.residues)
    if open_residues:
        text = "; ".join(str(residue) for residue in residues.residues)
        io.notifier.alert("critical", "ledger-residue", text, now_s)

    phase = signal.phase.value
    passage = carry_out(memory, view, io, mandate, phase, open_residues)
    settled += passage.settled
    decisions: list[DecisionRecord] = []
    desk = Desk(view, memory, io, mandate, parameters, signal, open_residues, ask)
    waits = passage.ending is Ending.WAITING
    if waits and must_reduce(desk):
        waits = not withdraw(memory, io, "risk must be reduced first: a person is not waited for")
    for number in range(0 if waits else PASSES_MAX):
        decision = decide(desk, number)
        decisions.append(decision)
        if decision.outcome is not DecisionOutcome.PLANNED:
            break
        passage = carry_out(memory, view, io, mandate, phase, open_residues)
        settled += passage.settled
        if passage.ending is not Ending.DONE:
            break
    marked = _close(desk)
    return CycleReport(
        now_s, signal, tuple(decisions), passage.ending, tuple(settled), residues, marked, view
    )


def _close(desk: Desk) -> Marked | None:
    """Mark the treasury and look back at old decisions."""
    batch = desk.memory.batch()
    review(desk.view, desk.memory, batch)
    marked = mark(desk.view, desk.memory, batch)
    if marked is not None:
        nav = marked.record
        payload = {"nav": nav.nav_usd_micro, "volatile": nav.volatile_usd_micro}
        desk.memory.note(batch, "nav", "engine", payload, nav.at_s)
        _note_deployment(marked, desk)
        _warn(nav, desk)
    desk.memory.seal(batch)
    desk.io.store.commit(batch)
    return marked


def _note_deployment(marked: Marked, desk: Desk) -> None:
    """Start the 48 h watch once the base stands within one drift band of its share (PM-13)."""
    diary, mandate = desk.memory.diary, desk.mandate
    if diary.base_deployed_at_s is None:
        least = mandate.treasury.base_yield_bps - mandate.trades.drift_bps
        if marked.buckets.bps()["base_yield"] >= least:
            diary.base_deployed_at_s = marked.record.at_s


def _warn(nav: NavRecord, desk: Desk) -> None:
    """Alert at the drawdown stages (AL-04); the sizing acts on them by itself."""
    limits = desk.mandate.drawdown
    for bps, severity, code in (
        (limits.exit_bps, "critical", "drawdown-exit"),
        (limits.reduce_bps, "critical", "drawdown-reduce"),
        (limits.warn_bps, "warning", "drawdown-warn"),
    ):
        if nav.drawdown_bps >= bps:
            text = f"NAV is {nav.drawdown_bps} bps below its peak, {code} at {bps} bps"
            desk.io.notifier.alert(severity, code, text, nav.at_s)
            return


def _snapshot(view: View) -> SnapshotRecord:
    snapshot = view.snapshot
    payload = {
        "missing": list(snapshot.missing),
        "readings": {key: _reading(found) for key, found in snapshot.readings.items()},
    }
    return SnapshotRecord(
        snapshot.snapshot_id, snapshot.at_s, canonical_json(payload), snapshot.is_synthetic
    )


def _reading(found: Observation) -> list[object]:
    value = found.value if isinstance(found.value, float) else str(found.value)
    return [
        value, found.unit, found.source, found.as_of_s, found.fetched_at_s, found.provenance.value
    ]  # fmt: skip


def _remember(view: View, memory: Memory, mandate: Mandate) -> None:
    """Keep one close and one gas price a day, as long as VaR and the gas percentile need them."""
    diary, day = memory.diary, view.snapshot.at_s // DAY_S
    btc, eth = view.prices.get("BTC"), view.prices.get("ETH")
    if btc is not None and eth is not None and (not diary.closes or diary.closes[-1][0] < day):
        diary.closes.append((day, btc, eth))
        while diary.closes[0][0] < day - mandate.var.window_days:
            diary.closes.pop(0)
    gas = view.snapshot.fresh("gas:ethereum")
    if gas is not None and (not diary.gas_wei_by_day or diary.gas_wei_by_day[-1][0] < day):
        diary.gas_wei_by_day.append((day, int(gas.value)))
        while diary.gas_wei_by_day[0][0] < day - mandate.gas.low_window_days:
            diary.gas_wei_by_day.pop(0)
