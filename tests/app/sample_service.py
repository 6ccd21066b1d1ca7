"""A small, deterministic treasury behind the port `TreasuryService`, for the tests of the border.

It keeps its own state and obeys the port's contract (four eyes, conflicts, two people to leave
HALTED, one audit row for each command), so that what the tests see is what a service may do.
"""

# ruff: noqa: E501 - tables of sample values read better with one value to a line

from __future__ import annotations

import hashlib
import math
import random
import threading
import time
from dataclasses import replace

from dynamic.errors import Conflict, DataUnfit, DynamicError, InvariantBroken, NotFound, Refused
from dynamic.market.observation import Provenance
from dynamic.policy.situation import SwitchState
from dynamic.signals.signal import AllocationSignal, Mode, Phase, RiskLevel, Trigger
from dynamic.trading.views import (
    AuditView,
    BenchmarkView,
    BucketView,
    DecisionResult,
    DecisionView,
    EntryView,
    FindingView,
    HealthView,
    LegView,
    LimitState,
    LimitView,
    MarketHistory,
    MarketView,
    OutcomeView,
    PerformanceView,
    PlanView,
    Point,
    PortfolioView,
    PositionView,
    PostingView,
    ReadingView,
    RebalanceResult,
    RebalanceStatus,
    ReconciliationView,
    ResidueView,
    SignatureView,
    SourceView,
    StoredReply,
    SwitchView,
    TargetView,
    TradeView,
)
from dynamic.units import DAY_S, HOUR_S, parse_instant

NOW_S = parse_instant("2021-03-04T09:00:00Z")
DAYS = 180
ORDER = [SwitchState.ACTIVE, SwitchState.REDUCING, SwitchState.HALTED]
ENTRY_KINDS = ("trade", "yield", "gas", "deposit")


def usd(dollars: float) -> int:
    return round(dollars * 1_000_000)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def walk(seed: int, start: float, drift: float, sigma: float, days: int = DAYS) -> list[Point]:
    source = random.Random(seed)
    points, value = [], start
    for day in range(days, -1, -1):
        points.append(Point(NOW_S - day * DAY_S, value))
        value *= math.exp(drift + sigma * source.gauss(0, 1))
    return points


def drawdowns(points: list[Point]) -> tuple[Point, ...]:
    peak, found = 0.0, []
    for point in points:
        peak = max(peak, point.value)
        found.append(Point(point.at_s, point.value / peak - 1))
    return tuple(found)


