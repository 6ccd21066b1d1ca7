"""Estimate: from one market snapshot and the memory of the cycle to what should be held.

    estimate : MarketSnapshot x SignalState x parameters  ->  AllocationSignal x SignalState

Pure and cheap. A daily MVRV print is taken into account once, however often it is read; a
print that is missing or stale gives phase UNKNOWN, which holds the former target and buys
nothing (SG-20). `allows_increase` is the ladder's permission to buy: only in accumulation,
or at 0 to 3 with no sell step taken in this cycle, and not while a print in doubt asks for less.

The first run, without any memory:

    m < 0          ACCUMULATION, the whole layer is bought
    0 <= m <= 3    EUPHORIA, target 60 %; bought only once the past suffices, see below
    3 < m <= 3.5   EUPHORIA, actual holdings are kept, nothing is bought (C-05)
    m > 3.5        TOP, holdings above the step are sold, nothing is bought before a new cycle
    m missing      UNKNOWN, actual holdings are kept, nothing is bought

BEAR cannot be known without a past. `remember` gives one from recorded prints, so that a
treasury starting in a bear market knows that it is one. Without it, 0 to 3 may be euphoria or
the middle of a fall: nothing is bought until the memory is as long as the bear's lookback, or
until a print below 0 begins a cycle, or people approve one.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple

from dynamic.market.crossing import Crossing, advance
from dynamic.market.snapshot import MarketSnapshot
from dynamic.signals.confidence import confidence
from dynamic.signals.ladder import Rungs, rungs, share_bps, target_bps
from dynamic.signals.modes import mode, risk_level
from dynamic.signals.parameters import Alarm, Ladder, Layers
from dynamic.signals.phase import next_cycle
from dynamic.signals.reasoning import actions, reasoning
from dynamic.signals.signal import AllocationSignal, Mode, Phase, Trigger
from dynamic.signals.state import SignalState
from dynamic.units import DAY_S

MVRV: Final = "mvrv_z:BTC"
_GAP, _HEDGE_STEP = 1, 4  # where 3 and 7 stand among the ladder's levels
_UP: Final = (
    Trigger.MVRV_ABOVE_0,
    Trigger.MVRV_ABOVE_3,
    Trigger.MVRV_ABOVE_3_5,
    Trigger.MVRV_ABOVE_5,
    Trigger.MVRV_ABOVE_7,
    Trigger.MVRV_ABOVE_9,
)


class SignalParameters(NamedTuple):
    """The mandate's sections this room reads."""

    ladder: Ladder
    layers: Layers
    alarm: Alarm


class DailyPrint(NamedTuple):
    """One recorded day: the MVRV Z-score as of an instant, and BTC's price if it is known."""

    as_of_s: int
    mvrv_z: float
    btc_usd_micro: int | None


def estimate(
    snapshot: MarketSnapshot,
    state: SignalState,
    parameters: SignalParameters,
    *,
    is_emergency: bool = False,
    approved: Mode | None = None,
) -> tuple[AllocationSignal, SignalState]:
    """Return the signal at the snapshot's instant, and what to remember for the next one.

    `approved` is a mode that people chose (CONSERVATIVE, or AGGRESSIVE for an expiry play).
    """
    ladder = parameters.ladder
    rung = rungs(ladder)
    found = snapshot.fresh(MVRV)
    trigger = Trigger.NONE
    if found is not None:
        day = DailyPrint(found.as_of_s, float(found.value), snapshot.price_usd_micro("BTC"))
        state, crossings, has_changed = _take(state, day, ladder, rung)
        trigger = _trigger(crossings, has_changed, rung)
    if not state.has_spoken:
        trigger = Trigger.FIRST_RUN
        state = replace(state, has_spoken=True)
    mvrv_z = None if found is None else state.print_value
    signal = _signal(snapshot, state, parameters, rung, mvrv_z, trigger, is_emergency, approved)
    return signal, state


def remember(prints: Iterable[DailyPrint], ladder: Ladder) -> SignalState:
    """Return the memory that recorded prints, oldest first, leave; it has not spoken yet."""
    rung = rungs(ladder)
    state = SignalState()
    for day in prints:
        state = _take(state, day, ladder, rung)[0]
    return state


