"""Volatility: how widely daily prices swing, per year, from a stream of closes.

    r(t)    = ln(P(t) / P(t-1))
    EWMA    sigma^2(t) = sum(lambda^k r(t-k)^2) / sum(lambda^k)      no starting guess
    window  sigma^2    = mean of r^2 over the last N returns         N full returns, or unknown
    a year  sigma x sqrt(365)                                        crypto never closes

Mean returns are taken as zero, as RiskMetrics does (J.P. Morgan, 1996): over a month the mean
is noise. lambda is handed in; `decay_for_days(30)` is the 30-day EWMA of C-29.
"""

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dynamic.errors import InvariantBroken, Refused

_YEAR: Final = math.sqrt(365.0)


def decay_for_days(days: int) -> float:
    """Return lambda for a span of days: 1 - 2 / (days + 1), the usual reading of "N-day EWMA"."""
    return 1.0 - 2.0 / (days + 1)


@dataclass(frozen=True, slots=True)
class Ewma:
    """Exponentially weighted variance of daily log returns."""

    day: int | None = None  # days since 1970-01-01 of the last close
    price_usd_micro: int = 0
    weighted: float = 0.0
    weight: float = 0.0

    def with_close(self, day: int, price_usd_micro: int, decay: float) -> "Ewma":
        """Return the state with one more daily close; a day seen before changes nothing.

        A return over a gap of n days is spread over them: r^2 / n counts n times, once decayed.
        """
        if price_usd_micro <= 0:
            raise InvariantBroken(f"expected a positive close, found {price_usd_micro} usd_micro")
        if self.day is None:
            return Ewma(day, price_usd_micro)
        if day <= self.day:
            return self
        gap = day - self.day
        change = math.log(price_usd_micro / self.price_usd_micro)
        daily = change * change / gap
        weighted, weight = self.weighted, self.weight
        for _ in range(gap):
            weighted = decay * weighted + daily
            weight = decay * weight + 1.0
        return Ewma(day, price_usd_micro, weighted, weight)

    def annualised(self) -> float | None:
        """Return the volatility per year as a fraction (0.6 = 60 %); None before one return."""
        return None if self.weight <= 0.0 else math.sqrt(self.weighted / self.weight) * _YEAR

    def to_payload(self) -> str:
        """Write the state as canonical JSON; a float's shortest form reads back exactly."""
        return json.dumps(
            [self.day, self.price_usd_micro, self.weighted, self.weight], separators=(",", ":")
        )

    @classmethod
    def from_payload(cls, payload: str) -> "Ewma":
        """Read a state back."""
        try:
            day, price, weighted, weight = json.loads(payload)
            return cls(day, price, float(weighted), float(weight))
        except (ValueError, TypeError) as error:
            raise Refused(f"expected an EWMA state, found {payload[:60]!r} ({error})") from error


def realised(prices_usd_micro: Sequence[int], window_d: int) -> float | None:
    """Return the volatility per year of the last `window_d` daily returns, oldest price first.

    None with fewer closes than `window_d + 1`: half a window would be a guess.
    """
    if window_d < 1 or len(prices_usd_micro) < window_d + 1:
        return None
    last = prices_usd_micro[-window_d - 1 :]
    squares = sum(math.log(b / a) ** 2 for a, b in itertools.pairwise(last))
    return math.sqrt(squares / window_d) * _YEAR


def is_above_guard(annualised: float | None, guard_bps: int) -> bool:
    """Say whether C-29's guard is red: above the limit, or not known.

    It defers only discretionary moves that add risk; nothing that lowers risk asks it.
    """
    return annualised is None or annualised * 10_000 > guard_bps
