"""Metrics: how well the treasury did, by the formulas everybody can recompute.

    time-weighted return   prod (NAV_i - flow_i) / NAV_(i-1) - 1     a deposit changes nothing
    money-weighted return  the yearly rate at which all flows are worth nothing today
    Sharpe                 (mean - rf) / sample deviation * sqrt(365), daily
    drawdown               of the time-weighted index, peak to trough

`flow` is what the owner put in (+) or took out (-) since the point before, valued in the
point's NAV. Amounts are usd_micro; returns are estimates (float64). What cannot be computed
is None, never zero.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from dynamic.units import DAY_S, YEAR_S

WINDOWS_S: Final = {"24h": DAY_S, "7d": 7 * DAY_S, "30d": 30 * DAY_S}
_DAYS_A_YEAR: Final = 365
_ANNUALISE_AFTER_S: Final = 30 * DAY_S  # PF-02: a good week is not a good year


# A constant yield varies by the rounding of micro-dollars and nothing else: no risk to divide by.
NOISE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class NavPoint:
    """NAV at an instant, and the owner's flow since the point before."""

    at_s: int
    nav_usd_micro: int
    flow_usd_micro: int = 0


@dataclass(frozen=True, slots=True)
class TotalReturn:
    """What was gained in dollars, exactly, and as a time-weighted fraction."""

    gain_usd_micro: int
    fraction: float | None


def step_return(before: NavPoint, after: NavPoint) -> float | None:
    """Return the flow-adjusted return between two points; None from nothing."""
    if before.nav_usd_micro <= 0:
        return None
    return (after.nav_usd_micro - after.flow_usd_micro) / before.nav_usd_micro - 1.0


def time_weighted(points: Sequence[NavPoint]) -> float | None:
    """Return the time-weighted return over the points; None with fewer than two."""
    if len(points) < 2:
        return None
    growth = 1.0
    for before, after in pairwise(points):
        found = step_return(before, after)
        if found is None:
            return None
        growth *= 1.0 + found
    return growth - 1.0


def total_return(points: Sequence[NavPoint]) -> TotalReturn | None:
    """Return gain and return since the first point; flows after it are not gains (PF-01)."""
    if not points:
        return None
    flows = sum(point.flow_usd_micro for point in points[1:])
    gain = points[-1].nav_usd_micro - points[0].nav_usd_micro - flows
    return TotalReturn(gain, time_weighted(points))


def windows(points: Sequence[NavPoint], now_s: int) -> dict[str, float | None]:
    """Return the time-weighted return of 24h, 7d, 30d and all; None where history is shorter."""
    found: dict[str, float | None] = {}
    for name, span_s in WINDOWS_S.items():
        start = _last_by(points, now_s - span_s)
        found[name] = None if start is None else time_weighted(points[start:])
    found["all"] = time_weighted(points)
    return found


def _last_by(points: Sequence[NavPoint], at_s: int) -> int | None:
    """Return the index of the last point at or before an instant."""
    low, high = 0, len(points)
    while low < high:
        middle = (low + high) // 2
        if points[middle].at_s <= at_s:
            low = middle + 1
        else:
            high = middle
    return low - 1 if low else None


@dataclass(frozen=True, slots=True)
class Apy:
    """A return and whether it speaks of a year; under thirty days it does not."""

    fraction: float
    is_annualised: bool
    days: float


def apy(points: Sequence[NavPoint]) -> Apy | None:
    """Return the yearly rate of the time-weighted return; not annualised under 30 days (PF-02)."""
    found = time_weighted(points)
    if found is None:
        return None
    span_s = points[-1].at_s - points[0].at_s
    days = span_s / DAY_S
    if span_s < _ANNUALISE_AFTER_S:
        return Apy(found, is_annualised=False, days=days)
    if found <= -1.0:
        return Apy(-1.0, is_annualised=True, days=days)
    yearly = math.pow(1.0 + found, YEAR_S / span_s) - 1.0
    return Apy(yearly, is_annualised=True, days=days)


def against_target(actual: Apy | None, low: float, high: float) -> str:
    """Say where a yearly rate stands against its target band: below, within or above.

    `too_early` under thirty days, `unknown` without a return: neither is a verdict (PF-02).
    """
    if actual is None:
        return "unknown"
    if not actual.is_annualised:
        return "too_early"
    if actual.fraction < low:
        return "below"
    return "within" if actual.fraction <= high else "above"


def daily_returns(points: Sequence[NavPoint]) -> list[float]:
    """Return flow-adjusted returns between the last points of each UTC day.

    Days without a point are skipped, not filled: nothing is invented.
    """
    returns: list[float] = []
    growth = 1.0
    day: int | None = None
    closed = False  # the first day only opens the index
    before: NavPoint | None = None
    for point in points:
        if day is not None and point.at_s // DAY_S != day:
            if closed:
                returns.append(growth - 1.0)
            closed, growth = True, 1.0
        if before is not None:
            found = step_return(before, point)
            growth *= 1.0 + (0.0 if found is None else found)
        day, before = point.at_s // DAY_S, point
    if closed:
        returns.append(growth - 1.0)
    return returns


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _deviation(values: Sequence[float]) -> float | None:
    """Return the sample standard deviation; None with fewer than two values."""
    if len(values) < 2:
        return None
    mean = _mean(values)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))


