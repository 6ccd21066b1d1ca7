"""The treasury's SDK: five coroutines, typed answers, and flows that are neither gain nor loss."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import Conflict, DataUnfit, Refused
from dynamic.policy.situation import SwitchState
from dynamic.trading.capital import CapitalFlow
from dynamic.trading.desk import (
    PortfolioManager,
    TargetAllocation,
    Transaction,
    TransactionKind,
    flow_of,
)
from dynamic.trading.views import PerformanceView, PortfolioView, RebalanceResult, RebalanceStatus
from tests.trading.stand import World

OPERATIONS = (
    "get_current_state", "calculate_target_allocation", "execute_rebalancing",
    "get_performance_metrics", "record_transaction",
)  # fmt: skip
DEPOSIT, WITHDRAW = TransactionKind.DEPOSIT, TransactionKind.WITHDRAW


def deposit(key: str = "flow-1", amount: Any = "50000", **how: Any) -> Transaction:
    return Transaction(key, DEPOSIT, amount, ("ann",), "more capital", **how)


def withdrawal(key: str = "out-1", amount: Any = "20000", **how: Any) -> Transaction:
    plain: dict[str, Any] = {"operators": ("ann", "bob"), "reason": "rent"}
    return Transaction(key, WITHDRAW, amount, **(plain | how))


@pytest.mark.req("PM-07")
def test_pm_interface_has_five_coroutines() -> None:
    for name in OPERATIONS:
        assert inspect.iscoroutinefunction(getattr(PortfolioManager, name))


@pytest.mark.req("PM-07")
def test_importing_the_desk_loads_no_database_and_no_server() -> None:
    heavy = "sqlalchemy alembic fastapi uvicorn numpy pydantic structlog prometheus_client web3"
    code = (
        f"import sys, dynamic.trading.desk; print([m for m in {heavy.split()} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.req("PM-07")
def test_pm_interface_over_a_real_treasury(world: World) -> None:
    manager = PortfolioManager(world.service)

    async def desk() -> None:
        asked = await manager.execute_rebalancing("otto", force=True, max_slippage_bps=80)
        assert isinstance(asked, RebalanceResult)
        assert asked.status is RebalanceStatus.APPROVAL_REQUIRED
        world.sign_all()
        state = await manager.get_current_state()
        assert isinstance(state, PortfolioView)
        assert len(state.positions) == 5
        target = await manager.calculate_target_allocation()
        assert isinstance(target, TargetAllocation)
        assert sum(target.target_bps.values()) == sum(target.current_bps.values()) == 10_000
        assert target.phase == state.phase
        assert target.objections == ()
        earned = await manager.get_performance_metrics("all")
        assert isinstance(earned, PerformanceView)
        booked = await manager.record_transaction(deposit())
        assert (booked.base_units, booked.was_booked_before) == (50_000_000_000, False)

    asyncio.run(desk())
    world.check_books()


def test_several_awaited_at_once_take_turns(deployed: World) -> None:
    manager = PortfolioManager(deployed.service)

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(
            *(manager.record_transaction(deposit(f"k{n % 3}", "1000")) for n in range(9)),
            manager.get_current_state(),
            manager.get_performance_metrics("24h"),
        )

    *receipts, _, _ = asyncio.run(all_at_once())
    assert sorted(r.was_booked_before for r in receipts) == [False] * 3 + [True] * 6
    deployed.check_books()


# --- flows ----------------------------------------------------------------------------------------


def record(world: World, transaction: Transaction) -> Any:
    return asyncio.run(PortfolioManager(world.service).record_transaction(transaction))


@pytest.mark.req("PM-10", "GR-20")
def test_pm_twr_a_deposit_of_50k_is_neither_return_nor_recovery(deployed: World) -> None:
    """Two lives of one market, one with a deposit: the same returns, the same drawdown."""
    deployed.live(10, sign=True)
    deployed.engine.cycle()
    before, seen_before = deployed.service.portfolio(), deployed.service.performance("all")
    record(deployed, deposit())
    deployed.engine.cycle()
    after, seen_after = deployed.service.portfolio(), deployed.service.performance("all")
    assert after.total_usd_micro - before.total_usd_micro == pytest.approx(50_000e6, abs=100e6)
    assert seen_after.total_return == pytest.approx(seen_before.total_return, abs=2e-5)
    assert seen_after.gain_usd_micro == pytest.approx(seen_before.gain_usd_micro, abs=50e6)
    for name in ("return_24h", "return_7d"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), abs=2e-5)
    assert abs(after.drawdown_bps - before.drawdown_bps) <= 1
    assert after.high_water_usd_micro > before.high_water_usd_micro
    assert seen_after.attribution_usd_micro["flows"] == pytest.approx(50_000e6, abs=200e6)
    for mine, theirs in zip(seen_after.benchmarks, seen_before.benchmarks, strict=True):
        assert mine.total_return == pytest.approx(theirs.total_return, abs=1e-6)
        assert mine.series[-1].value - theirs.series[-1].value == pytest.approx(50_000, rel=0.02)
    deployed.check_books()


@pytest.mark.req("PM-10")
def test_pm_twr_a_withdrawal_is_no_loss(deployed: World) -> None:
    deployed.live(6)
    deployed.engine.cycle()
    before = deployed.service.portfolio()
    record(deployed, withdrawal())
    deployed.engine.cycle()
    after = deployed.service.portfolio()
    assert before.total_usd_micro - after.total_usd_micro == pytest.approx(20_000e6, abs=60e6)
    assert after.return_24h == pytest.approx(before.return_24h, abs=2e-5)
    assert abs(after.drawdown_bps - before.drawdown_bps) <= 1
    deployed.check_books()


@pytest.mark.req("PM-10")
def test_a_flow_and_a_cycle_within_one_second_lose_no_flow(deployed: World) -> None:
    """Two marks at one instant are one row; the row explains both."""
    deployed.live(3)
    deployed.engine.cycle()
    record(deployed, deposit(amount="100000"))
    deployed.engine.cycle()
    deployed.engine.cycle()
    seen = deployed.service.performance("all")
    assert abs(seen.total_return) < 0.02
    assert seen.gain_usd_micro == sum(
        value for name, value in seen.attribution_usd_micro.items() if name != "flows"
    )


@pytest.mark.req("PM-07", "LG-02")
def test_a_key_has_one_effect_also_after_a_restart(deployed: World) -> None:
    held = dict(deployed.venue.balances(0))
    assert not record(deployed, deposit()).was_booked_before
    deployed.restart()
    assert record(deployed, deposit()).was_booked_before
    with pytest.raises(Conflict, match="booked with 50000000000"):
        record(deployed, deposit(amount="49999"))
    gained = deployed.venue.balances(0)[("wallet", "USDC")] - held[("wallet", "USDC")]
    assert gained == 50_000_000_000
    deployed.check_books()
    flows = [e for e in deployed.service.ledger(None, None, 500, 0) if e.kind == "capital"]
    assert [e.ref for e in flows if e.ref.startswith("flow-1")] == ["flow-1:wallet:USDC"]
    noted = [link for link in deployed.service.audit(500) if link.kind == "capital"]
    assert [link.actor for link in noted] == ["ann"]


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.req("RE-01", "PM-08")
@pytest.mark.parametrize("commits", [1, 2])
def test_a_death_between_venue_and_books_is_healed_by_the_same_flow(
    deployed: World, commits: int
) -> None:
    commit, left = deployed.store.commit, [commits]

    def dies(batch: Any) -> None:
        left[0] -= 1
        if not left[0]:
            raise Killed
        commit(batch)

    deployed.store.commit = dies  # type: ignore[method-assign]
    with pytest.raises(Killed):
        deployed.service.record_capital(flow_of(deposit()))
    deployed.store.commit = commit  # type: ignore[method-assign]
    deployed.restart()
    (residue,) = deployed.service.reconcile().residues
    assert residue.residue_units == 50_000_000_000
    with pytest.raises(Conflict, match="not booked"):
        record(deployed, deposit(amount="40000"))
    assert not record(deployed, deposit()).was_booked_before
    deployed.check_books()


@pytest.mark.req("C-54", "I-19")
def test_a_withdrawal_takes_two_people_a_quiet_treasury_and_real_cash(deployed: World) -> None:
    for people in ((), ("ann",), ("ann", " ANN"), ("ann", "claude")):
        with pytest.raises(Refused, match="2 distinct people"):
            record(deployed, withdrawal(operators=people))
    with pytest.raises(Refused, match="reason"):
        record(deployed, withdrawal(reason=" "))
    with pytest.raises(Refused, match="at most"):
        record(deployed, withdrawal(amount="1000000"))
    with pytest.raises(Refused, match="expected USDC"):
        record(deployed, withdrawal(asset="WBTC", amount="0.1"))
    deployed.service.lower_switch("vera", SwitchState.HALTED, "drill")
    with pytest.raises(Conflict, match="halted"):
        record(deployed, withdrawal())
    assert not record(deployed, deposit()).was_booked_before, "money that arrived is booked"
    deployed.check_books()


def test_a_withdrawal_waits_for_the_plan_in_hand(world: World) -> None:
    world.service.rebalance("otto", False, None)
    with pytest.raises(Conflict, match="may need the cash"):
        record(world, withdrawal())


def test_a_deposit_of_the_gas_reserves_own_asset_has_a_lot(deployed: World) -> None:
    record(deployed, deposit("gas", "0.5", asset="ETH"))
    gas = next(p for p in deployed.service.portfolio().positions if p.asset == "ETH")
    assert gas.current_return is None, "the mark is older than the flow"
    deployed.engine.cycle()
    after = next(p for p in deployed.service.portfolio().positions if p.asset == "ETH")
    assert after.base_units - gas.base_units == 5 * 10**17
    assert after.current_return == pytest.approx(0, abs=1e-6)
    deployed.check_books()


def test_a_flow_without_a_price_moves_nothing(deployed: World) -> None:
    deployed.feed.hidden = {"price:ETH"}
    deployed.go(days=1)
    with pytest.raises(DataUnfit, match="price of ETH"):
        record(deployed, deposit("gas", "0.5", asset="ETH"))
    deployed.feed.hidden = set()
    deployed.check_books()


@pytest.mark.req("PM-06")
@pytest.mark.parametrize(
    "amount", [0.1, True, None, "", "NaN", "Infinity", "-1", 0, "0.0000001", "1e-7", b"1", "1,000"]
)
def test_what_is_no_exact_amount_is_refused(amount: Any) -> None:
    with pytest.raises(Refused):
        flow_of(deposit(amount=amount))


@pytest.mark.req("PM-06")
@given(st.integers(1, 10**18), st.sampled_from(["USDC", "WBTC", "WETH", "ETH"]))
def test_amounts_arrive_to_the_base_unit(units: int, symbol: str) -> None:
    decimals = {"USDC": 6, "WBTC": 8, "WETH": 18, "ETH": 18}[symbol]
    whole = Decimal(units).scaleb(-decimals)
    assert flow_of(deposit(amount=whole, asset=symbol)).base_units == units
    assert flow_of(withdrawal(amount=f"{whole:f}", asset=symbol)).base_units == -units


def test_an_asset_nobody_here_knows_is_refused(deployed: World) -> None:
    for symbol in ("DOGE", "", "usdc"):
        with pytest.raises(Refused):
            record(deployed, deposit(asset=symbol))
    flow = CapitalFlow("k", "PT-USDC-20190627", 5, ("ann",), "a gift")
    with pytest.raises(Refused, match="expected ETH"):
        deployed.service.record_capital(flow)
    with pytest.raises(Refused, match="0 base units"):
        deployed.service.record_capital(CapitalFlow("k", "USDC", 0, ("ann",), "nothing"))
