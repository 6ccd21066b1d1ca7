"""Views of performance: what one range earned, beside the benchmarks on the same capital and days.

    marks of the store  --all of them-->  numbers        (a flow left out would be a false gain)
                        --some hundred->  lines

A range begins at the last mark at or before its first instant, as the portfolio's returns do.
Benchmark lines start at the treasury's own value, so that the chart compares like with like.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Final, Self, TypeVar

from dynamic.adapters.storage.reader import ReadStore
from dynamic.errors import DataUnfit, Refused
from dynamic.performance.metrics import (
    NavPoint,
    against_target,
    apy,
    daily_returns,
    gas_bill,
    max_drawdown,
    money_weighted,
    sharpe,
    step_return,
    total_return,
)
from dynamic.performance.targets import Plans, targets
from dynamic.policy.mandate import Mandate
from dynamic.trading.market_views import parsed
from dynamic.trading.marks import marks
from dynamic.trading.portfolio_views import trade_views
from dynamic.trading.views import BenchmarkView, PerformanceView, Point, TargetView
from dynamic.units import DAY_S, USD_MICRO
from dynamic.workflows.measure import STATIC_YIELD_BPS

RANGES_S: Final = {
    "24h": DAY_S, "7d": 7 * DAY_S, "30d": 30 * DAY_S, "90d": 90 * DAY_S, "1y": 365 * DAY_S,
    "all": None,
}  # fmt: skip
POINTS_SHOWN: Final = 600
_TARGET_MONTHS: Final = 6
TARGET_APY: Final = (0.25, 0.50)  # PF-02: what was promised, not a limit
LABELS: Final = {
    "static_yield": "Static 6.5 % yield",
    "btc_hold": "BTC buy and hold",
    "static_60_40": "60 % yield / 40 % BTC+ETH",
}

T = TypeVar("T")


@dataclass(slots=True)
class _Range:
    """The marks of one range, oldest first, reduced to what is measured."""

    points: list[NavPoint] = field(default_factory=list)
    parts_usd_micro: dict[str, int] = field(default_factory=dict)
    lines: dict[str, list[NavPoint]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Reduce stored marks."""
        seen = cls()
        for row in rows:
            seen.take(row)
        return seen

    def take(self, row: Mapping[str, Any]) -> None:
        """Add one mark; what led up to the first one belongs to an earlier range."""
        payload, at_s, nav = parsed(row["payload"]), row["at_s"], row["nav_usd_micro"]
        parts = payload["attribution"]
        if not self.points:
            parts = self._begin(at_s, nav, parts)
        flow = parts.get("flows", 0)
        self.points.append(NavPoint(at_s, nav, flow))
        for name, value in parts.items():
            self.parts_usd_micro[name] = self.parts_usd_micro.get(name, 0) + value
        for name, value in payload["benchmarks"].items():
            self.lines.setdefault(name, []).append(NavPoint(at_s, value, flow))

    def _begin(self, at_s: int, nav: int, parts: Mapping[str, int]) -> Mapping[str, int]:
        """Return what of the first mark belongs to the range.

        The treasury's very first mark does: putting the capital to work has cost something.
        """
        paid_in = parts.get("flows", 0)
        if paid_in <= 0 or sum(parts.values()) != nav:
            return {}
        self.points.append(NavPoint(at_s, paid_in, 0))
        return {name: value for name, value in parts.items() if name != "flows"}


