"""The ladder's table, at every boundary and one unit to each side."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import ConfigRefused
from dynamic.signals.ladder import rungs, share_bps, target_bps
from tests.signals.numbers import LADDER, LAYERS, LayerNumbers

scores = st.floats(-10, 20, allow_nan=False)


@pytest.mark.req("SG-09")
@given(scores, scores)
def test_sg_monotone_a_higher_score_never_asks_for_more(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert share_bps(high, LADDER) <= share_bps(low, LADDER)


@pytest.mark.req("SG-02", "SG-03", "SG-05", "SG-06", "SG-07", "SG-08")
@pytest.mark.parametrize(
    ("mvrv_z", "share"),
    [
        (-5.0, 10_000), (-0.01, 10_000), (math.nextafter(0.0, -1.0), 10_000),
        (0.0, 6_000), (-0.0, 6_000), (1.5, 6_000), (3.0, 6_000),
        (math.nextafter(3.5, 9), 4_500), (3.51, 4_500), (5.0, 4_500),
        (math.nextafter(5.0, 9), 3_000), (5.01, 3_000), (7.0, 3_000),
        (math.nextafter(7.0, 9), 1_980), (7.01, 1_980), (9.0, 1_980),
        (math.nextafter(9.0, 99), 0), (9.01, 0), (15.0, 0),
    ],
)  # fmt: skip
def test_sg_ladder(mvrv_z: float, share: int) -> None:
    assert share_bps(mvrv_z, LADDER) == share
    assert share_bps(mvrv_z, LADDER, held_bps=6_000) == share
    assert share_bps(mvrv_z, LADDER, held_bps=4_500) == share  # only the gap asks what was held


@pytest.mark.req("SG-04")
@pytest.mark.parametrize("mvrv_z", [math.nextafter(3.0, 9), 3.01, 3.49, 3.5])
@pytest.mark.parametrize(
    ("held", "share"),
    [(6_000, 6_000), (4_500, 4_500), (1_980, 1_980), (0, 0), (10_000, 6_000), (None, 6_000)],
)
def test_sg_gap_hold(mvrv_z: float, held: int | None, share: int) -> None:
    assert share_bps(mvrv_z, LADDER, held) == share


@pytest.mark.req("SG-15")
@given(
    st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 10_000)
)
def test_sg_sum_one_for_any_split(ladder_bps: int, base: int, cash: int, btc: int) -> None:
    base = min(base, 10_000 - min(cash, 10_000))
    layers = LayerNumbers(base, 10_000 - base - min(cash, 10_000), min(cash, 10_000), btc)
    target = target_bps(ladder_bps, layers)
    assert set(target) == {"base_yield", "btc", "eth", "cash"}
    assert sum(target.values()) == 10_000
    assert all(weight >= 0 for weight in target.values())
    assert target["btc"] + target["eth"] <= layers.tactical_bps


@pytest.mark.req("SG-05", "SG-06", "SG-07")
@pytest.mark.parametrize(
    ("ladder_bps", "nav_bps"),
    [(10_000, 4_000), (6_000, 2_400), (4_500, 1_800), (3_000, 1_200), (1_980, 792), (0, 0)],
)
def test_sg_ladder_shares_of_nav(ladder_bps: int, nav_bps: int) -> None:
    """40, 24, 18, 12, 7.92 and 0 % of NAV (C-06)."""
    target = target_bps(ladder_bps, LAYERS)
    assert target["btc"] == target["eth"] == nav_bps // 2
    assert target["base_yield"] == 10_000 - nav_bps


def test_a_ladder_without_its_four_steps_is_refused() -> None:
    with pytest.raises(ConfigRefused, match="4 sell steps"):
        rungs(replace(LADDER, sell_above_milli=(3_500, 5_000, 7_000)))
