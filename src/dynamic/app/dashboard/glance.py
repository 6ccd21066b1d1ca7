"""A glance: what one rendering asks of the treasury, each question asked at most once.

Templates and charts read from it. What isn't observed yet is None, which they write as such.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from dynamic.app.api.service import TreasuryService
from dynamic.errors import DataUnfit
from dynamic.trading.views import LimitState, LimitView, MarketHistory

DECISIONS_SHOWN: Final = 50
POINTS_MAX: Final = 400


class Glance:
    """Answers of one instant; nothing is asked before a template needs it."""

    def __init__(self, service: TreasuryService, time_range: str = "90d") -> None:
        self._service = service
        self._kept: dict[str, Any] = {}
        self.time_range = time_range

    def _once(self, name: str, ask: Callable[[], Any]) -> Any:
        if name not in self._kept:
            self._kept[name] = ask()
        return self._kept[name]

    def _known(self, name: str, ask: Callable[[], Any]) -> Any:
        """Ask; what isn't observed yet is None, which a template writes as such."""
        try:
            return self._once(name, ask)
        except DataUnfit:
            return None

    @property
    def health(self) -> Any:
        return self._once("health", self._service.health)

    @property
    def portfolio(self) -> Any:
        return self._known("portfolio", self._service.portfolio)

    @property
    def market(self) -> Any:
        return self._known("market", self._service.market)

    @property
    def signal(self) -> Any:
        return self._known("signal", self._service.signal)

    @property
    def limits(self) -> list[LimitView]:
        found: list[LimitView] | None = self._known("limits", self._service.limits)
        return found or []

    @property
    def pending(self) -> Any:
        return self._once("pending", self._service.pending)

    @property
    def decisions(self) -> Any:
        return self._once("decisions", lambda: self._service.decisions(DECISIONS_SHOWN, 0))

    @property
    def entries(self) -> Any:
        return self._once("entries", lambda: self._service.ledger(None, None, 50, 0))

    @property
    def balances(self) -> Any:
        return self._once("balances", self._service.balances)

    @property
    def reconciliation(self) -> Any:
        return self._known("reconciliation", self._service.reconcile)

    @property
    def links(self) -> Any:
        return self._once("links", lambda: self._service.audit(100))

    @property
    def switch(self) -> Any:
        return self._once("switch", self._service.switch)

    @property
    def history(self) -> MarketHistory | None:
        found: MarketHistory | None = self._known(
            "history", lambda: self._service.market_history(POINTS_MAX)
        )
        return found

    @property
    def performance(self) -> Any:
        return self._known("performance", lambda: self._service.performance(self.time_range))

    def limit(self, rule: str) -> LimitView | None:
        """Return the limit of one rule, or None where the mandate has none."""
        return next((limit for limit in self.limits if limit.rule == rule), None)

    @property
    def drawdown_limit(self) -> LimitView | None:
        """Return the last stage: the deepest fall the mandate allows."""
        stages = [each for each in self.limits if each.group == "drawdown" and each.unit == "bps"]
        return max(stages, key=lambda each: each.limit, default=None)

    @property
    def groups(self) -> Mapping[str, list[LimitView]]:
        """Limits by group, those closest to trouble first."""
        order = (LimitState.BREACH, LimitState.UNKNOWN, LimitState.WARN, LimitState.OK)
        found: dict[str, list[LimitView]] = {}
        for limit in sorted(self.limits, key=lambda each: order.index(each.state)):
            found.setdefault(limit.group, []).append(limit)
        return dict(sorted(found.items()))

    @property
    def troubled(self) -> list[LimitView]:
        """Limits that aren't plainly kept."""
        return [limit for limit in self.limits if limit.state is not LimitState.OK]