def performance_view(
    reader: ReadStore, mandate: Mandate, time_range: str, now_s: int
) -> PerformanceView:
    """Measure one range; Refused for an unknown one, DataUnfit where nothing was ever marked."""
    if time_range not in RANGES_S:
        raise Refused(f"expected one of {', '.join(RANGES_S)}, found {time_range!r}")
    span_s = RANGES_S[time_range]
    seen = _Range.of(marks(reader, None if span_s is None else now_s - span_s))
    points = seen.points
    if not points:
        raise DataUnfit("expected a mark of the treasury, found none: no cycle has run yet")
    gained, fall, rate = total_return(points), max_drawdown(points), apy(points)
    trades = trade_views(reader, points[0].at_s)
    gain = 0 if gained is None else gained.gain_usd_micro
    bill = gas_bill(-seen.parts_usd_micro.get("gas", 0), gain)
    return PerformanceView(
        time_range=time_range,
        since_s=points[0].at_s,
        until_s=points[-1].at_s,
        total_return=None if gained is None else gained.fraction,
        gain_usd_micro=gain,
        apy=None if rate is None else rate.fraction,
        is_apy_annualised_short=rate is None or not rate.is_annualised,
        sharpe=sharpe(daily_returns(points)),
        max_drawdown=None if fall is None else -fall.fraction,
        win_rate=trades.win_rate,
        turnover_usd_micro=trades.turnover_usd_micro,
        gas_usd_micro=bill.gas_usd_micro,
        equity=_line(points),
        drawdown=drawdown_line(points),
        benchmarks=benchmark_views(seen.lines, points[0].nav_usd_micro),
        trades=trades.newest,
        attribution_usd_micro=seen.parts_usd_micro,
        targets=target_views(mandate),
        money_weighted=money_weighted(points) if rate and rate.is_annualised else None,
        target_verdict=against_target(rate, *TARGET_APY),
        gas_share_of_gain=bill.fraction,
    )


def thinned(items: Sequence[T], points_max: int = POINTS_SHOWN) -> Sequence[T]:
    """Return at most `points_max` of the items, evenly, the newest always among them."""
    step = max(1, -(-len(items) // points_max))
    return items[(len(items) - 1) % step :: step] if step > 1 else items


def drawdown_line(points: Sequence[NavPoint]) -> tuple[Point, ...]:
    """Return the fall from the highest point so far, never above zero, flows left out."""
    line: list[Point] = []
    index = peak = 1.0
    before: NavPoint | None = None
    for point in points:
        grown = None if before is None else step_return(before, point)
        index *= 1.0 + (grown or 0.0)
        peak = max(peak, index)
        line.append(Point(point.at_s, index / peak - 1.0))
        before = point
    return tuple(thinned(_once(line)))


def benchmark_views(
    lines: Mapping[str, Sequence[NavPoint]], start_usd_micro: int
) -> tuple[BenchmarkView, ...]:
    """Return the three benchmarks, each with a line that starts at the treasury's own value."""
    views = []
    for name, label in LABELS.items():
        points = lines.get(name, ())
        gained, fall = total_return(points), max_drawdown(points)
        views.append(
            BenchmarkView(
                name=name,
                label=label,
                total_return=None if gained is None else gained.fraction,
                max_drawdown=None if fall is None else -fall.fraction,
                sharpe=sharpe(daily_returns(points)),
                series=_rebased(points, start_usd_micro),
            )
        )
    return tuple(views)


def _rebased(points: Sequence[NavPoint], start_usd_micro: int) -> tuple[Point, ...]:
    """Return a line in USD that starts elsewhere, grows alike and gets the same flows."""
    line: list[Point] = []
    value, before = float(start_usd_micro), None
    for point in points:
        if before is not None:
            value = value * (1.0 + (step_return(before, point) or 0.0)) + point.flow_usd_micro
        line.append(Point(point.at_s, value / USD_MICRO))
        before = point
    return tuple(thinned(_once(line)))


def _line(points: Sequence[NavPoint]) -> tuple[Point, ...]:
    return tuple(thinned(_once([Point(p.at_s, p.nav_usd_micro / USD_MICRO) for p in points])))


def _once(line: Sequence[Point]) -> list[Point]:
    """Return one point for each instant, the last: a chart's time only moves forward."""
    return [p for p, after in zip_longest(line, line[1:]) if after is None or after.at_s > p.at_s]


def target_views(mandate: Mandate) -> tuple[TargetView, ...]:
    """Return the published targets beside their corrected arithmetic (PF-19, C-19)."""
    treasury = mandate.treasury
    plans = Plans(
        treasury.capital_usd_micro, treasury.base_yield_bps, STATIC_YIELD_BPS, _TARGET_MONTHS
    )
    return tuple(
        TargetView(
            name=name,
            months=plans.months,
            claimed_usd=claimed.gain_usd_micro // USD_MICRO,
            corrected_usd=corrected.gain_usd_micro // USD_MICRO,
            note="the published sum counts twelve months of interest in six",
        )
        for name, (claimed, corrected) in targets(plans).items()
    )
