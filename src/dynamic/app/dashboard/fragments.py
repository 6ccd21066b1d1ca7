"""Fragments: the parts of a page that may change while it is open.

    page  ->  its fragments  ->  HTML and digest of each

The browser says which digests it has; only what differs travels back, so a living page
doesn't flicker and a quiet one costs a few hundred bytes.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from jinja2 import Environment

from dynamic.app.api.service import TreasuryService
from dynamic.app.dashboard import charts
from dynamic.errors import DataUnfit
from dynamic.trading.views import LimitState, LimitView

PAGES: Final[dict[str, tuple[str, ...]]] = {
    "overview": (
        "strip", "badge", "figures", "allocation", "signal", "approvals_inbox", "recent",
        "guardrails", "positions", "measures",
    ),
    "decisions": ("strip", "badge", "decision_log"),
    "decision": ("strip", "badge"),
    "approvals": ("strip", "badge"),
    "ledger": ("strip", "badge", "reconciliation", "balances", "entries"),
    "limits": ("strip", "badge", "limit_tables", "sources"),
    "audit": ("strip", "badge", "links"),
    "plain": ("strip", "badge"),
}  # fmt: skip
PAGE_CHARTS: Final = {"overview": tuple(charts.CHARTS)}

DECISIONS_SHOWN: Final = 50


class Glance:
    """What one rendering asks of the treasury, asked once and only if a template needs it."""

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
        found: list[LimitView] = self._once("limits", self._service.limits)
        return found

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
    def performance(self) -> Any:
        return self._known("performance", lambda: self._service.performance(self.time_range))

    def limit(self, rule: str) -> LimitView | None:
        """Return the limit of one rule, or None where the mandate has none."""
        return next((limit for limit in self.limits if limit.rule == rule), None)

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


def render(environment: Environment, name: str, glance: Glance) -> tuple[str, str]:
    """Return one fragment's HTML and its digest."""
    html = environment.get_template(f"fragments/{name}.html").render(glance=glance)
    return html, hashlib.sha256(html.encode()).hexdigest()[:16]


def changed(
    environment: Environment, page: str, glance: Glance, seen: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Return the fragments of a page that the browser doesn't have yet."""
    found = {}
    for name in PAGES[page]:
        html, digest = render(environment, name, glance)
        if seen.get(name) != digest:
            found[name] = {"html": html, "digest": digest}
    return found