def volatility(daily: Sequence[float]) -> float | None:
    """Return the yearly volatility of daily returns, by the square root of 365."""
    found = _deviation(daily)
    return None if found is None else found * math.sqrt(_DAYS_A_YEAR)


def sharpe(daily: Sequence[float], risk_free_apy: float = 0.0) -> float | None:
    """Return the yearly Sharpe ratio of daily returns; None where nothing varies (PF-03)."""
    deviation = _deviation(daily)
    if deviation is None or deviation < NOISE:
        return None
    risk_free = math.pow(1.0 + risk_free_apy, 1.0 / _DAYS_A_YEAR) - 1.0
    return (_mean(daily) - risk_free) / deviation * math.sqrt(_DAYS_A_YEAR)


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall of the time-weighted index, as a positive fraction, and when."""

    fraction: float
    peak_at_s: int
    trough_at_s: int


def max_drawdown(points: Sequence[NavPoint]) -> Drawdown | None:
    """Return the deepest peak-to-trough fall, flows left out; None without points (PF-04)."""
    if not points:
        return None
    index = peak = 1.0
    peak_at_s = points[0].at_s
    worst = Drawdown(0.0, peak_at_s, peak_at_s)
    for before, after in pairwise(points):
        found = step_return(before, after)
        if found is not None:
            index *= 1.0 + found
        if index > peak:
            peak, peak_at_s = index, after.at_s
        elif 1.0 - index / peak > worst.fraction:
            worst = Drawdown(1.0 - index / peak, peak_at_s, after.at_s)
    return worst


def money_weighted(points: Sequence[NavPoint]) -> float | None:
    """Return the yearly money-weighted return (XIRR, years of 365 days).

    The first NAV is paid in, later flows as they came, the last NAV is paid out. None where
    no time passed or no rate between -99.99 % and 10 000 % makes them meet.
    """
    if len(points) < 2 or points[-1].at_s == points[0].at_s:
        return None
    first = points[0]
    flows = [(0.0, -float(first.nav_usd_micro))]
    flows += [
        ((p.at_s - first.at_s) / YEAR_S, -float(p.flow_usd_micro))
        for p in points[1:]
        if p.flow_usd_micro
    ]
    flows.append(((points[-1].at_s - first.at_s) / YEAR_S, float(points[-1].nav_usd_micro)))
    return xirr(flows)


def xirr(flows: Sequence[tuple[float, float]]) -> float | None:
    """Return the rate at which flows (years, amount) discount to zero, by bisection.

    None where all flows have one sign, or where no single crossing is bracketed.
    """
    if not any(amount < 0 for _, amount in flows) or not any(amount > 0 for _, amount in flows):
        return None

    def worth(rate: float) -> float:
        return math.fsum(amount * math.pow(1.0 + rate, -years) for years, amount in flows)

    low, high = -0.9999, 100.0
    at_low, at_high = worth(low), worth(high)
    if at_low == 0.0 or at_high == 0.0:
        return low if at_low == 0.0 else high
    if (at_low > 0) == (at_high > 0) or not math.isfinite(at_low):
        return None
    for _ in range(200):
        middle = (low + high) / 2
        at_middle = worth(middle)
        if at_middle == 0.0 or high - low < 1e-13:
            return middle
        if (at_middle > 0) == (at_low > 0):
            low = middle
        else:
            high = middle
    return (low + high) / 2


@dataclass(frozen=True, slots=True)
class WinRate:
    """Closed plays that gained, of all closed plays; break-even is no win."""

    won: int
    closed: int

    @property
    def fraction(self) -> float | None:
        """Return won / closed; None where nothing was closed."""
        return self.won / self.closed if self.closed else None


def win_rate(realised_usd_micro: Iterable[int]) -> WinRate:
    """Count closed tactical lots by their realised gain, costs included (PF-05)."""
    gains = list(realised_usd_micro)
    return WinRate(sum(1 for gain in gains if gain > 0), len(gains))


@dataclass(frozen=True, slots=True)
class GasBill:
    """Gas against what was gained before it."""

    gas_usd_micro: int
    gain_before_gas_usd_micro: int

    @property
    def fraction(self) -> float | None:
        """Return gas as a share of the gain; None where there was no gain to share."""
        if self.gain_before_gas_usd_micro <= 0:
            return None
        return self.gas_usd_micro / self.gain_before_gas_usd_micro


def gas_bill(gas_usd_micro: int, gain_usd_micro: int) -> GasBill:
    """Set gas (positive) against the gain after gas (PF-06)."""
    return GasBill(gas_usd_micro, gain_usd_micro + gas_usd_micro)
