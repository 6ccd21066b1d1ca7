"""Value at risk: what a bad day, and ten bad days, may cost, told twice in two different ways.

    value_at_risk : daily returns (T, N), oldest first x exposures (N,)  ->  Var

Historical simulation replays every recorded day on today's exposures and reads the loss that
`1 - confidence` of the days exceed (the empirical quantile, linear between order statistics).
The cross-check fits a normal: VaR = z * sigma - mu. Ten days are one day times sqrt(10), for
both, so the two stay comparable. Estimates are float64 in here and leave as micro-dollars
rounded up; a loss is positive, and never below zero. Too few days is None, not zero (GR-18).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dynamic.units import Rounding, quantise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Simple daily returns, (days, assets), oldest first: rows of numbers, or a numpy array.
Returns: TypeAlias = "NDArray[np.float64] | Sequence[Sequence[float]]"

DAYS_MIN = 30
# Standard normal quantiles by confidence in bps (Abramowitz and Stegun, table 26.5, more digits).
Z = {9_000: 1.2815515655446004, 9_500: 1.6448536269514722, 9_900: 2.3263478740408408}


@dataclass(frozen=True, slots=True)
class Var:
    """One statement: a loss in usd_micro, with its cross-check beside it."""

    confidence_bps: int
    horizon_days: int
    historical_usd_micro: int
    parametric_usd_micro: int
    days: int


def value_at_risk(
    returns: Returns,
    exposures_usd_micro: Sequence[int],
    confidence_bps: Mapping[str, int] | Sequence[int],
    horizon_days: Mapping[str, int] | Sequence[int],
) -> tuple[Var, ...] | None:
    """State VaR for every confidence and horizon; None with fewer than 30 days.

    `returns` are simple daily returns, one row per day, one column per exposure; rows with a
    value that is not a finite number are refused, never skipped.
    """
    if len(returns) < DAYS_MIN:
        return None
    profit = _profits(returns, exposures_usd_micro)
    profit.sort()
    mean = float(profit.mean())
    sigma = math.sqrt(max(float(profit @ profit) / profit.size - mean * mean, 0.0))
    found = []
    for confidence in _numbers(confidence_bps):
        historical, parametric = -_quantile(profit, confidence), normal_z(confidence) * sigma - mean
        for days in _numbers(horizon_days):
            scale = math.sqrt(days)
            found.append(
                Var(
                    confidence,
                    days,
                    _loss(historical * scale),
                    _loss(parametric * scale),
                    int(profit.size),
                )
            )
    return tuple(found)


def _profits(returns: Returns, exposures_usd_micro: Sequence[int]) -> NDArray[np.float64]:
    """Return what each recorded day would do to today's exposures, in usd_micro."""
    import numpy as np

    table = np.asarray(returns, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(exposures_usd_micro):
        raise ValueError(
            f"expected (days, {len(exposures_usd_micro)}) returns, found {table.shape}"
        )
    profit = table @ np.asarray(exposures_usd_micro, dtype=np.float64)
    if not math.isfinite(float(profit.sum())):
        raise ValueError("expected finite returns, found a gap")
    return profit


def normal_z(confidence_bps: int) -> float:
    """Return the standard normal quantile of a confidence in bps."""
    known = Z.get(confidence_bps)
    if known is not None:
        return known
    from statistics import NormalDist

    return NormalDist().inv_cdf(confidence_bps / 10_000)


def _quantile(ordered: NDArray[np.float64], confidence_bps: int) -> float:
    """Return the (1 - confidence) quantile of ascending values, linear in between."""
    place = (ordered.size - 1) * (10_000 - confidence_bps) / 10_000
    below = int(place)
    above = min(below + 1, ordered.size - 1)
    low = float(ordered[below])
    return low + (float(ordered[above]) - low) * (place - below)


def _loss(usd_micro: float) -> int:
    return max(quantise(usd_micro, 1, Rounding.UP), 0)


def _numbers(given: Mapping[str, int] | Sequence[int]) -> Sequence[int]:
    return tuple(given.values()) if isinstance(given, Mapping) else given