class SampleService:
    """See the module. Public attributes are the knobs of the tests."""

    def __init__(self, decisions: int = 24, *, is_synthetic: bool = True) -> None:
        self.lock = threading.Lock()
        self.claims = threading.Lock()
        self.now_s = NOW_S
        self.nav = 431_882.417305
        self.loses = False
        self.breach = False
        self.residue = False
        self.failure: BaseException | None = None
        self.prices_missing = False
        self.health_status = "healthy"
        self.ai_status = "rules"
        self.next_gross = 18_000.0
        self.rebalance_takes_s = 0.0
        self.plans_made = 0
        self.mode_label = "paper · replay 2021-03-04"
        self.is_synthetic = is_synthetic
        self.switch_view = SwitchView(SwitchState.ACTIVE, NOW_S - 40 * DAY_S, "ines", "first start")
        self.links: list[AuditView] = []
        self.kept: dict[tuple[str, str, str], StoredReply] = {}
        self.made: list[DecisionView] = []
        self.note("system", "started", "{}")
        for number in range(decisions):
            self.add_decision(number)
        self.add_decision(decisions, gross=61_400.0, pending=True)

    # --- market -------------------------------------------------------------------------------

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    def market(self) -> MarketView:
        self._fail()
        btc = None if self.prices_missing else usd(48_751.71)
        readings = tuple(
            ReadingView(key, value, unit, source, NOW_S - age, NOW_S - age + 5, mark, age)
            for key, value, unit, source, age, mark in [
                ("price:BTC", 48751710000, "usd_micro", "history", 60, Provenance.OBSERVED),
                ("price:ETH", 1539090000, "usd_micro", "history", 60, Provenance.OBSERVED),
                ("mvrv_z:BTC", 5.42, "ratio", "history", 32_400, Provenance.DERIVED),
                ("funding:BTC", 0.00061, "per_8h", "history", 3_600, Provenance.OBSERVED),
                ("funding:ETH", 0.0, "per_8h", "history", 3_600, Provenance.OBSERVED),
                ("fear_greed", 84, "index", "history", 200_000, Provenance.STALE),
            ]
        )
        return MarketView(
            snapshot_id=f"snap-{NOW_S}", at_s=NOW_S, btc_price_usd_micro=btc,
            eth_price_usd_micro=usd(1539.09), mvrv_z=5.42,
            funding_rates_8h={"BTC": 0.00061, "ETH": 0.0}, fear_greed=84, phase="euphoria",
            readings=readings, missing=("price:BTC",) if btc is None else ("tvl:curve",),
            is_synthetic=self.is_synthetic,
        )  # fmt: skip

    def market_history(self, points_max: int) -> MarketHistory:
        step = max(1, (DAYS + 1) // points_max)
        source = random.Random(5)
        mvrv = [
            Point(p.at_s, 1.2 + 5.2 * index / DAYS + source.gauss(0, 0.25))
            for index, p in enumerate(walk(3, 1, 0, 0))
        ]
        funding = {
            name: tuple(
                Point(p.at_s, source.gauss(mean, 0.00025)) for p in walk(4, 1, 0, 0)[::step]
            )
            for name, mean in (("BTC", 0.0003), ("ETH", 0.0002))
        }
        mood = tuple(
            Point(
                p.at_s,
                float(min(95, max(8, round(55 + 30 * math.sin(i / 23) + source.gauss(0, 6))))),
            )
            for i, p in enumerate(walk(6, 1, 0, 0))
        )
        return MarketHistory(
            prices={
                "BTC": tuple(walk(1, 11_000, 0.0081, 0.03)[::step]),
                "ETH": tuple(walk(2, 370, 0.0075, 0.04)[::step]),
            },
            mvrv=tuple(mvrv[::step]), funding=funding, fear_greed=mood[::step],
            mvrv_thresholds=(0.0, 3.0, 3.5, 5.0, 7.0, 9.0),
        )  # fmt: skip

    def signal(self) -> AllocationSignal:
        self._fail()
        return AllocationSignal(
            at_s=NOW_S, phase=Phase.EUPHORIA, mode=Mode.TACTICAL,
            target_bps={"base_yield": 7_000, "btc": 1_500, "eth": 900, "cash": 600},
            ladder_bps=6_000, confidence=0.82,
            reasoning="MVRV Z 5.42 is above 5 (ladder 60 % of tactical); funding 0.061 % per 8 h is high",
            trigger=Trigger.MVRV_ABOVE_5, recommended_actions=("sell 0.35 BTC in two clips",),
            risk_level=RiskLevel.EXTREME, allows_increase=False,
        )  # fmt: skip

    # --- portfolio ----------------------------------------------------------------------------

    def portfolio(self) -> PortfolioView:
        self._fail()
        nav = usd(self.nav)
        rows = [
            ("aave_v3", "USDC", "103000.000000", 103_000_000_000, 0.239, 0.039, 0.0121),
            ("pendle_v2", "PT-USDC-20210624", "82000.000000", 82_000_000_000, 0.187, 0.08, 0.0188),
            ("curve", "LP-USDC-USDT", "61000.42", 61_000_420_000, 0.142, 0.065, 0.0152),
            ("wallet", "WBTC", "1.51000000", 151_000_000, 0.1704, None, 0.8712),
            ("wallet", "WETH", "41.20", 41_200_000_000_000_000_000, 0.1468, None, -0.0721),
        ]
        positions = [
            PositionView(p, a, amount, units, int(nav * share), apy, NOW_S - 90 * DAY_S, gain)
            for p, a, amount, units, share, apy, gain in rows
        ]
        cash = nav - sum(p.value_usd_micro for p in positions)
        positions.append(
            PositionView("wallet", "USDC", f"{cash / 1e6:.6f}", cash, cash, None, None, None)
        )
        value = {p.asset: p.value_usd_micro for p in positions if p.protocol == "wallet"}
        base = sum(p.value_usd_micro for p in positions if p.protocol != "wallet")
        volatile = value["WBTC"] + value["WETH"]
        buckets = tuple(
            BucketView(name, worth, worth * 10_000 // nav, target)
            for name, worth, target in [
                ("base_yield", base, 7_000), ("btc", value["WBTC"], 1_500),
                ("eth", value["WETH"], 900), ("cash", cash, 600),
            ]
        )  # fmt: skip
        return PortfolioView(
            at_s=self.now_s, total_usd_micro=nav, cash_usd_micro=cash, volatile_usd_micro=volatile,
            buckets=buckets, positions=tuple(positions),
            return_24h=-0.0121 if self.loses else 0.0084, return_7d=0.0, return_30d=
            -0.0873 if self.loses else 0.0412, last_rebalance_at_s=NOW_S - 7 * HOUR_S,
            phase="euphoria", drawdown_bps=1_612 if self.loses else 371,
            high_water_usd_micro=usd(448_523.1), var_95_1d_usd_micro=usd(6_120.55),
            gas_24h_usd_micro=usd(18.42), gas_30d_usd_micro=usd(211.07),
        )  # fmt: skip

    def performance(self, time_range: str) -> PerformanceView:
        self._fail()
        days = {"24h": 1, "7d": 7, "30d": 30, "90d": 90, "1y": DAYS, "all": DAYS}[time_range]
        sign = -1 if self.loses else 1
        line = walk(11, 400_000, 0.0006 * sign, 0.0085)
        shift = self.nav / line[-1].value
        line = [Point(p.at_s, p.value * (1 + (shift - 1) * i / DAYS)) for i, p in enumerate(line)]
        equity = line[-days - 1 :]
        gain = equity[-1].value - equity[0].value
        benchmarks = tuple(
            BenchmarkView(
                name, label, series[-1].value / series[0].value - 1,
                min(p.value for p in drawdowns(series)), 1.1, tuple(series),
            )
            for name, label, series in [
                ("static_yield", "Static 6.5 % yield", walk(21, 400_000, 0.000172, 0)[-days - 1 :]),
                ("btc_hold", "BTC buy and hold", walk(22, 400_000, 0.0011, 0.016)[-days - 1 :]),
                ("static_60_40", "Static 60/40", walk(23, 400_000, 0.0006, 0.008)[-days - 1 :]),
            ]
        )  # fmt: skip
        trades = tuple(
            TradeView(NOW_S - day * DAY_S, "swap", "uniswap", "0.25 WBTC", "12120.11 USDC",
                      usd(12_180), usd(9.11), f"dec-{day:04d}")
            for day in range(1, min(days, 6) + 1)
        )  # fmt: skip
        return PerformanceView(
            time_range=time_range, since_s=equity[0].at_s, until_s=equity[-1].at_s,
            total_return=equity[-1].value / equity[0].value - 1, gain_usd_micro=usd(gain),
            apy=None if days < 30 else 0.171 * sign, is_apy_annualised_short=days < 30,
            sharpe=None if days < 30 else 1.42 * sign,
            max_drawdown=min(p.value for p in drawdowns(equity)), win_rate=0.58,
            turnover_usd_micro=usd(182_400), gas_usd_micro=usd(211.07), equity=tuple(equity),
            drawdown=drawdowns(equity), benchmarks=benchmarks, trades=trades,
            attribution_usd_micro={
                "price": usd(gain) - usd(2_100), "yield": usd(2_480), "fees": usd(-168.93),
                "gas": usd(-211.07), "flows": 0,
            },
            targets=(
                TargetView("conservative", 6, 95_600, 87_800, "base 15,600 is 12 months of interest"),
                TargetView("optimistic", 6, 175_600, 167_800, "base 15,600 is 12 months of interest"),
            ),
        )  # fmt: skip

    def limits(self) -> list[LimitView]:
        self._fail()
        ok, warn, breach = LimitState.OK, LimitState.WARN, LimitState.BREACH
        volatile = (4_231, breach) if self.breach else (3_172, ok)
        return [
            LimitView("volatile-cap", "Volatile assets", "exposure", volatile[0], 4_000, "bps", volatile[1]),
            LimitView("position-cap", "Largest position · aave_v3:USDC", "exposure", 2_390, 2_500, "bps", warn),
            LimitView("tactical-clip", "Largest clip", "exposure", usd(18_000), usd(40_000), "usd_micro", ok),
            LimitView("drawdown", "Drawdown from peak", "drawdown", 371, 2_000, "bps", ok),
            LimitView("var-95-1d", "VaR 95 % · 1 d", "drawdown", usd(6_120.55), usd(9_600), "usd_micro", ok),
            LimitView("price-age", "Age of prices", "data", 60, 900, "s", ok),
            LimitView("fear-greed-age", "Age of Fear & Greed", "data", 200_000, 129_600, "s", breach),
            LimitView("unattended", "Moved without approval, 24 h", "budgets", usd(31_250), usd(50_000), "usd_micro", ok),
            LimitView("trades", "Trades today", "budgets", 3, 10, "count", ok),
            LimitView("month-gas", "Gas this month", "budgets", usd(211.07), usd(400), "usd_micro", ok),
            LimitView("gas-price", "Gas price", "costs", 84_000_000_000, 100_000_000_000, "wei", warn),
            LimitView("tvl-floor", "TVL · curve", "protocols", None, usd(10_000_000), "usd_micro", LimitState.UNKNOWN, True),
        ]  # fmt: skip

    def mandate_text(self) -> str:
        return "version = 1\n\n[exposure]\nvolatile_bps_max = 4000\nposition_bps_max = 2500\n"

    def slippage_bps_max(self) -> int:
        return 200

    # --- decisions ----------------------------------------------------------------------------

    def add_decision(
        self, number: int, gross: float = 12_000.0, pending: bool = False
    ) -> DecisionView:
        decision_id = f"dec-{number:04d}"
        outcome = "pending_approval" if pending else ("held", "planned", "denied")[number % 3]
        plan = None
        if pending or outcome == "planned":
            plan = self._plan(number, gross, "pending_approval" if pending else "done")
        decision = DecisionView(
            decision_id=decision_id, at_s=NOW_S - 3_600 * (60 - number), actor="rules",
            trigger=("weekly_review", "mvrv>5", "drift>5%")[number % 3], phase="euphoria",
            mode="tactical", outcome=outcome, confidence=0.82,
            reasoning=f"MVRV Z {4 + number / 40:.2f} with funding 0.061 % per 8 h: "
            + ("drift 1.2 pp is inside the band" if outcome == "held" else "sell the ladder's next step"),
            snapshot_id=f"snap-{number}", mandate_digest=sha("mandate"),
            target_bps={"base_yield": 7_000, "btc": 1_500, "eth": 900, "cash": 600},
            facts={"MVRV Z": "5.42 (derived, 9 h)", "Funding BTC": "0.061 % per 8 h", "Fear & Greed": "84 (stale)"},
            advice="proceed · rules/1: confidence 0.82 is above 0.5",
            findings=(FindingView("volatile-cap", 4_231, 4_000, "bps", "would be 4 231 bps, limit 4 000 bps"),)
            if outcome == "denied" else (),
            plan=plan,
            outcomes=(OutcomeView(1, NOW_S, usd(-120.5)), OutcomeView(7, NOW_S + 7 * DAY_S, None)),
        )  # fmt: skip
        self.made.append(decision)
        return decision

    def _plan(self, number: int, gross: float, state: str) -> PlanView:
        done = state == "done"
        legs = (
            LegView(f"leg-{number}-1", "swap", "uniswap", "WBTC", "0.63000000", "USDC", "30560.110000",
                    usd(gross / 2), 180_000, 50, "settled" if done else "waiting",
                    f"paper-{number:04x}" if done else None, NOW_S if done else None,
                    "30688.020000" if done else None),
            LegView(f"leg-{number}-2", "deposit", "aave_v3", "USDC", "30560.110000", "aUSDC", "30560.110000",
                    usd(gross / 2), 220_000, 0, "settled" if done else "waiting",
                    f"paper-{number:04x}b" if done else None, NOW_S if done else None,
                    "30560.110000" if done else None),
        )  # fmt: skip
        return PlanView(
            plan_id=f"plan-{number:04d}", digest=sha(f"plan {number} {gross}"), state=state,
            proposer="rules", created_at_s=NOW_S - 900, expires_at_s=NOW_S + 23 * HOUR_S, legs=legs,
            gross_usd_micro=usd(gross), gas_cost_usd_micro=usd(22.9),
            slippage_cost_usd_micro=usd(gross * 0.0012), worst_case_usd_micro=usd(gross * 0.005 + 22.9),
            signatures_required=0 if gross <= 50_000 else 1, signatures=(), risk_level="medium",
            current_bps={"base_yield": 5_680, "btc": 1_704, "eth": 1_468, "cash": 1_148},
            target_bps={"base_yield": 7_000, "btc": 1_500, "eth": 900, "cash": 600},
            binding_limits=(self.limits()[1], self.limits()[7]) if self.failure is None else (),
            unknowns=("TVL of curve has not been observed", "Fear & Greed is 2 days old"),
        )  # fmt: skip

    def pending(self) -> list[DecisionView]:
        self._fail()
        return [d for d in self.made if d.plan and d.plan.state == "pending_approval"]

    def decisions(self, limit: int, offset: int) -> list[DecisionView]:
        self._fail()
        return list(reversed(self.made))[offset : offset + limit]

    def decision(self, decision_id: str) -> DecisionView:
        self._fail()
        for decision in self.made:
            if decision.decision_id == decision_id:
                return decision
        raise NotFound(f"expected a decision, found none named {decision_id}")

    def rebalance(self, actor: str, force: bool, max_slippage_bps: int | None) -> RebalanceResult:
        self._fail()
        if not self.lock.acquire(blocking=False):
            return RebalanceResult(
                RebalanceStatus.CONFLICT, "another plan is being made; nothing was done"
            )
        try:
            time.sleep(self.rebalance_takes_s)
            if self.switch_view.state is SwitchState.HALTED:
                finding = FindingView("switch", 1, 0, "count", "the switch is halted")
                self.note(actor, "rebalance", '{"denied": "switch"}')
                return RebalanceResult(RebalanceStatus.DENIED, "the switch is halted; nothing was sent",
                                       findings=(finding,))  # fmt: skip
            self.plans_made += 1
            needs = self.next_gross > 50_000
            number = len(self.made)
            decision = self.add_decision(number, self.next_gross, pending=needs)
            if not needs:
                plan = self._plan(number, self.next_gross, "executing")
                decision = replace(
                    decision, plan=plan, outcome="planned", actor=f"operator:{actor}"
                )
            else:
                assert decision.plan is not None
                decision = replace(decision, plan=replace(decision.plan, proposer=actor))
            self.made[-1] = decision
            self.note(actor, "rebalance", f'{{"decision": "{decision.decision_id}"}}')
            if needs:
                return RebalanceResult(RebalanceStatus.APPROVAL_REQUIRED,
                                       "61 400 USD is above 50 000 USD: one person must sign",
                                       decision.decision_id, decision.plan)  # fmt: skip
            return RebalanceResult(RebalanceStatus.ACCEPTED, "planned; executing",
                                   decision.decision_id, decision.plan)  # fmt: skip
        finally:
            self.lock.release()

    def decide(
        self, decision_id: str, actor: str, approved: bool, notes: str, digest: str | None
    ) -> DecisionResult:
        decision = self.decision(decision_id)
        plan = decision.plan
        if plan is None or plan.state != "pending_approval":
            raise Conflict(f"{decision_id} is already decided; nothing was done")
        if digest is not None and digest != plan.digest:
            raise Conflict("the plan has changed since it was shown; nothing was signed")
        if actor == plan.proposer:
            raise Refused(
                f"expected somebody other than the proposer, found {actor}; nothing was signed"
            )
        signed = replace(
            plan, state="approved" if approved else "rejected",
            signatures=(*plan.signatures, SignatureView(actor, approved, notes, self.now_s)),
        )  # fmt: skip
        index = self.made.index(decision)
        self.made[index] = replace(decision, plan=signed)
        self.note(
            actor,
            "approval",
            f'{{"decision": "{decision_id}", "approved": {str(approved).lower()}}}',
        )
        return DecisionResult(decision_id, plan.plan_id, signed.state, approved, int(approved),
                              plan.signatures_required, "signed; executing" if approved else "rejected")  # fmt: skip

    # --- books --------------------------------------------------------------------------------

    def ledger(
        self, account: str | None, asset: str | None, limit: int, offset: int
    ) -> list[EntryView]:
        entries = []
        for number in range(40, 0, -1):
            kind = ENTRY_KINDS[number % 4]
            units = 1_000_000 * number
            postings = (
                PostingView("assets:aave_v3", "USDC", f"{number}.000000", units),
                PostingView("income:yield:aave_v3" if kind == "yield" else "assets:wallet", "USDC",
                            f"-{number}.000000", -units),
            )  # fmt: skip
            entries.append(EntryView(f"ent-{number:05d}", NOW_S - 1_800 * (41 - number), kind,
                                     f"{kind} of {number} USDC", f"step-{number}", postings))  # fmt: skip
        kept = [
            e for e in entries
            if any(account in (None, p.account) and asset in (None, p.asset) for p in e.postings)
        ]  # fmt: skip
        return kept[offset : offset + limit]

    def balances(self) -> list[PostingView]:
        return [
            PostingView("assets:wallet", "USDC", "49012.110000", 49_012_110_000),
            PostingView("assets:wallet", "WBTC", "1.51000000", 151_000_000),
            PostingView("assets:aave_v3", "USDC", "103000.000000", 103_000_000_000),
            PostingView("income:yield:aave_v3", "USDC", "-1211.402913", -1_211_402_913),
            PostingView("expense:gas", "ETH", "0.131", 131_000_000_000_000_000),
            PostingView("equity:capital", "USDC", "-400000.000000", -400_000_000_000),
        ]

    def reconcile(self) -> ReconciliationView:
        residues = (ResidueView("curve", "LP-USDC-USDT", 61_000_420_000, 61_000_419_999, 0, -1),)
        return ReconciliationView(NOW_S - 60, 7, residues if self.residue else ())

    def audit(self, limit: int, offset: int = 0) -> list[AuditView]:
        return list(reversed(self.links))[offset : offset + limit]

    def note(self, actor: str, kind: str, payload: str) -> None:
        prev = self.links[-1].hash if self.links else "0" * 64
        seq = len(self.links) + 1
        self.links.append(
            AuditView(seq, self.now_s, kind, actor, payload, prev, sha(f"{seq}{prev}{payload}"))
        )

    # --- switch and health --------------------------------------------------------------------

    def switch(self) -> SwitchView:
        return self.switch_view

    def lower_switch(self, actor: str, to: SwitchState, reason: str) -> SwitchView:
        if ORDER.index(to) < ORDER.index(self.switch_view.state):
            raise Conflict(
                f"the switch is {self.switch_view.state}; lowering it to {to} would raise it"
            )
        self.switch_view = SwitchView(to, self.now_s, actor, reason)
        self.note(actor, "switch", f'{{"to": "{to}"}}')
        return self.switch_view

    def raise_switch(self, actor: str, to: SwitchState, reason: str) -> SwitchView:
        view = self.switch_view
        if ORDER.index(to) >= ORDER.index(view.state):
            raise Conflict(f"the switch is {view.state}; {to} would not raise it")
        waits = view.state is SwitchState.HALTED and view.raise_asked_by in (None, actor)
        self.switch_view = (
            replace(view, raise_asked_by=actor)
            if waits
            else SwitchView(to, self.now_s, actor, reason)
        )
        self.note(actor, "switch", f'{{"asked": "{to}"}}')
        return self.switch_view

    def health(self) -> HealthView:
        is_down = isinstance(self.failure, DynamicError) and not isinstance(self.failure, DataUnfit)
        status = "unhealthy" if is_down else self.health_status
        return HealthView(
            status=status, ai_status=self.ai_status, protocols_status="3 of 3",
            store="unavailable" if is_down else "sqlite", switch=self.switch_view.state,
            sources=tuple(
                SourceView(name, name != "deribit", NOW_S - 60, 120, 60)
                for name in ("coingecko", "mvrv", "coinglass", "alternative.me", "deribit")
            ),
            at_s=self.now_s, mode_label=self.mode_label, is_synthetic=self.is_synthetic,
            mandate_digest=sha("mandate"), version="0.1.0",
        )  # fmt: skip

    # --- idempotency --------------------------------------------------------------------------

    def claim(self, key: str, route: str, actor: str, request_digest: str) -> StoredReply | None:
        with self.claims:
            name = (key, route, actor)
            if name in self.kept:
                return self.kept[name]
            self.kept[name] = StoredReply(request_digest, 0, "")
            return None

    def remember(self, key: str, route: str, actor: str, status: int, body: str) -> None:
        name = (key, route, actor)
        self.kept[name] = replace(self.kept[name], status=status, body=body)


def broken() -> InvariantBroken:
    return InvariantBroken("ledger says 5 base units, venue says 4")
