"""The service: one paper treasury as the API, the dashboard and the command line see it.

    questions   read from the store; the engine is never kept waiting
    commands    through the engine, one at a time; each leaves an audit row

Answers that take work (performance, market lines) are kept until the engine has moved on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from dynamic import __version__
from dynamic.adapters.storage.reader import ReadStore
from dynamic.adapters.storage.request_keys import RequestKeys
from dynamic.adapters.switch_file import SwitchFile
from dynamic.errors import Conflict, DataUnfit, DynamicError, NotFound, Refused, StoreUnavailable
from dynamic.performance.metrics import daily_returns, max_drawdown, sharpe, total_return
from dynamic.planning.plan import PlanState
from dynamic.policy.approval import is_person, person
from dynamic.policy.mandate import Mandate
from dynamic.policy.situation import SwitchState
from dynamic.records import DecisionOutcome
from dynamic.signals.signal import AllocationSignal
from dynamic.trading import limit_views, market_views
from dynamic.trading.book_views import decision_view, entry_view, posting_view, usd
from dynamic.trading.engine import Engine
from dynamic.trading.portfolio_views import portfolio_view, trade_views
from dynamic.trading.views import (
    AuditView,
    DecisionResult,
    DecisionView,
    EntryView,
    HealthView,
    LimitView,
    MarketHistory,
    MarketView,
    PerformanceView,
    Point,
    PortfolioView,
    PostingView,
    RebalanceResult,
    RebalanceStatus,
    ReconciliationView,
    ResidueView,
    SourceView,
    StoredReply,
    SwitchView,
)
from dynamic.units import DAY_S
from dynamic.workflows.approve import Signature
from dynamic.workflows.decide import Ask
from dynamic.workflows.observe import compare

T = TypeVar("T")
RANGES_S: Final = {
    "24h": DAY_S, "7d": 7 * DAY_S, "30d": 30 * DAY_S, "90d": 90 * DAY_S, "1y": 365 * DAY_S,
    "all": None,
}  # fmt: skip
MARKS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Setting:
    """What the composition tells the service about itself."""

    label: Callable[[], str]  # "paper · replay 2021-03-04"
    is_synthetic: bool
    mandate_text: str
    sources: Callable[[], tuple[SourceView, ...]]


class PaperService:
    """Implements `app.api.service.TreasuryService`; safe to call from many threads."""

    def __init__(
        self, engine: Engine, reader: ReadStore, switch: SwitchFile, setting: Setting
    ) -> None:
        self.engine = engine
        self.reader = reader
        self._switch = switch
        self._setting = setting
        self._keys = RequestKeys(reader.database)
        self._kept: dict[tuple[str, object], tuple[int, Any]] = {}
        self._raise_asked: tuple[str, SwitchState, str] | None = None

    @property
    def mandate(self) -> Mandate:
        """The mandate in force."""
        return self.engine.treasury.mandate

    # --- questions ----------------------------------------------------------------------------

    def market(self) -> MarketView:
        """Return the last snapshot; raises DataUnfit where none exists."""
        row = self.reader.latest_snapshot()
        if row is None:
            raise DataUnfit("expected a market snapshot, found none: no cycle has run yet")
        return market_views.market_view(row, self._last_decision()["phase"], self.engine.now_s)

    def market_history(self, points_max: int) -> MarketHistory:
        """Return the lines of the market charts, thinned to at most `points_max` each."""

        def make() -> MarketHistory:
            rows = self.reader.snapshots(0, points_max)
            return market_views.market_history(rows, self.mandate)

        return self._keep("market", points_max, make)

    def signal(self) -> AllocationSignal:
        """Return the signal of the last decision; raises DataUnfit where none exists."""
        row = self._last_decision()
        payload = market_views.parsed(row["payload"])
        return market_views.signal_of(row["at_s"], payload["signal"])

    def portfolio(self) -> PortfolioView:
        """Return the holdings at the last prices; raises DataUnfit before the first mark."""
        return self._keep("portfolio", None, self._portfolio)

    def pending(self) -> list[DecisionView]:
        """Return the decisions whose plan waits for a signature, oldest first."""
        records = self.reader.plan_records([PlanState.PENDING_APPROVAL.value])
        return [self.decision(record.plan.decision_id) for record in records]

    def decisions(self, limit: int, offset: int) -> list[DecisionView]:
        """Return decisions, newest first."""

        def make() -> list[DecisionView]:
            rows = self.reader.decisions(limit, offset)
            return [decision_view(row, self.reader, self.mandate) for row in rows]

        return self._keep("decisions", (limit, offset), make)

    def decision(self, decision_id: str) -> DecisionView:
        """Return one decision; raises NotFound."""
        row = self.reader.decision(decision_id)
        if row is None:
            raise NotFound(f"expected a decision, found none called {decision_id}")
        return decision_view(row, self.reader, self.mandate)

    def performance(self, time_range: str) -> PerformanceView:
        """Measure 24h, 7d, 30d, 90d, 1y or all; Refused for anything else."""
        if time_range not in RANGES_S:
            raise Refused(f"expected one of {', '.join(RANGES_S)}, found {time_range!r}")
        return self._keep("performance", time_range, lambda: self._performance(time_range))

    def limits(self) -> list[LimitView]:
        """Return every guardrail, observed against limit."""
        return self._keep("limits", None, lambda: limit_views.limits(self))

    def slippage_bps_max(self) -> int:
        """Return the mandate's hard maximum of slippage."""
        limits = self.mandate.slippage
        return max(limits.stable_bps_max, limits.volatile_bps_max)

    def mandate_text(self) -> str:
        """Return the mandate in force, as signed."""
        return self._setting.mandate_text

    def ledger(
        self, account: str | None, asset: str | None, limit: int, offset: int
    ) -> list[EntryView]:
        """Return entries, newest first; a filter keeps entries with a matching posting."""
        return [entry_view(row) for row in self.reader.entries(limit, offset, account, asset)]

    def balances(self) -> list[PostingView]:
        """Return the balance of every account and asset that is not zero."""

        def make() -> list[PostingView]:
            found = sorted(self.reader.balances().items())
            return [posting_view(*place, units) for place, units in found]

        return self._keep("balances", None, make)

    def reconcile(self) -> ReconciliationView:
        """Compare books and venue now, to the base unit."""
        engine = self.engine
        found = engine.inspect(lambda memory: compare(memory, engine.treasury.io, engine.now_s))
        held = engine.inspect(lambda memory: len(memory.position_units()))
        return ReconciliationView(
            engine.now_s,
            held,
            tuple(
                ResidueView(*r.position, r.ledger, r.observed, r.named, r.residue)
                for r in found.residues
            ),
        )

    def audit(self, limit: int, offset: int = 0) -> list[AuditView]:
        """Return links of the audit chain, newest first."""
        newest, _ = self.reader.audit_head()
        last = newest - offset
        rows = self.reader.audit_events(max(last - limit + 1, 1), limit) if last > 0 else []
        return [AuditView(**row) for row in reversed(rows) if row["seq"] <= last]

    def health(self) -> HealthView:
        """Return the state of all parts; never raises."""
        try:
            store = "ok" if self.reader.latest_nav() is not None else "empty"
        except (StoreUnavailable, DynamicError):
            store = "unavailable"
        sources = self._setting.sources()
        state = self._switch.state()
        degraded = state is not SwitchState.ACTIVE or not all(source.ok for source in sources)
        status = "unhealthy" if store == "unavailable" else "degraded" if degraded else "healthy"
        return HealthView(
            status=status,
            ai_status="rules",  # the advisor in the chair is the rule-based one
            protocols_status="paper",
            store=store,
            switch=state,
            sources=sources,
            at_s=self.engine.now_s,
            mode_label=self._setting.label(),
            is_synthetic=self._setting.is_synthetic,
            mandate_digest=self.mandate.digest,
            version=__version__,
        )

    # --- commands -----------------------------------------------------------------------------

    def rebalance(self, actor: str, force: bool, max_slippage_bps: int | None) -> RebalanceResult:
        """Run one cycle for `actor`; `force` skips drift and time triggers only (GR-28)."""
        if self._switch.state() is SwitchState.HALTED:
            message = "the switch is halted; nothing was started"
            return RebalanceResult(RebalanceStatus.CONFLICT, message)
        waiting = self.engine.plan()
        if waiting is not None:
            message = f"plan {waiting.plan.plan_id} is {waiting.state.value}; nothing was started"
            return RebalanceResult(RebalanceStatus.CONFLICT, message, waiting.plan.decision_id)
        self.engine.note(actor, "rebalance-asked", {"force": force, "slippage": max_slippage_bps})
        report = self.engine.cycle(Ask(actor, force, max_slippage_bps), wait=False)
        planned = next((d for d in report.decisions if d.plan_id is not None), None)
        record = planned or (report.decisions[0] if report.decisions else None)
        if record is None:
            return RebalanceResult(RebalanceStatus.NOTHING_TO_DO, "another plan is in hand")
        view = self.decision(record.decision_id)
        status = {
            DecisionOutcome.PLANNED: RebalanceStatus.ACCEPTED,
            DecisionOutcome.PENDING_APPROVAL: RebalanceStatus.APPROVAL_REQUIRED,
            DecisionOutcome.DENIED: RebalanceStatus.DENIED,
        }.get(record.outcome, RebalanceStatus.NOTHING_TO_DO)
        return RebalanceResult(status, view.reasoning, view.decision_id, view.plan, view.findings)

    def decide(
        self, decision_id: str, actor: str, approved: bool, notes: str, digest: str | None
    ) -> DecisionResult:
        """Sign or reject the plan of a decision; an approved plan is carried out at once."""
        view = self.decision(decision_id)
        if view.plan is None:
            raise Conflict(f"{decision_id} has no plan to sign")
        if digest is not None and digest != view.plan.digest:
            raise Conflict(f"the plan of {decision_id} has changed; nothing was signed")
        if view.plan.state != PlanState.PENDING_APPROVAL.value:
            raise Conflict(f"the plan of {decision_id} is {view.plan.state}; nothing was signed")
        record = self.engine.sign(
            Signature(view.plan.plan_id, view.plan.digest, actor, approved, notes, view.actor)
        )
        if record.state is PlanState.APPROVED:
            self.engine.cycle()
        plan = self.decision(decision_id).plan
        assert plan is not None
        given = sum(signature.approved for signature in plan.signatures)
        return DecisionResult(
            decision_id, plan.plan_id, plan.state, approved, given, plan.signatures_required,
            f"{given} of {plan.signatures_required} signatures; the plan is {plan.state}",
        )  # fmt: skip

    def switch(self) -> SwitchView:
        """Return the switch; unreadable means HALTED."""
        log = self._switch.log()
        last = log[-1] if log else None
        asked = None if self._raise_asked is None else self._raise_asked[0]
        return SwitchView(
            self._switch.state(),
            None if last is None else last.at_s,
            "nobody" if last is None else ", ".join(last.actors),
            "it was never raised" if last is None else last.rationale,
            asked,
        )

    def lower_switch(self, actor: str, to: SwitchState, reason: str) -> SwitchView:
        """Move the switch towards HALTED, now; raises Conflict where that would raise it."""
        try:
            self._switch.lower(to, actor, reason, self.engine.now_s)
        except Refused as refused:
            raise Conflict(refused.message) from None
        self._raise_asked = None
        self.engine.note(actor, "switch", {"to": to.value, "reason": reason})
        return self.switch()

    def raise_switch(self, actor: str, to: SwitchState, reason: str) -> SwitchView:
        """Ask to raise the switch; from HALTED it moves at the second person's request."""
        if not is_person(actor):
            raise Refused(f"expected a person, found {actor!r}; the switch did not move")
        asked = self._raise_asked
        others = () if asked is None or asked[1] is not to else (asked[0],)
        people = (*others, actor)
        before = self._switch.state()
        if before is SwitchState.HALTED and len({person(name) for name in people}) < 2:
            self._raise_asked = (actor, to, reason)
            self.engine.note(actor, "switch-asked", {"to": to.value, "reason": reason})
            return self.switch()
        try:
            self._switch.raise_to(to, people, reason, self.engine.now_s)
        except Refused as refused:
            raise Conflict(refused.message) from None
        self._raise_asked = None
        self.engine.note(actor, "switch", {"to": to.value, "by": list(people), "reason": reason})
        return self.switch()

    def note(self, actor: str, kind: str, payload: str) -> None:
        """Append one audit row for an act that has no other."""
        self.engine.note(actor, kind, {"text": payload})

    def claim(self, key: str, route: str, actor: str, request_digest: str) -> StoredReply | None:
        """Reserve an idempotency key; None means it is now ours, otherwise what stands there."""
        found = self._keys.claim(key, route, actor, request_digest, self.engine.now_s)
        if found is None:
            return None
        return StoredReply(found.request_digest, found.status or 0, found.body or "")

    def remember(self, key: str, route: str, actor: str, status: int, body: str) -> None:
        """Store the reply of a claimed key."""
        self._keys.complete(key, route, actor, status, body)

    # --- how ----------------------------------------------------------------------------------

    def _keep(self, name: str, question: object, make: Callable[[], T]) -> T:
        """Answer from what was made since the engine last moved."""
        version = self.engine.version
        kept = self._kept.get((name, question))
        if kept is not None and kept[0] == version:
            answer: T = kept[1]
            return answer
        answer = make()
        self._kept[name, question] = (version, answer)
        return answer

    def _last_decision(self) -> Mapping[str, Any]:
        rows = self.reader.decisions(1)
        if not rows:
            raise DataUnfit("expected a decision, found none: no cycle has run yet")
        return rows[0]

    def _portfolio(self) -> PortfolioView:
        return portfolio_view(self.reader, self.signal(), self.engine)

    def _performance(self, time_range: str) -> PerformanceView:
        now_s, span_s = self.engine.now_s, RANGES_S[time_range]
        since_s = 0 if span_s is None else now_s - span_s
        rows = self.reader.nav_series(since_s, None, MARKS_MAX)
        if not rows:
            raise DataUnfit("expected a mark of the treasury, found none in this range")
        points = market_views.nav_points(rows)
        gained, fall = total_return(points), max_drawdown(points)
        rate, is_short = market_views.yearly(points)
        trades = trade_views(self.reader, since_s)
        parts: dict[str, int] = {}
        lines: dict[str, list[tuple[int, int]]] = {}
        flows = {point.at_s: point.flow_usd_micro for point in points[1:]}
        for number, row in enumerate(rows):
            payload = market_views.parsed(row["payload"])
            if number:
                for name, value in payload["attribution"].items():
                    parts[name] = parts.get(name, 0) + value
            for name, value in payload["benchmarks"].items():
                lines.setdefault(name, []).append((row["at_s"], value))
        return PerformanceView(
            time_range=time_range,
            since_s=points[0].at_s,
            until_s=points[-1].at_s,
            total_return=None if gained is None else gained.fraction,
            gain_usd_micro=0 if gained is None else gained.gain_usd_micro,
            apy=rate,
            is_apy_annualised_short=is_short,
            sharpe=sharpe(daily_returns(points)),
            max_drawdown=None if fall is None else -fall.fraction,
            win_rate=trades.win_rate,
            turnover_usd_micro=trades.turnover_usd_micro,
            gas_usd_micro=-parts.get("gas", 0),
            equity=tuple(Point(p.at_s, usd(p.nav_usd_micro)) for p in points),
            drawdown=market_views.drawdown_line(points),
            benchmarks=market_views.benchmark_views(lines, flows),
            trades=trades.newest,
            attribution_usd_micro=parts,
            targets=market_views.target_views(self.mandate),
        )
