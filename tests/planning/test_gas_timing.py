"""Cheap is measured against prices really paid."""

from __future__ import annotations

import pytest

from dynamic.planning.gas_timing import percentile_wei


@pytest.mark.req("RB-08")
def test_rb_opportunistic_percentile() -> None:
    assert percentile_wei([], 25) is None
    assert percentile_wei([7], 25) == 7
    assert percentile_wei([4, 3, 2, 1], 25) == 1
    assert percentile_wei([5, 4, 3, 2, 1], 25) == 2
    assert percentile_wei(list(range(1, 31)), 25) == 8
