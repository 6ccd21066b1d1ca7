"""Drawdown stages, value at risk, exits, gas budgets, and the analyzer in front of them."""

from __future__ import annotations

import inspect
import math
import time
from dataclasses import replace
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.policy.drawdown import (
    Stage,
    drawdown_bps,
    stage_of,
    target_multiplier_bps,
)
from dynamic.policy.exits import exit_of, exits
from dynamic.policy.gas import gas_findings
from dynamic.policy.proposal import Position, Urgency
from dynamic.policy.risk import RiskAnalyzer
from dynamic.policy.var import normal_z, value_at_risk
from tests.policy.cases import (
    AAVE,
    BTC,
    CALM,
    CASH,
    LP,
    MANDATE,
    PT,
    SAFE,
    WETH,
    U,
    holding,
)

D = MANDATE.drawdown


@pytest.mark.req("GR-20", "SC-18")
@pytest.mark.parametrize(
    ("nav", "stage"),
    [(1_000_001, Stage.NORMAL), (1_000_000, Stage.NORMAL), (900_001, Stage.NORMAL),
     (900_000, Stage.WARN), (850_001, Stage.WARN), (850_000, Stage.REDUCE),
     (800_001, Stage.REDUCE), (800_000, Stage.EXIT), (0, Stage.EXIT), (-5, Stage.EXIT)],
)  # fmt: skip
def test_gr_drawdown_stages(nav: int, stage: Stage) -> None:
    assert stage_of(nav, 1_000_000, D) is stage
    expected = {Stage.EXIT: 0, Stage.REDUCE: 5_000}.get(stage, 10_000)
    assert target_multiplier_bps(stage, False, D) == expected
    assert target_multiplier_bps(stage, True, D) == 0  # a pause ends only by people


@given(st.integers(0, 10**13), st.integers(0, 10**13), st.integers(1, 10**13))
def test_less_money_is_never_a_milder_stage(a: int, b: int, mark: int) -> None:
    low, high = sorted((a, b))
    assert stage_of(low, mark, D) >= stage_of(high, mark, D)
    assert drawdown_bps(low, mark) >= drawdown_bps(high, mark) >= 0


@pytest.mark.req("GR-18")
def test_gr_var() -> None:
    """On exact normal quantiles both methods meet the closed form within 2 %."""
    days, sigma = 4_000, 0.03
    sample = [NormalDist(0, sigma).inv_cdf((n + 0.5) / days) for n in range(days)]
    found = value_at_risk([[r] for r in sample], [100_000 * U], (9_500, 9_900), (1, 10))
    assert found is not None
    assert [(v.confidence_bps, v.horizon_days) for v in found] == [
        (9_500, 1), (9_500, 10), (9_900, 1), (9_900, 10),
    ]  # fmt: skip
    for v in found:
        z = NormalDist().inv_cdf(v.confidence_bps / 10_000)
        closed = z * sigma * math.sqrt(v.horizon_days) * 100_000 * U
        assert v.historical_usd_micro == pytest.approx(closed, rel=0.02)
        assert v.parametric_usd_micro == pytest.approx(closed, rel=0.02)


@pytest.mark.req("GR-18")
def test_gr_var_is_of_the_whole_portfolio() -> None:
    """Two assets that always cancel carry no risk together; one alone does."""
    rows = [[x, -x] for x in (0.01 * math.sin(n) for n in range(100))]
    whole = value_at_risk(rows, [50_000 * U, 50_000 * U], (9_500,), (1,))
    alone = value_at_risk(rows, [50_000 * U, 0], (9_500,), (1,))
    assert whole is not None
    assert alone is not None
    assert whole[0].historical_usd_micro <= 1
    assert alone[0].historical_usd_micro > 400 * U


def test_var_of_too_little_or_broken_history() -> None:
    assert value_at_risk([], [U], (9_500,), (1,)) is None
    assert value_at_risk([[0.0]] * 29, [U], (9_500,), (1,)) is None
    assert value_at_risk([[0.0]] * 30, [U], (9_500,), (1,)) is not None
    with pytest.raises(ValueError, match="finite"):
        value_at_risk([[math.nan]] * 30, [U], (9_500,), (1,))
    with pytest.raises(ValueError, match="expected"):
        value_at_risk([[0.0, 0.0]] * 30, [U], (9_500,), (1,))
    rising = value_at_risk([[0.01]] * 30, [U], (9_500,), (1,))
    assert rising is not None
    assert rising[0].historical_usd_micro == 0  # a gain is no loss, and never a negative one
    assert normal_z(9_750) == pytest.approx(1.95996, abs=1e-5)


def test_var_is_quick() -> None:
    import numpy as np

    table = np.linspace(-0.05, 0.05, 730).reshape(365, 2)
    fastest = math.inf
    for _ in range(200):
        began = time.perf_counter()
        value_at_risk(table, [80_000 * U, 80_000 * U], (9_500, 9_900), (1, 10))
        fastest = min(fastest, time.perf_counter() - began)
    assert fastest < 500e-6  # about 50 microseconds on a quiet machine


