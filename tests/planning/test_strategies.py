"""The four reasons to rebalance, each at its limit and one unit beyond (RB-05 to RB-08)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dynamic.signals.signal import Trigger
from dynamic.signals.triggers import should_rebalance
from dynamic.units import DAY_S, HOUR_S
from tests.signals.numbers import REBALANCE
from tests.signals.test_triggers import NOW, quiet_signal, standing


@pytest.mark.req("RB-05")
@pytest.mark.parametrize(("btc_bps", "is_due"), [(1_700, False), (1_701, True), (699, True)])
def test_rb_drift_beyond_five_points(btc_bps: int, is_due: bool) -> None:
    call = should_rebalance(quiet_signal(), standing(btc_bps), REBALANCE)
    assert call.is_due is is_due
    assert (call.trigger is Trigger.DRIFT) is is_due


@pytest.mark.req("RB-06")
@pytest.mark.parametrize(("since_s", "is_due"), [(7 * DAY_S - 1, False), (7 * DAY_S, True)])
def test_rb_weekly_regardless_of_drift(since_s: int, is_due: bool) -> None:
    call = should_rebalance(quiet_signal(), standing(last_review_s=NOW - since_s), REBALANCE)
    assert call.is_due is is_due
    assert (call.trigger is Trigger.WEEKLY_REVIEW) is is_due


@pytest.mark.req("RB-07")
def test_rb_signal_immediate_an_hour_after_the_last_rebalance() -> None:
    rested = standing(last_rebalance_s=NOW - HOUR_S)
    crossed = replace(quiet_signal(), trigger=Trigger.MVRV_ABOVE_3_5)
    assert should_rebalance(crossed, rested, REBALANCE).is_due
    assert not should_rebalance(quiet_signal(), rested, REBALANCE).is_due
