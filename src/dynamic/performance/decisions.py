"""Decisions: whether what we chose beat doing nothing, measured later and net of costs.

    value added = sum (chosen units - alternative units) at the horizon's prices

For an action the alternative is what we held before it; for a hold it is what the action
would have left us with. Fees and gas are already missing from the units we hold, so the
comparison is net by construction. Lent balances grow by their index on both sides.

Score (C-46): the share of closed decisions that added value, tactical ones after 30 days,
yield ones after 7; with fewer than 30 of them the answer is "insufficient".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dynamic.performance.valuation import SCALE, unit_value_scaled
from dynamic.units import DAY_S, Asset

HORIZONS_D: Final = (1, 7, 30, 90)
SAMPLE_MIN: Final = 30
TARGET_SHARE: Final = 0.70

Holding = tuple[str, str]  # (location, asset)


class DecisionClass(StrEnum):
    """What a decision was about, which names the horizon that scores it."""

    TACTICAL = "tactical"
    YIELD = "yield"

    @property
    def horizon_d(self) -> int:
        """Return the days after which this class is scored."""
        return 30 if self is DecisionClass.TACTICAL else 7


@dataclass(frozen=True, slots=True)
class Tracked:
    """One decision as a difference of units, with the index of each lent balance at the time."""

    decision_id: str
    made_at_s: int
    about: DecisionClass
    difference: Mapping[Holding, int]
    index_ray: Mapping[Holding, int]

    def due_s(self, horizon_d: int) -> int:
        """Return the instant at which a horizon is reached."""
        return self.made_at_s + horizon_d * DAY_S


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision had added by one horizon."""

    decision_id: str
    horizon_d: int
    measured_at_s: int
    value_added_usd_micro: int


def track(
    decision_id: str,
    made_at_s: int,
    about: DecisionClass,
    chosen: Mapping[Holding, int],
    alternative: Mapping[Holding, int],
    index_ray: Mapping[Holding, int],
) -> Tracked:
    """Remember a decision as what it holds more or less than its alternative."""
    difference = {
        holding: chosen.get(holding, 0) - alternative.get(holding, 0)
        for holding in {**chosen, **alternative}
    }
    difference = {holding: units for holding, units in difference.items() if units}
    known = {h: index_ray[h] for h in difference if h in index_ray}
    return Tracked(decision_id, made_at_s, about, difference, known)


def due(tracked: Tracked, measured: Iterable[int], now_s: int) -> tuple[int, ...]:
    """Return the horizons that have been reached and were not measured yet."""
    done = set(measured)
    return tuple(d for d in HORIZONS_D if d not in done and now_s >= tracked.due_s(d))


def measure(
    tracked: Tracked,
    horizon_d: int,
    now_s: int,
    assets: Mapping[str, Asset],
    prices: Mapping[str, int],
    rates: Mapping[str, int],
    index_ray: Mapping[Holding, int],
) -> Outcome:
    """Value the difference now, floored; DataUnfit where a price, rate or asset is missing."""
    added = 0
    for holding, units in tracked.difference.items():
        then, now = tracked.index_ray.get(holding), index_ray.get(holding)
        if then is not None and now is not None:
            units = units * now // then
        added += units * unit_value_scaled(assets[holding[1]], prices, rates)
    return Outcome(tracked.decision_id, horizon_d, now_s, added // SCALE)


@dataclass(frozen=True, slots=True)
class Quality:
    """The decision quality score, or that there is not enough to say."""

    good: int
    closed: int
    share: float | None
    verdict: str  # insufficient, on_target, below_target


def quality(outcomes: Iterable[tuple[DecisionClass, Outcome]]) -> Quality:
    """Score closed decisions at their own horizon; more than 70 % is the target."""
    scored = [o for about, o in outcomes if o.horizon_d == about.horizon_d]
    good = sum(1 for outcome in scored if outcome.value_added_usd_micro > 0)
    if len(scored) < SAMPLE_MIN:
        return Quality(good, len(scored), None, "insufficient")
    share = good / len(scored)
    verdict = "on_target" if share > TARGET_SHARE else "below_target"
    return Quality(good, len(scored), share, verdict)