@pytest.mark.req("GR-19", "SC-19")
@pytest.mark.parametrize(
    ("usd", "is_normal", "is_emergency"),
    [(1_000_000, True, True), (1_000_001, True, False), (24_000_000, True, False),
     (24_000_001, False, False), (0, True, True)],
)  # fmt: skip
def test_gr_exit_time(usd: int, is_normal: bool, is_emergency: bool) -> None:
    """24 M leave in 24 h at 1 %: one hour carries 1 M."""
    found = exit_of(AAVE, usd * U, 24_000_000 * U, MANDATE)
    assert (found.is_normal, found.is_emergency) == (is_normal, is_emergency)
    unknown = exit_of(AAVE, usd * U, None, MANDATE)
    assert unknown.is_normal is (usd == 0)


@pytest.mark.req("GR-19")
def test_gr_exit_time_of_every_position() -> None:
    s = holding({CASH: 100_000, BTC: 60_000, AAVE: 90_000, PT: 80_000, LP: 70_000})
    s = replace(s, protocols={"aave_v3": SAFE, "curve": replace(SAFE, is_paused=True)})
    found = {e.position: e for e in exits(s, MANDATE, {"WBTC": 100_000_000 * U})}
    assert set(found) == set(s.values_usd_micro)
    assert found[CASH].exit_s == 0
    assert found[BTC].exit_s == 52  # 60k of 100M a day, rounded up
    assert found[AAVE].slippage_bps == 1
    assert (found[PT].exit_s, found[LP].exit_s) == (None, None)  # unknown, and paused
    assert not found[LP].is_normal


@pytest.mark.req("RB-15", "SC-14")
def test_rb_gas_budget() -> None:
    def hit(gas: int, moved: int, month: int, urgency: Urgency, dear: bool = False) -> list[str]:
        found = gas_findings(gas, moved, month, 400_000 * U, urgency, MANDATE.gas, dear)
        return [f.rule for f in found]

    free, must = Urgency.DISCRETIONARY, Urgency.MANDATORY
    assert hit(10 * U, 10_000 * U, 390 * U, free) == []
    assert hit(10 * U, 10_000 * U, 390 * U + 1, free) == ["month-gas"]
    assert hit(10 * U + 1, 10_000 * U, 0, free) == ["plan-gas"]
    assert hit(100 * U, 1_000 * U, 400 * U, must) == []
    assert hit(50 * U, 10_000 * U, 0, must, dear=True) == []
    assert hit(50 * U + 1, 10_000 * U, 0, must, dear=True) == ["emergency-fee"]
    assert hit(10 * U, 0, 0, free) == ["plan-gas"]


@pytest.mark.req("GR-17")
def test_gr_interface() -> None:
    analyzer = RiskAnalyzer(MANDATE)
    for name in (
        "validate_allocation", "calculate_var", "check_concentration", "assess_protocol_risk",
    ):  # fmt: skip
        assert inspect.getdoc(getattr(analyzer, name))
    target = {"base_yield": 6_000, "btc": 2_000, "eth": 2_000, "cash": 0}
    assert analyzer.validate_allocation(target) == ()
    over = {"base_yield": 5_999, "btc": 2_001, "eth": 2_000, "cash": 0}
    assert [f.rule for f in analyzer.validate_allocation(over)] == ["volatile-cap"]
    lopsided = {"base_yield": 7_000, "btc": 2_501, "eth": 499, "cash": 0}
    assert [f.rule for f in analyzer.validate_allocation(lopsided)] == ["position-cap"]
    assert analyzer.validate_allocation({**target, "cash": 1})[0].rule == "target-sum"
    returns = [[0.01 * math.sin(n)] for n in range(400)]
    stated = analyzer.calculate_var(returns, [U])
    assert stated is not None
    assert len(stated) == 4
    assert stated[0].days == 365  # the mandate's window, the latest days
    assert analyzer.assess_protocol_risk(AAVE, 1_000 * U, CALM) == ()
    mars = Position("mars", "USDC")
    rules = [f.rule for f in analyzer.assess_protocol_risk(mars, 1, CALM)]
    assert rules == ["allow-list", "protocol-known"]


@pytest.mark.req("GR-12", "GR-17")
def test_gr_concentration_reports_cap_and_trim() -> None:
    analyzer = RiskAnalyzer(MANDATE)
    held = holding({CASH: 92_000, AAVE: 104_000, PT: 104_001, LP: 100_000 - 1, WETH: 0})
    held = replace(held, nav_usd_micro=400_000 * U)
    found = {c.position: c for c in analyzer.check_concentration(held)}
    assert CASH not in found
    assert (found[AAVE].is_above_cap, found[AAVE].must_trim) == (True, False)  # 26 % exactly
    assert (found[PT].is_above_cap, found[PT].must_trim) == (True, True)
    assert (found[LP].is_above_cap, found[LP].share_bps) == (False, 2_500)
