"""Triggers: whether now is a time to rebalance, and which rule says so (SG-21).

    1  the signal's own trigger (a crossing, a phase, the first run)   at once
    2  weekly review                                                   7 days after the last
    3  drift of any bucket > 5.00 points of NAV                        after the cool-down
    4  gas below 15 gwei or its 30-day 25th percentile, plan pending   after the cool-down

The order is the order of reasons. Only 3 and 4 wait for the cool-down: reducing risk never
waits (C-57). Drift is counted in absolute points of NAV per bucket, strictly above, in exact
integers (C-59). Where buying is not allowed, too little BTC or ETH is no drift: it could not
be mended, and the same weight resting in the base layer is no drift either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dynamic.signals.parameters import Rebalance
from dynamic.signals.signal import AllocationSignal, Trigger
from dynamic.units import BPS, Rounding, divide

_SPOT = ("btc", "eth")


class Drift(NamedTuple):
    """The bucket furthest from its target. `scaled` is |value x 10 000 - target x NAV|, exact."""

    bucket: str
    scaled: int
    bps: int  # rounded up, for people


@dataclass(frozen=True, slots=True)
class Standing:
    """What the treasury holds and when it last acted, as the triggers see it.

    `values_usd_micro` has the buckets base_yield, btc, eth and cash; `target_bps` is the target
    after sizing; `gas_p25_wei` the 25th percentile of the last 30 days, None if unknown.
    """

    now_s: int
    values_usd_micro: Mapping[str, int]
    target_bps: Mapping[str, int]
    last_rebalance_s: int | None
    last_review_s: int | None
    gas_wei: int | None = None
    gas_p25_wei: int | None = None
    has_pending_plan: bool = False


class Call(NamedTuple):
    """Whether to rebalance, the rule from the closed list, and the reason with its numbers."""

    is_due: bool
    trigger: Trigger
    reason: str


def reachable_target_bps(
    target_bps: Mapping[str, int],
    values_usd_micro: Mapping[str, int],
    nav_usd_micro: int,
    allows_increase: bool,
) -> dict[str, int]:
    """Return the target without purchases that are not allowed; they rest in the base layer.

    Shares actually held are rounded down, so that nothing is bought by a rounding.
    """
    reachable = dict(target_bps)
    if allows_increase or nav_usd_micro <= 0:
        return reachable
    for bucket in _SPOT:
        held = divide(values_usd_micro.get(bucket, 0) * BPS, nav_usd_micro, Rounding.DOWN)
        short = reachable.get(bucket, 0) - held
        if short > 0:
            reachable[bucket] -= short
            reachable["base_yield"] = reachable.get("base_yield", 0) + short
    return reachable


def largest_drift(
    values_usd_micro: Mapping[str, int], target_bps: Mapping[str, int]
) -> Drift | None:
    """Return the bucket furthest from its target, in points of NAV; None without value."""
    nav = sum(values_usd_micro.values())
    if nav <= 0:
        return None
    worst = Drift("", -1, 0)
    for bucket in sorted({*values_usd_micro, *target_bps}):
        scaled = abs(values_usd_micro.get(bucket, 0) * BPS - target_bps.get(bucket, 0) * nav)
        if scaled > worst.scaled:
            worst = Drift(bucket, scaled, divide(scaled, nav, Rounding.UP))
    return worst


def should_rebalance(signal: AllocationSignal, standing: Standing, parameters: Rebalance) -> Call:
    """Ask each trigger in order; the first that fires is the reason."""
    if signal.trigger is not Trigger.NONE:
        return Call(True, signal.trigger, f"{signal.trigger}: {signal.reasoning}")
    review = _since(standing.now_s, standing.last_review_s)
    if review is None or review >= parameters.review_interval_s:
        ago = "never reviewed" if review is None else f"last reviewed {review} s ago"
        return Call(
            True, Trigger.WEEKLY_REVIEW, f"{ago}, due every {parameters.review_interval_s} s"
        )
    rest = _since(standing.now_s, standing.last_rebalance_s)
    if rest is not None and rest < parameters.cooldown_s:
        return Call(False, Trigger.NONE, f"cooling down: {rest} s of {parameters.cooldown_s} s")
    return (
        _drift(signal, standing, parameters)
        or _low_gas(standing, parameters)
        or Call(False, Trigger.NONE, "no trigger fired")
    )


def _since(now_s: int, then_s: int | None) -> int | None:
    return None if then_s is None else now_s - then_s


def _drift(signal: AllocationSignal, standing: Standing, parameters: Rebalance) -> Call | None:
    values = standing.values_usd_micro
    nav = sum(values.values())
    target = reachable_target_bps(standing.target_bps, values, nav, signal.allows_increase)
    worst = largest_drift(values, target)
    if worst is None or worst.scaled <= parameters.drift_bps * nav:
        return None
    text = f"{worst.bucket} is {worst.bps} bps of NAV from its target, limit {parameters.drift_bps}"
    return Call(True, Trigger.DRIFT, text)


def _low_gas(standing: Standing, parameters: Rebalance) -> Call | None:
    gas = standing.gas_wei
    if gas is None or not standing.has_pending_plan:
        return None
    if gas < parameters.low_gas_wei:
        limit, what = parameters.low_gas_wei, "limit"
    elif standing.gas_p25_wei is not None and gas < standing.gas_p25_wei:
        limit, what = standing.gas_p25_wei, "30-day 25th percentile"
    else:
        return None
    return Call(True, Trigger.LOW_GAS, f"gas {gas} wei below its {what} of {limit} wei, plan waits")
