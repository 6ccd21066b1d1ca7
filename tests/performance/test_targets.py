"""The published targets, and the same sums done right."""

from __future__ import annotations

import pytest

from dynamic.performance.targets import Plans, blended_apy, targets

USD = 10**6
PLANS = Plans(400_000 * USD, 6_000, 650, 6)


@pytest.mark.req("PF-19", "C-19")
def test_pf_targets_math() -> None:
    found = targets(PLANS)
    published, corrected = found["conservative"]
    assert (published.gain_usd_micro, published.gain_bps) == (95_600 * USD, 2_390)
    assert (corrected.gain_usd_micro, corrected.gain_bps) == (87_800 * USD, 2_195)
    assert (published.base_usd_micro, corrected.base_usd_micro) == (15_600 * USD, 7_800 * USD)
    published, corrected = found["optimistic"]
    assert (published.gain_usd_micro, published.gain_bps) == (175_600 * USD, 4_390)
    assert (corrected.gain_usd_micro, corrected.gain_bps) == (167_800 * USD, 4_195)


@pytest.mark.req("PM-02", "C-20")
def test_pm_base_split_blends_to_5_917_percent() -> None:
    amounts = {"aave_v3": 100_000 * USD, "pendle_v2": 80_000 * USD, "curve": 60_000 * USD}
    apys = {"aave_v3": 0.039, "pendle_v2": 0.08, "curve": 0.065}
    assert blended_apy(amounts, apys) == pytest.approx(14_200 / 240_000)  # 5.9166 %
    assert blended_apy({}, apys) is None
    assert blended_apy(amounts, {"aave_v3": 0.039, "curve": 0.065}) is None
    proposed = {"aave_v3": 57_700 * USD, "pendle_v2": 100_000 * USD, "curve": 82_300 * USD}
    assert blended_apy(proposed, apys) == pytest.approx(0.065, abs=1e-5)
