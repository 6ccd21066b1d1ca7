"""Triggers at their exact bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.signals.estimate import estimate
from dynamic.signals.signal import AllocationSignal, Trigger
from dynamic.signals.state import SignalState
from dynamic.signals.triggers import (
    Standing,
    largest_drift,
    reachable_target_bps,
    should_rebalance,
)
from dynamic.units import DAY_S
from tests.signals.numbers import PARAMETERS, REBALANCE, snapshot

NOW = 2_000 * DAY_S
TARGET = {"base_yield": 7_600, "btc": 1_200, "eth": 1_200, "cash": 0}


def quiet_signal(may_buy: bool = True) -> AllocationSignal:
    signal, _ = estimate(snapshot(2_000, 2.0), SignalState(has_spoken=True), PARAMETERS)
    return replace(signal, trigger=Trigger.NONE, allows_increase=may_buy)


def standing(btc_bps: int = 1_200, **changes: object) -> Standing:
    """A treasury of 10 000 USD with BTC off its target by choice, base giving way."""
    usd = 1_000_000
    values = {"base_yield": (8_800 - btc_bps) * usd, "btc": btc_bps * usd, "eth": 1_200 * usd}
    return replace(
        Standing(NOW, {**values, "cash": 0}, TARGET, NOW - 3 * DAY_S, NOW - 3 * DAY_S),
        **changes,  # type: ignore[arg-type]
    )


@pytest.mark.req("SG-21")
@pytest.mark.parametrize(
    ("case", "trigger"),
    [
        (standing(), Trigger.NONE),
        (standing(1_700), Trigger.NONE),  # exactly 5.00 points
        (standing(1_701), Trigger.DRIFT),  # 5.01
        (standing(699), Trigger.DRIFT),
        (standing(last_review_s=NOW - 7 * DAY_S), Trigger.WEEKLY_REVIEW),
        (standing(last_review_s=NOW - 7 * DAY_S + 1), Trigger.NONE),
        (standing(gas_wei=15 * 10**9 - 1, has_pending_plan=True), Trigger.LOW_GAS),
        (standing(gas_wei=15 * 10**9 - 1), Trigger.NONE),  # nothing waits for cheap gas
        (standing(gas_wei=15 * 10**9, has_pending_plan=True), Trigger.NONE),
        (standing(gas_wei=20, gas_p25_wei=21, has_pending_plan=True), Trigger.LOW_GAS),
        (
            standing(gas_wei=20 * 10**9, gas_p25_wei=20 * 10**9, has_pending_plan=True),
            Trigger.NONE,
        ),
        (
            standing(gas_wei=20 * 10**9, gas_p25_wei=20 * 10**9 + 1, has_pending_plan=True),
            Trigger.LOW_GAS,
        ),
        (standing(last_review_s=None), Trigger.WEEKLY_REVIEW),
    ],
)
def test_sg_should_rebalance(case: Standing, trigger: Trigger) -> None:
    call = should_rebalance(quiet_signal(), case, REBALANCE)
    assert (call.is_due, call.trigger) == (trigger is not Trigger.NONE, trigger)
    assert call.reason


@pytest.mark.req("SG-21")
@pytest.mark.parametrize(
    "case", [standing(1_701), standing(gas_wei=1, has_pending_plan=True)], ids=["drift", "low_gas"]
)
@pytest.mark.parametrize(("rested_s", "is_due"), [(DAY_S - 1, False), (DAY_S, True)])
def test_sg_cooldown_delays_drift_and_low_gas(case: Standing, rested_s: int, is_due: bool) -> None:
    rested = replace(case, last_rebalance_s=NOW - rested_s)
    assert should_rebalance(quiet_signal(), rested, REBALANCE).is_due is is_due


@pytest.mark.req("SG-21")
@given(st.sampled_from([t for t in Trigger if t is not Trigger.NONE]))
def test_sg_cooldown_never_delays_a_crossing(trigger: Trigger) -> None:
    signal = replace(quiet_signal(), trigger=trigger)
    call = should_rebalance(signal, standing(last_rebalance_s=NOW), REBALANCE)
    assert (call.is_due, call.trigger) == (True, trigger)


@pytest.mark.req("SG-21", "SG-20")
def test_sg_too_little_is_no_drift_where_buying_is_off() -> None:
    assert should_rebalance(quiet_signal(may_buy=True), standing(600), REBALANCE).is_due
    assert not should_rebalance(quiet_signal(may_buy=False), standing(600), REBALANCE).is_due
    assert should_rebalance(quiet_signal(may_buy=False), standing(1_701), REBALANCE).is_due


@pytest.mark.req("SG-21")
@given(
    st.dictionaries(st.sampled_from(sorted(TARGET)), st.integers(0, 10**12)),
    st.booleans(),
)
def test_reachable_targets_buy_nothing_forbidden(values: dict[str, int], may_buy: bool) -> None:
    nav = sum(values.values())
    target = reachable_target_bps(TARGET, values, nav, may_buy)
    assert sum(target.values()) == 10_000
    if not may_buy and nav > 0:
        for bucket in ("btc", "eth"):
            assert target[bucket] * nav <= values.get(bucket, 0) * 10_000 or target[bucket] == 0


def test_drift_of_nothing_is_unknown() -> None:
    assert largest_drift({}, TARGET) is None
    drift = largest_drift({"btc": 1}, {"btc": 10_000})
    assert drift is not None
    assert drift.bps == 0