def _take(
    state: SignalState, day: DailyPrint, ladder: Ladder, rung: Rungs
) -> tuple[SignalState, tuple[Crossing, ...], bool]:
    """Take one print into account: the new memory, what it crossed, whether the phase changed."""
    known_s = state.print_as_of_s
    if known_s is not None and (
        day.as_of_s < known_s or (day.as_of_s == known_s and day.mvrv_z == state.print_value)
    ):
        return state, (), False  # read before, or an older print from a source that fell behind
    sides, crossings = advance(state.sides, day.mvrv_z, day.as_of_s, rung.levels)
    closes = state.closes
    if day.btc_usd_micro is not None:
        closes = closes.with_close(
            day.as_of_s // DAY_S, day.btc_usd_micro, ladder.bear_return_window_d
        )
    btc_return = closes.return_over(ladder.bear_return_window_d)
    cycle = next_cycle(state.cycle, sides, rung, btc_return, ladder.bear_lookback_d)
    has_changed = state.sides is not None and cycle.phase is not state.cycle.phase
    knows_at_s = _knows_cycle_at_s(state, day.as_of_s, cycle.phase, ladder)
    taken = SignalState(sides, cycle, closes, day.as_of_s, day.mvrv_z, state.has_spoken, knows_at_s)
    return taken, crossings, has_changed


def _knows_cycle_at_s(state: SignalState, as_of_s: int, phase: Phase, ladder: Ladder) -> int:
    """Return when the past suffices to tell a bear from euphoria."""
    known_at_s = state.knows_cycle_at_s
    if known_at_s is None:
        known_at_s = as_of_s + ladder.bear_lookback_d * DAY_S
    return min(known_at_s, as_of_s) if phase is Phase.ACCUMULATION else known_at_s


def _trigger(crossings: tuple[Crossing, ...], has_changed: bool, rung: Rungs) -> Trigger:
    """Return the rule that fired: the highest step crossed, below 0, or a change of phase."""
    ups = [crossing.level for crossing in crossings if crossing.is_up]
    if ups:
        highest = max(ups)
        return next(t for t, level in zip(_UP, rung.levels, strict=True) if level.at == highest)
    if any(crossing.level == rung.levels[0].at for crossing in crossings):
        return Trigger.MVRV_BELOW_0
    return Trigger.PHASE_CHANGE if has_changed else Trigger.NONE


def _signal(
    snapshot: MarketSnapshot,
    state: SignalState,
    parameters: SignalParameters,
    rung: Rungs,
    mvrv_z: float | None,
    trigger: Trigger,
    is_emergency: bool,
    approved: Mode | None,
) -> AllocationSignal:
    """Put the memory and the snapshot into words and weights."""
    cycle, sides = state.cycle, state.sides
    phase = Phase.UNKNOWN if mvrv_z is None else cycle.phase
    ladder_bps = rung.euphoria_bps if cycle.ladder_bps is None else cycle.ladder_bps
    increase = (
        mvrv_z is not None
        and not is_emergency
        and _may_buy(state, mvrv_z, ladder_bps, parameters.ladder)
    )
    is_hedge_step = sides is not None and sides.above[_HEDGE_STEP]
    is_gap = sides is not None and sides.above[_GAP]
    trust, doubts = confidence(snapshot)
    has_prices = all(snapshot.fresh(f"price:{symbol}") is not None for symbol in ("BTC", "ETH"))
    weights = target_bps(ladder_bps, parameters.layers)
    funding = snapshot.fresh("funding:BTC")
    extreme = parameters.alarm.funding_extreme_ppm / 1_000_000
    return AllocationSignal(
        at_s=snapshot.at_s,
        phase=phase,
        mode=mode(
            phase,
            is_hedge_step=is_hedge_step,
            is_degraded=not has_prices,
            is_emergency=is_emergency,
            approved=approved,
        ),
        target_bps=weights,
        ladder_bps=ladder_bps,
        confidence=trust,
        reasoning=reasoning(
            snapshot,
            phase,
            mvrv_z,
            ladder_bps,
            weights,
            state,
            state.closes.return_over(parameters.ladder.bear_return_window_d),
            trust,
            doubts,
        ),
        trigger=trigger,
        recommended_actions=actions(phase, ladder_bps, increase, cycle.has_sold),
        risk_level=risk_level(
            phase,
            is_gap=is_gap,
            is_hedge_step=is_hedge_step or is_emergency,
            has_extreme_funding=funding is not None and abs(funding.value) >= extreme,
        ),
        allows_increase=increase,
    )


def _may_buy(state: SignalState, mvrv_z: float, ladder_bps: int, ladder: Ladder) -> bool:
    """Say whether the ladder permits buying: see the module's text."""
    sides = state.sides
    if sides is None or state.cycle.has_sold or sides.above[_GAP]:
        return False
    if state.cycle.phase not in (Phase.ACCUMULATION, Phase.EUPHORIA):
        return False
    if state.print_as_of_s is None or state.knows_cycle_at_s is None:
        return False
    if state.print_as_of_s < state.knows_cycle_at_s:
        return False  # 0 to 3 on the way down from a top we never saw would be a bear
    gap_at = ladder.gap_above_milli / 1_000
    return mvrv_z <= gap_at and share_bps(mvrv_z, ladder) >= ladder_bps
