"""What the signal room remembers between cycles; written down, so that a restart forgets nothing.

    SignalState  <->  one line of canonical JSON

The memory is small on purpose: the confirmed sides of MVRV against each level, the cycle, and
one BTC close a day for the bear's return window. The same state and the same snapshots give
the same signals, in any process.
"""

import json
from bisect import bisect_right
from dataclasses import dataclass, field

from dynamic.errors import Refused
from dynamic.market.crossing import Sides
from dynamic.signals.phase import Cycle, reset
from dynamic.signals.signal import Phase

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Closes:
    """One BTC price a day, oldest first, no longer than the return window needs."""

    days: tuple[int, ...] = ()  # days since 1970-01-01
    prices_usd_micro: tuple[int, ...] = ()

    def with_close(self, day: int, price_usd_micro: int, window_d: int) -> "Closes":
        """Return the closes with one more day; a day seen before is not overwritten."""
        if self.days and day <= self.days[-1]:
            return self
        # One close older than the window stays, so that a missing day does not blind it.
        keep = max(bisect_right(self.days, day - window_d) - 1, 0)
        return Closes((*self.days[keep:], day), (*self.prices_usd_micro[keep:], price_usd_micro))

    def return_over(self, window_d: int) -> float | None:
        """Return the last close over the one `window_d` days before, minus 1; None if unknown.

        A missing day is bridged by the close before it, at most a week older.
        """
        if not self.days:
            return None
        then = self.days[-1] - window_d
        at = bisect_right(self.days, then) - 1
        if at < 0 or then - self.days[at] > 7:
            return None
        return self.prices_usd_micro[-1] / self.prices_usd_micro[at] - 1.0


@dataclass(frozen=True, slots=True)
class SignalState:
    """Everything `estimate` needs to know of the past."""

    sides: Sides | None = None
    cycle: Cycle = field(default_factory=Cycle)
    closes: Closes = field(default_factory=Closes)
    print_as_of_s: int | None = None  # of the last daily MVRV print taken into account
    print_value: float | None = None
    has_spoken: bool = False  # a signal was given before; a warmed-up memory has not spoken
    # When the past suffices to tell a bear from euphoria: a lookback after the first print, or
    # at a print below 0, which begins a cycle. None before any print.
    knows_cycle_at_s: int | None = None

    def after_approved_reset(self) -> "SignalState":
        """Return the memory with the cycle forgotten, as two people approved (C-07)."""
        return SignalState(
            None, reset(self.cycle), self.closes, has_spoken=self.has_spoken, knows_cycle_at_s=0
        )

    def to_payload(self) -> str:
        """Write the state as canonical JSON."""
        sides, cycle = self.sides, self.cycle
        return json.dumps(
            {
                "closes": [self.closes.days, self.closes.prices_usd_micro],
                "cycle": [cycle.phase, cycle.ladder_bps, cycle.ratchet_bps, cycle.top_seen_s],
                "print": [self.print_as_of_s, self.print_value],
                "has_spoken": self.has_spoken,
                "knows_cycle_at_s": self.knows_cycle_at_s,
                "sides": sides and [sides.above, sides.doubts_s, sides.as_of_s],
                "version": _VERSION,
            },
            sort_keys=True,
            separators=(",", ":"),
            allow_nan=False,
        )

    @classmethod
    def from_payload(cls, payload: str) -> "SignalState":
        """Read a state back; anything but what `to_payload` writes is refused."""
        try:
            read = json.loads(payload)
            if read["version"] != _VERSION:
                raise ValueError(f"version {read['version']}")
            phase, ladder_bps, ratchet_bps, top_seen_s = read["cycle"]
            sides = read["sides"]
            as_of_s, value = read["print"]
            days, prices = read["closes"]
            return cls(
                sides and Sides(tuple(sides[0]), tuple(sides[1]), sides[2]),
                Cycle(Phase(phase), ladder_bps, ratchet_bps, top_seen_s),
                Closes(tuple(days), tuple(prices)),
                as_of_s,
                value,
                bool(read["has_spoken"]),
                read["knows_cycle_at_s"],
            )
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise Refused(
                f"expected a signal state of version {_VERSION}, found {payload[:60]!r} ({error})"
            ) from error
