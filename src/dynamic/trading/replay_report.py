"""The report of a replay: one object that says what came of it, against doing something simpler.

    live_through : Course -> ReplayReport      members under stable names, ready for JSON

Fractions are estimates and floats; dollars are rounded to cents in here and nowhere before.
The ledger is balanced where every asset sums to zero over all accounts. The attribution's
residual is zero at each mark, or the mark is refused; `attribution_rounding_usd` is what is lost
when its exact parts are written in micro-dollars, mark by mark.
"""

import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from dynamic.performance.metrics import (
    NavPoint,
    apy,
    daily_returns,
    max_drawdown,
    sharpe,
    time_weighted,
)
from dynamic.policy.mandate import Mandate, check, digest_of
from dynamic.records import DecisionOutcome
from dynamic.trading.replaying import Course, Journey
from dynamic.units import BPS, USD_MICRO, iso
from dynamic.workflows.treasury_cycle import CycleReport


def with_capital(mandate: Mandate, capital_usd: int) -> Mandate:
    """Return the mandate over another capital; it is another mandate, and says so by digest."""
    treasury = replace(mandate.treasury, capital_usd_micro=capital_usd * USD_MICRO)
    other = replace(mandate, treasury=treasury)
    check(other)
    return replace(other, digest=digest_of(other))


def live_through(
    course: Course, watch: Callable[[CycleReport], None] | None = None
) -> dict[str, object]:
    """Live through a course and return its report; `watch` sees every cycle."""
    journey = Journey(course)
    lines: dict[str, list[NavPoint]] = {}
    needed = 0
    try:
        begun = time.perf_counter()
        for report in journey.cycles():
            needed += sum(d.outcome is DecisionOutcome.PENDING_APPROVAL for d in report.decisions)
            _draw(lines, report)
            if watch is not None:
                watch(report)
        outcome = journey.finish(time.perf_counter() - begun)
        reader = journey.store.reader()
        sums: dict[str, int] = {}
        for (_, asset), units in reader.balances().items():
            sums[asset] = sums.get(asset, 0) + units
        ledger = {
            "entries": reader.counts()["entries"],
            "balanced": not any(sums.values()),
        }
        head = reader.audit_head()[1]
    finally:
        journey.close()
    first = outcome.report()
    explained = sum(outcome.attribution.values())
    rounding = outcome.points[-1].nav_usd_micro - explained if outcome.points else 0
    span = course.span
    members: dict[str, object] = {
        "start": iso(span.first_s),
        "end": iso(span.last_s),
        "total_return": time_weighted(outcome.points),
        "cagr": first["annual_return"],
        "volatile_share_max_after_trade": outcome.tally.volatile_bps_after_order_max / BPS,
        "turnover": first["turnover_per_year"],
        "gas_usd": f"{-outcome.attribution.get('gas', 0) / USD_MICRO:.2f}",
        "approvals_needed": needed,
        "denials": outcome.tally.denied,
        "benchmarks": {name: _measured(line) for name, line in lines.items()},
        "ledger": ledger,
        "attribution_residual_usd": first["attribution_residual"],
        "attribution_rounding_usd": rounding / USD_MICRO,
        "audit_head": head,
        "mandate_digest": course.mandate.digest,
        "peak_rss_mb": peak_rss_mb(),
    }
    return members | first


def peak_rss_mb() -> float:
    """Return the most memory this process has held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)


def _draw(lines: dict[str, list[NavPoint]], report: CycleReport) -> None:
    """Extend every benchmark's line; what the owner pays in reaches the benchmarks too."""
    if report.marked is None:
        return
    flow = report.marked.attribution["flows"]
    for name, value in report.marked.benchmarks.items():
        lines.setdefault(name, []).append(NavPoint(report.at_s, value, flow))


def _measured(line: Sequence[NavPoint]) -> Mapping[str, float | None]:
    yearly, fall = apy(line), max_drawdown(line)
    return {
        "cagr": None if yearly is None else yearly.fraction,
        "max_drawdown": None if fall is None else fall.fraction,
        "sharpe": sharpe(daily_returns(line)),
    }
