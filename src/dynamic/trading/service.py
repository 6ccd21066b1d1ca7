"""The service: one paper treasury as the API, the dashboard and the command line see it.

    questions   read from the store; the engine is never kept waiting
    commands    through the engine, one at a time; each leaves an audit row

Answers that take work (performance, market lines) are kept until the engine has moved on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog

from dynamic import __version__
from dynamic.adapters.storage.reader import ReadStore
from dynamic.adapters.storage.request_keys import RequestKeys
from dynamic.adapters.switch_file import SwitchFile
from dynamic.errors import Conflict, DataUnfit, DynamicError, NotFound, Refused, StoreUnavailable
from dynamic.ledger.chart import is_ours
from dynamic.ledger.entry import EntryKind
from dynamic.planning.plan import PlanState
from dynamic.policy.approval import is_person, person
from dynamic.policy.mandate import Mandate
from dynamic.policy.situation import SwitchState
from dynamic.policy.switch import HEIGHT, SIGNATURES_FROM
from dynamic.records import DecisionOutcome
from dynamic.signals.signal import AllocationSignal
from dynamic.trading import limit_views, market_views
from dynamic.trading.book_views import decision_view, entry_view, posting_view
from dynamic.trading.capital import CapitalFlow, check_flow
from dynamic.trading.engine import Engine
from dynamic.trading.performance_views import performance_view
from dynamic.trading.portfolio_views import portfolio_view
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
from dynamic.workflows.approve import Signature
from dynamic.workflows.decide import Ask

T = TypeVar("T")
KEPT_S: Final = 60  # a question about the last 24 h has another answer a minute later
KEPT_MAX: Final = 64
STATUS: Final = {
    DecisionOutcome.PLANNED: RebalanceStatus.ACCEPTED,
    DecisionOutcome.PENDING_APPROVAL: RebalanceStatus.APPROVAL_REQUIRED,
    DecisionOutcome.DENIED: RebalanceStatus.DENIED,
}
log = structlog.get_logger("dynamic.service")


@dataclass(frozen=True, slots=True)
class Setting:
    """What the composition tells the service about itself."""

    label: Callable[[], str]  # "paper · replay 2021-03-04"
    is_synthetic: bool
    mandate_text: str
    sources: Callable[[], tuple[SourceView, ...]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One person's wish to raise the switch, and how often it had moved by then."""

    actor: str
    to: SwitchState
    at_s: int
    moves: int


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
        self._kept: dict[tuple[str, object], tuple[tuple[int, int], Any]] = {}
        self._raise_asked: _Asked | None = None

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
        return market_views.market_view(row, self._signal()[1], self.engine.now_s)

    def market_history(self, points_max: int) -> MarketHistory:
        """Return the lines of the market charts, thinned to at most `points_max` each."""

        def make() -> MarketHistory:
            rows = self.reader.snapshots(0, points_max)
            return market_views.market_history(rows, self.mandate)

        return self._keep("market", points_max, make)

    def signal(self) -> AllocationSignal:
        """Return the last signal; raises DataUnfit where none exists."""
        return self._signal()[0]

    def portfolio(self) -> PortfolioView:
        """Return the holdings at the last prices; raises DataUnfit before the first mark."""
        return self._keep(
            "portfolio", None, lambda: portfolio_view(self.reader, self.signal(), self.engine)
        )

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
        return self._keep(
            "performance",
            time_range,
            lambda: performance_view(self.reader, self.mandate, time_range, self.engine.now_s),
        )

    def limits(self) -> list[LimitView]:
        """Return every guardrail, observed against limit."""
        return limit_views.limits(self.engine, self.reader)

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
        found = self.engine.compare()
        held = self.engine.inspect(lambda memory: len(memory.position_units()))
        return ReconciliationView(
            self.engine.now_s,
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
        except DynamicError:
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
        try:
            report = self.engine.cycle_for(Ask(actor, force, max_slippage_bps))
        except Conflict as busy:
            plan = self.engine.plan()
            waiting = None if plan is None else plan.plan.decision_id
            return RebalanceResult(RebalanceStatus.CONFLICT, busy.message, waiting)
        planned = next((d for d in report.decisions if d.plan_id is not None), None)
        record = planned or (report.decisions[0] if report.decisions else None)
        if record is None:
            message = "the cycle ended without a decision"
            return RebalanceResult(RebalanceStatus.NOTHING_TO_DO, message)
        view = self.decision(record.decision_id)
        status = STATUS.get(record.outcome, RebalanceStatus.NOTHING_TO_DO)
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
            Signature(view.plan.plan_id, view.plan.digest, actor, approved, notes)
        )
        if record.state is PlanState.EXPIRED:
            raise Conflict(f"the plan of {decision_id} is too old to sign: {record.reason}")
        later = self._carried_out() if record.state is PlanState.APPROVED else ""
        plan = self.decision(decision_id).plan
        assert plan is not None
        given = sum(signature.approved for signature in plan.signatures)
        parts = (
            f"{given} of {plan.signatures_required} signatures; the plan is {plan.state}",
            plan.reason if plan.state in (PlanState.EXPIRED, PlanState.ABANDONED) else "",
            later,
        )
        return DecisionResult(
            decision_id, plan.plan_id, plan.state, approved, given, plan.signatures_required,
            "; ".join(part for part in parts if part),
        )  # fmt: skip

    def _carried_out(self) -> str:
        """Carry out what was just approved; say why where it must wait. The signatures stand."""
        try:
            self.engine.cycle()
        except DynamicError as problem:
            log.warning("an approved plan waits", code=problem.code, reason=problem.message)
            return f"it waits for the next cycle: {problem.message}"
        return ""

    def record_capital(self, flow: CapitalFlow) -> bool:
        """Move and book the owner's capital, once per key; False where it was booked before.

        Raises Conflict where the key was used for another amount, and what `capital` raises.
        """
        check_flow(flow)
        entry_id = f"{EntryKind.CAPITAL.value}:{flow.ref}"

        def is_booked() -> bool:
            entry = self.reader.entry(entry_id)
            if entry is None:
                return False
            booked = sum(p.base_units for p in entry.postings if is_ours(p.account))
            if booked != flow.base_units:
                raise Conflict(
                    f"capital: {flow.key} was booked with {booked} base units of {flow.asset}, "
                    f"found {flow.base_units}; nothing was moved"
                )
            return True

        return self.engine.fund(flow, is_booked)

    # --- the switch ---------------------------------------------------------------------------

    def switch(self) -> SwitchView:
        """Return the switch; unreadable means HALTED."""
        log_ = self._switch.log()
        last = log_[-1] if log_ else None
        asked = self._asked()
        return SwitchView(
            self._switch.state(),
            None if last is None else last.at_s,
            "nobody" if last is None else ", ".join(last.actors),
            "it was never raised" if last is None else last.rationale,
            None if asked is None else asked.actor,
        )

    def lower_switch(self, actor: str, to: SwitchState, reason: str) -> SwitchView:
        """Move the switch towards HALTED, now; raises Conflict where that would raise it.

        A stop holds even where the database cannot take its audit row: the switch's own log
        has who, when and why.
        """
        try:
            self._switch.lower(to, actor, reason, self.engine.now_s)
        except Refused as refused:
            raise Conflict(refused.message) from None
        try:
            self.engine.note(actor, "switch", {"to": to.value, "reason": reason})
        except StoreUnavailable as problem:
            log.critical("the switch moved without an audit row", reason=problem.message)
        return self.switch()

    def raise_switch(self, actor: str, to: SwitchState, reason: str) -> SwitchView:
        """Ask to raise the switch; from HALTED it moves at the second person's request."""
        if not is_person(actor) or not reason.strip():
            raise Refused(
                f"expected a person and a reason, found {actor!r} and {reason!r}; "
                "the switch did not move"
            )
        before, asked = self._switch.state(), self._asked()
        people = (actor,) if asked is None or asked.to is not to else (asked.actor, actor)
        few = len({person(name) for name in people}) < SIGNATURES_FROM[before]
        if few and HEIGHT[to] > HEIGHT[before]:
            self._raise_asked = _Asked(actor, to, self.engine.now_s, len(self._switch.log()))
            self.engine.note(actor, "switch-asked", {"to": to.value, "reason": reason})
            return self.switch()
        try:
            self._switch.raise_to(to, people, reason, self.engine.now_s)
        except Refused as refused:
            raise Conflict(refused.message) from None
        self.engine.note(actor, "switch", {"to": to.value, "by": list(people), "reason": reason})
        return self.switch()

    def _asked(self) -> "_Asked | None":
        """Return who waits for a second person; a move of the switch or a day ends the waiting."""
        asked = self._raise_asked
        if asked is None or asked.moves != len(self._switch.log()):
            return None
        age_s = self.engine.now_s - asked.at_s
        return asked if age_s < self.mandate.authority.approval_expiry_s else None

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
        """Answer from what was made since the engine, or its clock, last moved."""
        made_at = self.engine.version, self.engine.now_s // KEPT_S
        kept = self._kept.get((name, question))
        if kept is not None and kept[0] == made_at:
            answer: T = kept[1]
            return answer
        answer = make()
        if len(self._kept) >= KEPT_MAX:
            self._kept.clear()
        self._kept[name, question] = made_at, answer
        return answer

    def _signal(self) -> tuple[AllocationSignal, str]:
        """Return the newest signal: of this process's last cycle, or of the last decision."""
        report, rows = self.engine.last, self.reader.decisions(1)
        if report is not None and (not rows or report.at_s >= rows[0]["at_s"]):
            return report.signal, report.signal.phase.value
        if not rows:
            raise DataUnfit("expected a decision, found none: no cycle has run yet")
        payload = market_views.parsed(rows[0]["payload"])
        return market_views.signal_of(rows[0]["at_s"], payload["signal"]), rows[0]["phase"]
