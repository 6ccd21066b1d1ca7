"""What the API and the dashboard may ask of the treasury, and nothing more.

    questions  market  portfolio  decisions  performance  limits  ledger  audit  health
    commands   rebalance  decide  lower_switch  raise_switch      (each leaves an audit row)
    memory     claim, remember: one effect per Idempotency-Key

Implementations raise the errors of `dynamic.errors`; each has one HTTP status:

    NotFound 404   Conflict 409   Refused 400   DataUnfit, StoreUnavailable 500   Unresolved 409
    Refused from `decide` is 403: the person may not sign this (four eyes, wrong authority)
    InvariantBroken: the API lowers the switch to HALTED, then answers 500
"""

from typing import Protocol

from dynamic.policy.situation import SwitchState
from dynamic.signals.signal import AllocationSignal
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
    ReconciliationView,
    StoredReply,
    SwitchView,
)


class TreasuryService(Protocol):
    """One treasury, seen from outside. Calls come from several threads at once."""

    def market(self) -> MarketView:
        """Return the last snapshot; raises DataUnfit where none exists."""
        ...

    def market_history(self, points_max: int) -> MarketHistory:
        """Return the lines of the market charts, thinned to at most `points_max` each."""
        ...

    def signal(self) -> AllocationSignal:
        """Return the last signal; raises DataUnfit where none exists."""
        ...

    def portfolio(self) -> PortfolioView:
        """Return the holdings at the last prices."""
        ...

    def pending(self) -> list[DecisionView]:
        """Return the decisions whose plan waits for a signature, oldest first."""
        ...

    def decisions(self, limit: int, offset: int) -> list[DecisionView]:
        """Return decisions, newest first."""
        ...

    def decision(self, decision_id: str) -> DecisionView:
        """Return one decision; raises NotFound."""
        ...

    def rebalance(self, actor: str, force: bool, max_slippage_bps: int | None) -> RebalanceResult:
        """Run one cycle for `actor`; `force` skips drift and time triggers only (GR-28)."""
        ...

    def slippage_bps_max(self) -> int:
        """Return the mandate's hard maximum of slippage."""
        ...

    def decide(
        self, decision_id: str, actor: str, approved: bool, notes: str, digest: str | None
    ) -> DecisionResult:
        """Sign or reject the plan of a decision.

        `digest`, where given, is what the person saw; Conflict where the plan has changed.
        Raises NotFound, Conflict (decided, expired), Refused (four eyes).
        """
        ...

    def performance(self, time_range: str) -> PerformanceView:
        """Measure 24h, 7d, 30d, 90d, 1y or all; lines are thinned to some hundreds of points."""
        ...

    def limits(self) -> list[LimitView]:
        """Return every guardrail, observed against limit."""
        ...

    def mandate_text(self) -> str:
        """Return the mandate in force, as signed."""
        ...

    def ledger(
        self, account: str | None, asset: str | None, limit: int, offset: int
    ) -> list[EntryView]:
        """Return entries, newest first; a filter keeps entries with a matching posting."""
        ...

    def balances(self) -> list[PostingView]:
        """Return the balance of every account and asset that ever moved."""
        ...

    def reconcile(self) -> ReconciliationView:
        """Return the last comparison of books and venues."""
        ...

    def audit(self, limit: int, offset: int = 0) -> list[AuditView]:
        """Return links of the audit chain, newest first."""
        ...

    def switch(self) -> SwitchView:
        """Return the switch; unreadable means HALTED."""
        ...

    def lower_switch(self, actor: str, to: SwitchState, reason: str) -> SwitchView:
        """Move the switch towards HALTED, now; raises Conflict where that would raise it."""
        ...

    def raise_switch(self, actor: str, to: SwitchState, reason: str) -> SwitchView:
        """Ask to raise the switch; from HALTED it moves at the second person's request."""
        ...

    def health(self) -> HealthView:
        """Return the state of all parts; never raises."""
        ...

    def note(self, actor: str, kind: str, payload: str) -> None:
        """Append one audit row for an act that has no other (sign-in, refused sign-in)."""
        ...

    def claim(self, key: str, route: str, actor: str, request_digest: str) -> StoredReply | None:
        """Reserve an idempotency key; None means it is now ours, otherwise what stands there."""
        ...

    def remember(self, key: str, route: str, actor: str, status: int, body: str) -> None:
        """Store the reply of a claimed key."""
        ...
