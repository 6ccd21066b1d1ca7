"""Questions: every GET of the service but health, metrics and exports."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query

from dynamic.app.api import contract
from dynamic.app.api.auth import Doors
from dynamic.app.api.problems import ProblemRaised, documented, problem
from dynamic.app.api.service import TreasuryService
from dynamic.app.api.wire import schema, wire
from dynamic.trading.views import (
    AuditView,
    DecisionView,
    EntryView,
    LimitView,
    PerformanceView,
    PostingView,
    ReconciliationView,
    SwitchView,
)

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:@\-]{1,128}$")]
Filter = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9._:\-]{1,128}$")]
Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]
TimeRange = Literal["24h", "7d", "30d", "90d", "1y", "all"]


def market_routes(service: TreasuryService, doors: Doors) -> APIRouter:
    """What the market looks like, and what follows from it."""
    routes = APIRouter(tags=["market"], dependencies=[Depends(doors.reader)])

    @routes.get("/market/data", response_model=contract.MarketData, responses=documented())
    def market_data() -> dict[str, Any]:
        """Prices, MVRV, funding, Fear & Greed and phase, each with its provenance.

        Stale and missing values are marked; 500 where a price is missing (C-95).
        """
        view = service.market()
        if view.btc_price_usd_micro is None or view.eth_price_usd_micro is None:
            detail = f"expected BTC and ETH prices, missing: {', '.join(view.missing)}"
            raise ProblemRaised(problem(500, "data-unfit", detail))
        return contract.market_data(view)

    @routes.get("/market/signal", response_model=contract.SignalModel, responses=documented())
    def market_signal() -> dict[str, Any]:
        """The recommended allocation with its confidence and reasoning."""
        return contract.signal_data(service.signal())

    return routes


def portfolio_routes(service: TreasuryService, doors: Doors) -> APIRouter:
    """What the treasury holds and earned."""
    routes = APIRouter(tags=["portfolio"], dependencies=[Depends(doors.reader)])

    @routes.get(
        "/portfolio/status", response_model=contract.PortfolioStatus, responses=documented()
    )
    def portfolio_status() -> dict[str, Any]:
        """Total value, positions, allocations and recent performance."""
        return contract.portfolio_data(service.portfolio())

    @routes.get(
        "/performance/metrics", response_model=schema(PerformanceView), responses=documented()
    )
    def performance_metrics(time_range: TimeRange = "30d") -> dict[str, Any]:
        """Returns, APY, Sharpe ratio, drawdown, benchmarks and trade history."""
        return wire(service.performance(time_range))

    @routes.get("/limits", response_model=list[schema(LimitView)], responses=documented())  # type: ignore[misc]
    def limits() -> list[dict[str, Any]]:
        """Every guardrail, observed against limit."""
        return [wire(limit) for limit in service.limits()]

    return routes


def decision_routes(service: TreasuryService, doors: Doors) -> APIRouter:
    """What was decided, and why."""
    routes = APIRouter(tags=["decisions"], dependencies=[Depends(doors.reader)])
    many: Any = list[schema(DecisionView)]  # type: ignore[misc]

    @routes.get("/decisions/pending", response_model=many, responses=documented())
    def pending_decisions() -> list[dict[str, Any]]:
        """Decisions that wait for a signature, oldest first; empty where none does."""
        return [wire(decision) for decision in service.pending()]

    @routes.get("/decisions", response_model=many, responses=documented())
    def decisions(limit: Limit = 50, offset: Offset = 0) -> list[dict[str, Any]]:
        """Decisions, newest first."""
        return [wire(decision) for decision in service.decisions(limit, offset)]

    @routes.get(
        "/decisions/{decision_id}", response_model=schema(DecisionView), responses=documented(404)
    )
    def decision(decision_id: Name) -> dict[str, Any]:
        """One decision with its signal, findings, plan and receipts."""
        return wire(service.decision(decision_id))

    return routes


def book_routes(service: TreasuryService, doors: Doors) -> APIRouter:
    """The ledger, its reconciliation, the audit chain and the switch."""
    routes = APIRouter(tags=["books"], dependencies=[Depends(doors.reader)])
    entries: Any = list[schema(EntryView)]  # type: ignore[misc]
    postings: Any = list[schema(PostingView)]  # type: ignore[misc]
    links: Any = list[schema(AuditView)]  # type: ignore[misc]

    @routes.get("/ledger/entries", response_model=entries, responses=documented())
    def ledger_entries(
        account: Filter = None, asset: Filter = None, limit: Limit = 50, offset: Offset = 0
    ) -> list[dict[str, Any]]:
        """Entries, newest first."""
        return [wire(entry) for entry in service.ledger(account, asset, limit, offset)]

    @routes.get("/ledger/balances", response_model=postings, responses=documented())
    def ledger_balances() -> list[dict[str, Any]]:
        """The balance of every account and asset."""
        return [wire(balance) for balance in service.balances()]

    @routes.get(
        "/ledger/reconciliation", response_model=schema(ReconciliationView), responses=documented()
    )
    def ledger_reconciliation() -> dict[str, Any]:
        """Books against venues; an unnamed residue blocks new risk."""
        return wire(service.reconcile())

    @routes.get("/audit", response_model=links, responses=documented())
    def audit(limit: Limit = 50, offset: Offset = 0) -> list[dict[str, Any]]:
        """The audit chain, newest first."""
        return [wire(link) for link in service.audit(limit, offset)]

    @routes.get("/switch", response_model=schema(SwitchView), responses=documented())
    def switch() -> dict[str, Any]:
        """The switch, who set it and why."""
        return wire(service.switch())

    return routes
