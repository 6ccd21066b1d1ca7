"""Fragments: the parts of a page that may change while it is open.

    page  ->  its fragments  ->  HTML and digest of each

The browser says which digests it has; only what differs travels back, so a living page
doesn't flicker and a quiet one costs a few hundred bytes.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from jinja2 import Environment

from dynamic.app.dashboard import charts
from dynamic.app.dashboard.glance import Glance

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
