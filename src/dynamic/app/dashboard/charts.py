"""The six charts of the overview, from views to lines; drawn by `svg` or by the browser.

The browser gets the same chart as data, with a digest that says whether it changed.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from dynamic.app.api.service import TreasuryService
from dynamic.app.dashboard.svg import Chart, Line
from dynamic.trading.views import Point

POINTS_MAX: Final = 400
RANGES: Final = ("7d", "30d", "90d", "1y", "all")


def nav(service: TreasuryService, time_range: str) -> Chart:
    """Net asset value beside the three benchmarks on the same capital and days."""
    found = service.performance(time_range)
    lines = [Line("Treasury", 1, thin(found.equity), is_area=True)]
    lines += [
        Line(benchmark.label, index + 2, thin(benchmark.series), is_dashed=True)
        for index, benchmark in enumerate(found.benchmarks)
    ]
    return Chart("nav", "Net asset value", "usd", tuple(lines))


def drawdown(service: TreasuryService, time_range: str) -> Chart:
    """How far below its peak the treasury stood."""
    points = thin(service.performance(time_range).drawdown)
    line = Line("Drawdown", 5, points, is_area=True)
    return Chart("drawdown", "Drawdown from peak", "percent", (line,), zero_based=True)


def prices(service: TreasuryService, _time_range: str) -> Chart:
    """BTC and ETH, on a logarithmic scale: equal ratios look equal."""
    found = service.market_history(POINTS_MAX).prices
    lines = tuple(
        Line(symbol, index + 1, thin(points))
        for index, (symbol, points) in enumerate(sorted(found.items()))
    )
    return Chart("prices", "Prices", "usd", lines, is_logarithmic=True)


def mvrv(service: TreasuryService, _time_range: str) -> Chart:
    """BTC's MVRV Z-score with the thresholds of the mandate."""
    found = service.market_history(POINTS_MAX)
    line = Line("MVRV Z", 1, thin(found.mvrv))
    return Chart("mvrv", "MVRV Z-score", "ratio", (line,), thresholds=found.mvrv_thresholds)


def funding(service: TreasuryService, _time_range: str) -> Chart:
    """Perpetual funding, per 8 hours."""
    found = service.market_history(POINTS_MAX).funding
    lines = tuple(
        Line(symbol, index + 1, thin(points))
        for index, (symbol, points) in enumerate(sorted(found.items()))
    )
    return Chart("funding", "Funding per 8 h", "per_8h", lines, zero_based=True)


def fear_greed(service: TreasuryService, _time_range: str) -> Chart:
    """The Fear & Greed index, 0 to 100."""
    line = Line("Fear & Greed", 4, thin(service.market_history(POINTS_MAX).fear_greed))
    return Chart("fear_greed", "Fear & Greed", "index", (line,), zero_based=True)


CHARTS: Final[dict[str, Callable[[TreasuryService, str], Chart]]] = {
    "nav": nav,
    "drawdown": drawdown,
    "prices": prices,
    "mvrv": mvrv,
    "funding": funding,
    "fear_greed": fear_greed,
}


def thin(points: Sequence[Point], points_max: int = POINTS_MAX) -> tuple[Point, ...]:
    """Keep at most `points_max` points; of each stretch its lowest and highest, and both ends."""
    if len(points) <= points_max:
        return tuple(points)
    size = -(-2 * (len(points) - 2) // (points_max - 2))
    kept = [points[0]]
    for start in range(1, len(points) - 1, size):
        stretch = points[start : min(start + size, len(points) - 1)]
        kept += sorted({min(stretch, key=_value), max(stretch, key=_value)})
    return (*kept, points[-1])


def as_data(found: Chart) -> dict[str, Any]:
    """Return the chart as the browser draws it."""
    return {
        "name": found.name,
        "unit": found.unit,
        "logarithmic": found.is_logarithmic,
        "thresholds": list(found.thresholds),
        "lines": [
            {
                "label": line.label,
                "colour": line.colour,
                "area": line.is_area,
                "dashed": line.is_dashed,
                "points": [[point.at_s, point.value] for point in line.points],
            }
            for line in found.lines
        ],
    }


def digest(found: Chart) -> str:
    """Return a short digest of the data; the same data, the same digest."""
    return hashlib.sha256(json.dumps(as_data(found)).encode()).hexdigest()[:16]


def _value(point: Point) -> float:
    return point.value
