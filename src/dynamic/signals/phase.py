"""The phase: a memory of the cycle, so that a falling MVRV is not mistaken for a cheap one.

                 m < 0                          m < 0
        ┌───────────────── ACCUMULATION ◀──────────────────┐
        │                       │ m >= 0                   │
        │                       ▼            m > 3.5       │
        │                   EUPHORIA ───────────────▶ TOP  │
        │                       ▲   m <= 3, return >= 0 │  │
        │                       └───────────────────────┤  │
        │                               m <= 3, return < 0 │
        └────────────────────── BEAR ◀──────────────────┘──┘

Confirmed sides (`market.crossing`) decide, not raw prints. Three memories make the path count:

    ratchet     the lowest share a sell step left; a fall buys nothing back (SG-10)
    top         the last day above 3.5; within the lookback it can turn into BEAR (C-07)
    bear        left only below 0 or by an approved reset, also when MVRV rises again (SG-11)

BEAR needs a negative BTC return over the window; a return that is not known counts as
negative, which errs towards less risk. The lookback guards the entry into BEAR; the ratchet
does not lapse with it. Between 3 and 3.5 the phase stays what it was.
"""

from dataclasses import dataclass

from dynamic.market.crossing import Sides
from dynamic.signals.ladder import Rungs
from dynamic.signals.signal import Phase
from dynamic.units import DAY_S

_ZERO, _GAP, _FIRST_SELL = 0, 1, 2  # where the levels stand in `Rungs.levels`


@dataclass(frozen=True, slots=True)
class Cycle:
    """What is remembered of the cycle. `ladder_bps` is the target the memory leads to."""

    phase: Phase = Phase.UNKNOWN
    ladder_bps: int | None = None
    ratchet_bps: int | None = None
    top_seen_s: int | None = None

    @property
    def has_sold(self) -> bool:
        """True from the first sell step until accumulation or an approved reset."""
        return self.ratchet_bps is not None


def next_cycle(
    cycle: Cycle, sides: Sides, rungs: Rungs, btc_return: float | None, bear_lookback_d: int
) -> Cycle:
    """Return the cycle after the confirmed sides of one print."""
    if not sides.above[_ZERO]:
        return Cycle(Phase.ACCUMULATION, rungs.accumulation_bps)
    ratchet = _ratchet(cycle.ratchet_bps, sides, rungs)
    top_seen_s = sides.as_of_s if sides.above[_FIRST_SELL] else cycle.top_seen_s
    phase = _phase(cycle.phase, sides, top_seen_s, btc_return, bear_lookback_d)
    if ratchet is not None:
        return Cycle(phase, ratchet, ratchet, top_seen_s)
    in_gap = sides.above[_GAP]
    held = cycle.ladder_bps if in_gap and cycle.ladder_bps is not None else rungs.euphoria_bps
    # The cap keeps a jump from below 0 into the gap from holding more than 0 to 3 would.
    return Cycle(phase, min(held, rungs.euphoria_bps), None, top_seen_s)


def _ratchet(ratchet_bps: int | None, sides: Sides, rungs: Rungs) -> int | None:
    """Return the lowest share any sell step has left so far in this cycle."""
    for above, share in zip(sides.above[_FIRST_SELL:], rungs.sell_shares_bps, strict=True):
        if above and (ratchet_bps is None or share < ratchet_bps):
            ratchet_bps = share
    return ratchet_bps


def _phase(
    phase: Phase, sides: Sides, top_seen_s: int | None, btc_return: float | None, lookback_d: int
) -> Phase:
    """Return the phase at or above 0."""
    if phase is Phase.BEAR:
        return Phase.BEAR
    if sides.above[_FIRST_SELL]:
        return Phase.TOP
    if sides.above[_GAP]:
        return phase if phase is Phase.TOP else Phase.EUPHORIA
    if top_seen_s is None or sides.as_of_s - top_seen_s > lookback_d * DAY_S:
        return Phase.EUPHORIA
    return Phase.EUPHORIA if btc_return is not None and btc_return >= 0.0 else Phase.BEAR


def reset(cycle: Cycle) -> Cycle:
    """Forget the cycle: top, bear and ratchet. Only an approved decision of people calls this."""
    return Cycle(Phase.UNKNOWN, cycle.ladder_bps)
