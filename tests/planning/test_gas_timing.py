"""Cheap gas is waited for by what can wait, and by nothing else."""

from __future__ import annotations

import pytest

from dynamic.planning.gas_timing import is_gas_low, percentile_wei, should_wait_for_low_gas
from dynamic.policy.proposal import Urgency
from tests.planning.treasury import GWEI


@pytest.mark.req("RB-08")
@pytest.mark.parametrize(
    ("gas", "quarter", "low"),
    [
        (15 * GWEI - 1, None, True),
        (15 * GWEI, None, False),
        (15 * GWEI, 20 * GWEI, True),
        (20 * GWEI - 1, 20 * GWEI, True),
        (20 * GWEI, 20 * GWEI, False),
        (0, None, True),  # zero is data
        (None, 20 * GWEI, False),
    ],
)
def test_rb_opportunistic(gas: int | None, quarter: int | None, low: bool) -> None:
    assert is_gas_low(gas, quarter, 15 * GWEI) is low
    wait = should_wait_for_low_gas(Urgency.DISCRETIONARY, gas, quarter, 15 * GWEI)
    assert wait is not low
    for urgency in (Urgency.MANDATORY, Urgency.EMERGENCY, Urgency.MAINTENANCE):
        assert not should_wait_for_low_gas(urgency, gas, quarter, 15 * GWEI)


@pytest.mark.req("RB-08")
def test_rb_opportunistic_percentile() -> None:
    assert percentile_wei([], 25) is None
    assert percentile_wei([7], 25) == 7
    assert percentile_wei([4, 3, 2, 1], 25) == 1
    assert percentile_wei([5, 4, 3, 2, 1], 25) == 2
    assert percentile_wei(list(range(1, 31)), 25) == 8
