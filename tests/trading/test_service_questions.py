"""What the service answers: from the store, equal after a restart, and never more than is known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dynamic.errors import DataUnfit, DynamicError, InvariantBroken, NotFound, Refused
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Position
from dynamic.policy.situation import SwitchState
from dynamic.trading.performance_views import RANGES_S, thinned
from dynamic.trading.views import LimitState
from dynamic.units import DAY_S
from tests.trading.conftest import Build
from tests.trading.stand import World, plan_of

CENT = 10_000


@pytest.mark.req("MI-14")
def test_before_the_first_cycle_nothing_is_known_and_nothing_is_done(world: World) -> None:
    service = world.service
    for question in (
        service.market, service.signal, service.portfolio, service.limits,
        lambda: service.performance("all"),
    ):  # fmt: skip
        with pytest.raises(DataUnfit):
            question()
    assert service.pending() == []
    assert service.decisions(50, 0) == []
    assert service.balances() == []
    assert service.health().store == "empty"
    service.note("vera", "sign-in", "an act before the first cycle")
    world.engine.inspect(lambda memory: None)
    assert world.venue.balances(world.first_s) == {}, "a question has paid the capital in"


@pytest.mark.req("PM-03", "PM-04", "PM-05")
def test_pm_two_views_agree_to_the_cent(deployed: World) -> None:
    from dynamic.app.api.contract import portfolio_data

    deployed.live(6)
    view = deployed.service.portfolio()
    shown = portfolio_data(view)
    listed = sum(position.value_usd_micro for position in view.positions)
    # Every position is floored by itself, so the whole may be some micros more.
    assert 0 <= view.total_usd_micro - listed <= len(view.positions)
    assert 0 <= view.total_usd_micro - sum(b.value_usd_micro for b in view.buckets) <= 8
    parts = shown["balances"]
    by_protocol = sum(
        parts[name]
        for name in ("aave_usdc", "pendle_pt", "curve_lp", "usdc_cash", "btc", "eth", "gas_reserve")
    )
    assert round(by_protocol, 2) == round(shown["total_value_usd"], 2)
    assert {p.protocol for p in view.positions} == {"wallet", "aave_v3", "pendle_v2", "curve"}
    assert {"WBTC", "WETH"} <= {p.asset for p in view.positions}
    for position in view.positions:
        assert position.base_units > 0
        if position.asset in ("WBTC", "WETH"):
            assert position.entered_at_s is not None
            assert position.current_return is not None


@pytest.mark.req("PM-01", "PM-12")
def test_buckets_sum_to_the_whole_and_targets_to_one(deployed: World) -> None:
    deployed.live(4)
    buckets = deployed.service.portfolio().buckets
    assert [b.bucket for b in buckets] == ["base_yield", "btc", "eth", "cash"]
    assert sum(b.weight_bps for b in buckets) == 10_000
    assert sum(b.target_bps or 0 for b in buckets) == 10_000
    assert all(b.drift_bps == b.weight_bps - (b.target_bps or 0) for b in buckets)


def test_market_shows_provenance_and_missing_is_missing(deployed: World) -> None:
    world = deployed
    world.go(days=1)
    world.feed.hidden = {"fear_greed", "price:ETH"}
    world.engine.cycle()
    market = world.service.market()
    assert market.fear_greed is None
    assert market.eth_price_usd_micro is None
    assert "price:ETH" in market.missing
    assert market.btc_price_usd_micro
    assert market.is_synthetic
    assert {r.source for r in market.readings if r.key == "price:BTC"} == {"synthetic seed 1"}
    ages = {r.key: r.age_s for r in market.readings}
    world.go(hours=1)
    later = {r.key: r.age_s for r in world.service.market().readings}
    assert later["price:BTC"] == ages["price:BTC"] + 3_600


@pytest.mark.req("DB-03")
def test_market_history_is_thinned_and_ends_with_the_newest(deployed: World) -> None:
    deployed.live(20)
    lines = deployed.service.market_history(8)
    assert 2 <= len(lines.mvrv) <= 8
    assert lines.mvrv[-1].at_s == deployed.service.market().at_s
    assert lines.mvrv_thresholds == (0.0, 3.0, 3.5, 5.0, 7.0, 9.0)
    assert [p.at_s for p in lines.prices["BTC"]] == sorted(p.at_s for p in lines.prices["BTC"])


def test_the_phase_shown_is_todays_while_a_plan_waits(world: World) -> None:
    """A plan that waits keeps decisions from being made; the signal goes on."""
    world.service.rebalance("otto", False, None)
    decided_at_s = world.service.decisions(1, 0)[0].at_s
    world.go(hours=3)
    world.engine.cycle()
    assert len(world.service.pending()) == 1
    assert world.service.signal().at_s == decided_at_s + 3 * 3_600
    assert world.service.market().phase == world.service.signal().phase.value
    assert world.service.portfolio().phase == world.service.market().phase


# --- decisions and plans --------------------------------------------------------------------------


@pytest.mark.req("GV-01", "DB-04")
def test_decisions_are_newest_first_and_paged(deployed: World) -> None:
    deployed.live(3)
    seen = deployed.service.decisions(50, 0)
    assert [d.at_s for d in seen] == sorted((d.at_s for d in seen), reverse=True)
    paged = [*deployed.service.decisions(2, 0), *deployed.service.decisions(50, 2)]
    assert [d.decision_id for d in paged] == [d.decision_id for d in seen]
    assert deployed.service.decision(seen[1].decision_id) == seen[1]
    with pytest.raises(NotFound):
        deployed.service.decision("d999-0")


@pytest.mark.req("RB-13", "GV-01")
def test_a_waiting_plan_says_what_leaves_what_binds_and_what_is_not_known(world: World) -> None:
    result = world.service.rebalance("otto", False, None)
    (waiting,) = world.service.pending()
    plan = plan_of(waiting)
    assert waiting.decision_id == result.decision_id
    assert (plan.proposer, plan.state) == ("operator:otto", "pending_approval")
    assert plan.signatures_required == 2
    assert plan.expires_at_s - plan.created_at_s == world.mandate.authority.approval_expiry_s
    (binding,) = plan.binding_limits
    assert (binding.rule, binding.state) == ("authority", LimitState.WARN)
    assert binding.limit == world.mandate.authority.one_person_usd_micro_max
    assert binding.observed == plan.gross_usd_micro  # nothing else moved within 24 h
    words = " ".join(plan.unknowns)
    assert "tvl:aave_v3" in words  # a stand-in of the mandate
    assert "price:BTC" in words  # from a generator
    assert "venue will really fill" in words
    spent = sum(leg.notional_usd_micro * leg.slippage_bps_max // 10_000 for leg in plan.legs)
    assert spent <= plan.worst_case_usd_micro <= plan.gross_usd_micro // 50
    assert {leg.state for leg in plan.legs} == {"waiting"}
    assert sum(plan.target_bps.values()) == sum(plan.current_bps.values()) == 10_000


@pytest.mark.req("GR-21")
def test_what_binds_is_the_rolling_sum_not_the_plan_alone(make: Build, mandate: Mandate) -> None:
    """The second purchase of a day needs a signature although it is small itself."""
    authority = replace(mandate.authority, unattended_usd_micro_max=10_000_000_000)
    sizing = replace(mandate.sizing, buy_bps_per_day_max=150)
    world = make(replace(mandate, authority=authority, sizing=sizing))
    world.deploy()
    world.go(days=2)
    for _ in range(30):
        world.engine.cycle()
        waiting = world.service.pending()
        if waiting:
            break
        world.go(hours=16)
    plan = plan_of(waiting[0])
    (binding,) = plan.binding_limits
    assert plan.gross_usd_micro <= binding.limit < binding.observed


def test_executed_legs_show_what_really_arrived(deployed: World) -> None:
    decision = next(d for d in deployed.service.decisions(50, 0) if d.plan)
    plan = plan_of(decision)
    assert plan.state == "done"
    assert {s.operator for s in plan.signatures} == {"ann", "bob"}
    for leg in plan.legs:
        assert (leg.state, bool(leg.tx_id), bool(leg.settled_at_s)) == ("settled", True, True)
        assert float(leg.received_amount) >= float(leg.receive_amount_min)


def test_a_finding_in_words_shows_its_message_and_no_invented_number(world: World) -> None:
    """The policy for unusual hours has a limit in words."""
    from dynamic.trading.book_views import finding_view

    raw = {
        "rule": "unusual-hour", "observed": 3, "limit": "7 to 22", "unit": "hour",
        "message": "unusual-hour: observed 3 hour, limit 7 to 22",
    }  # fmt: skip
    seen = finding_view(raw)
    assert (seen.observed, seen.limit) == (3, None)
    assert "7 to 22" in seen.message
    assert finding_view(raw | {"observed": "wallet:X"}).observed is None


# --- performance ----------------------------------------------------------------------------------


@pytest.mark.req("PF-01", "PF-03", "PF-08")
def test_the_first_minute_has_a_loss_but_no_rates(deployed: World) -> None:
    """Putting the capital to work costs something; one mark says nothing about risk."""
    for name in RANGES_S:
        seen = deployed.service.performance(name)
        assert seen.until_s == seen.since_s
        assert seen.sharpe is None
        assert seen.win_rate is None
        assert seen.is_apy_annualised_short
        assert len(seen.equity) == 1
        assert seen.gain_usd_micro == sum(seen.attribution_usd_micro.values()) < 0
        assert [b.sharpe for b in seen.benchmarks] == [None, None, None]


@pytest.mark.req("PF-01", "PF-07", "PF-08")
def test_gains_are_explained_to_the_micro_and_benchmarks_start_alike(deployed: World) -> None:
    deployed.live(40)
    for name in RANGES_S:
        seen = deployed.service.performance(name)
        parts = seen.attribution_usd_micro
        assert seen.gain_usd_micro == sum(parts.values())
        assert parts.get("other", 0) == parts.get("flows", 0) == 0
        starts = {round(b.series[0].value, 2) for b in seen.benchmarks}
        assert len(starts) == 1
        assert {len(b.series) for b in seen.benchmarks} == {len(seen.equity)}
        static = next(b for b in seen.benchmarks if b.name == "static_yield")
        assert static.sharpe is None, "a line without risk has no Sharpe ratio"
        assert static.max_drawdown == 0
        for line in (seen.equity, seen.drawdown, *(b.series for b in seen.benchmarks)):
            at = [point.at_s for point in line]
            assert at == sorted(set(at)), "a chart's time only moves forward"
        assert max(p.value for p in seen.drawdown) <= 0
    whole = deployed.service.performance("all")
    assert whole.turnover_usd_micro > 0
    assert whole.gas_usd_micro == -whole.attribution_usd_micro["gas"] > 0


@pytest.mark.req("PF-01")
def test_a_range_starts_where_the_portfolios_returns_do(deployed: World) -> None:
    deployed.live(3)
    deployed.go(hours=7)  # marks are now 7 h and 31 h old
    deployed.engine.cycle()
    seen, held = deployed.service.performance("24h"), deployed.service.portfolio()
    assert seen.until_s - seen.since_s == DAY_S + 7 * 3_600
    assert seen.total_return == pytest.approx(held.return_24h, abs=1e-15)


def test_an_unknown_range_is_refused(deployed: World) -> None:
    with pytest.raises(Refused, match="24h, 7d"):
        deployed.service.performance("2d")


def test_thinning_keeps_the_newest() -> None:
    assert list(thinned(list(range(7)), 7)) == list(range(7))
    assert list(thinned(list(range(8)), 7)) == [1, 3, 5, 7]
    assert list(thinned(list(range(10_001)), 600))[-1] == 10_000
    assert len(thinned(list(range(10_001)), 600)) <= 600
    assert list(thinned([], 600)) == []


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.req("DB-11", "GR-25")
def test_limits_are_those_of_the_mandate_and_hold(deployed: World) -> None:
    deployed.live(5)
    seen = {limit.rule: limit for limit in deployed.service.limits()}
    mandate = deployed.mandate
    assert seen["volatile-cap"].limit == mandate.exposure.volatile_bps_max
    assert seen["position-cap"].limit == mandate.exposure.position_bps_max
    assert seen["drawdown-exit"].limit == mandate.drawdown.exit_bps
    assert seen["rolling-buy"].limit == mandate.authority.unattended_usd_micro_max
    assert seen["gas-price"].limit == mandate.gas.price_wei_max
    assert seen["open-residue"].observed == 0
    assert not [x for x in seen.values() if x.state in (LimitState.BREACH, LimitState.UNKNOWN)]


@pytest.mark.req("C-53")
def test_what_people_signed_for_is_a_warning_not_a_breach(deployed: World) -> None:
    moved = next(x for x in deployed.service.limits() if x.rule == "rolling-in")
    assert moved.observed > moved.limit
    assert moved.state is LimitState.WARN


@pytest.mark.req("RB-15")
def test_gas_of_last_month_is_over(deployed: World) -> None:
    def gas() -> int:
        return next(x for x in deployed.service.limits() if x.rule == "month-gas").observed

    assert gas() > 0
    deployed.go(days=32)
    assert gas() == 0
    spent = deployed.engine.inspect(
        lambda memory: memory.diary.gas_usd_micro_in_month_of(deployed.clock.now_s())
    )
    assert spent == 0


def test_limits_age_while_the_loop_stands_still(deployed: World) -> None:
    deployed.go(days=3)
    ages = [x for x in deployed.service.limits() if x.rule == "age:price:BTC"]
    assert ages[0].state is LimitState.BREACH


def test_a_holding_without_a_price_makes_shares_unknown(deployed: World) -> None:
    deployed.live(4)
    deployed.feed.hidden = {"price:BTC"}
    deployed.engine.cycle()
    seen = {limit.rule: limit for limit in deployed.service.limits()}
    for rule in ("volatile-cap", "drawdown-exit", "age:price:BTC"):
        assert (seen[rule].observed, seen[rule].state) == (None, LimitState.UNKNOWN)


# --- books ----------------------------------------------------------------------------------------


@pytest.mark.req("LG-01")
def test_ledger_pages_and_filters(deployed: World) -> None:
    service = deployed.service
    entries = service.ledger(None, None, 500, 0)
    assert [e.at_s for e in entries] == sorted((e.at_s for e in entries), reverse=True)
    paged = [*service.ledger(None, None, 2, 0), *service.ledger(None, None, 500, 2)]
    assert paged == entries
    for entry in entries:
        sums: dict[str, int] = {}
        for p in entry.postings:
            sums[p.asset] = sums.get(p.asset, 0) + p.base_units
        assert set(sums.values()) == {0}
    lent = service.ledger("asset:aave_v3", "USDC", 500, 0) or service.ledger(
        next(b.account for b in service.balances() if "aave_v3" in b.account), "USDC", 500, 0
    )
    assert 0 < len(lent) < len(entries)
    held = {(b.account, b.asset): b.base_units for b in service.balances()}
    assert all(held.values())
    assert service.ledger("asset:nowhere", None, 10, 0) == []


@pytest.mark.req("PM-08")
def test_pm_reconcile_names_a_planted_residue_and_blocks_new_risk(deployed: World) -> None:
    """One base unit more than the books know: new risk waits until somebody can say why."""
    deployed.venue.deposit_capital(Position("wallet", "USDC"), 1, "behind our back")
    deployed.go(days=1)
    (residue,) = deployed.service.reconcile().residues
    assert (residue.location, residue.asset, residue.residue_units) == ("wallet", "USDC", 1)
    assert residue.observed_units == residue.ledger_units + 1
    before = deployed.venue.balances(0)
    deployed.live(4)
    bought = [
        d for d in deployed.service.decisions(50, 0)
        if d.at_s > deployed.first_s and d.outcome == "planned"
    ]  # fmt: skip
    assert bought == []
    after = deployed.venue.balances(0)
    assert {p for p in after if p not in before} == set()
    assert any(a.code == "ledger-residue" and a.severity == "critical"
               for a in deployed.notifier.recent())  # fmt: skip
    open_residue = next(x for x in deployed.service.limits() if x.rule == "open-residue")
    assert open_residue.state is LimitState.BREACH
    deployed.venue.deposit_capital(Position("wallet", "USDC"), -1, "put right")
    assert deployed.service.reconcile().residues == ()
    deployed.live(2)
    assert any(d.outcome == "planned" for d in deployed.service.decisions(5, 0))


@pytest.mark.req("LG-05")
def test_audit_pages_without_a_gap_and_verifies(deployed: World) -> None:
    service = deployed.service
    whole = service.audit(500)
    assert [link.seq for link in whole] == list(range(len(whole), 0, -1))
    pages = [link for start in range(0, len(whole), 7) for link in service.audit(7, start)]
    assert pages == whole
    assert service.audit(7, len(whole)) == []
    assert service.audit(7, 10**7) == []
    deployed.check_books()


# --- health, restart ------------------------------------------------------------------------------


@pytest.mark.req("AP-10")
def test_health_degrades_with_the_switch_and_never_raises(make: Build, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    world = make(url=url)
    assert world.service.health().status == "healthy"
    world.service.lower_switch("ann", SwitchState.REDUCING, "drill")
    assert world.service.health().status == "degraded"
    world.deploy()
    assert world.service.health().store == "ok"
    for path in tmp_path.glob("books.db*"):
        path.rename(path.with_name("gone-" + path.name))
    seen = world.service.health()
    assert (seen.status, seen.store) == ("unhealthy", "unavailable")
    with pytest.raises(DynamicError):
        world.service.portfolio()


@pytest.mark.req("RB-12", "PM-09")
def test_a_restart_gives_the_same_answers(deployed: World) -> None:
    deployed.live(5)

    def answers(world: World) -> list[object]:
        service = world.service
        return [
            service.market(), service.signal(), service.portfolio(), service.limits(),
            service.decisions(100, 0), service.performance("all"), service.balances(),
            service.ledger(None, None, 500, 0), service.audit(500), service.switch(),
            service.health(), service.reconcile(), service.market_history(50),
            world.engine.inspect(lambda memory: memory.state_hash()),
        ]  # fmt: skip

    before = answers(deployed)
    deployed.restart()
    assert answers(deployed) == before


def test_a_question_moves_nothing(deployed: World) -> None:
    before = deployed.engine.version
    deployed.service.portfolio()
    deployed.service.reconcile()
    deployed.service.limits()
    with pytest.raises(NotFound):
        deployed.engine.inspect(_not_found)
    assert deployed.engine.version == before


def _not_found(_memory: object) -> None:
    raise NotFound("nothing by that name")


def test_kept_answers_are_few_and_never_old(deployed: World) -> None:
    first = deployed.service.portfolio()
    assert deployed.service.portfolio() is first
    deployed.live(3)
    assert deployed.service.portfolio().at_s > first.at_s
    for offset in range(1_000):
        deployed.service.decisions(1, offset)
    assert len(deployed.service._kept) <= 64


@pytest.mark.req("I-19")
def test_a_broken_invariant_in_a_question_halts(deployed: World) -> None:
    def lie(_memory: object) -> None:
        raise InvariantBroken("books and world disagree about arithmetic")

    with pytest.raises(InvariantBroken):
        deployed.engine.inspect(lie)
    assert deployed.switch.state() is SwitchState.HALTED
    assert "arithmetic" in deployed.service.switch().reason


def test_the_mandate_is_shown_as_signed(world: World) -> None:
    assert "[exposure]" in world.service.mandate_text()
    assert world.service.slippage_bps_max() == world.mandate.slippage.volatile_bps_max
    assert json.dumps(world.service.health().mandate_digest)
