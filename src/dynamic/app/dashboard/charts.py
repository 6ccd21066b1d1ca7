"""The six charts of the overview, from views to lines; drawn by `svg` or by the browser.

The browser gets the same chart as data, with a digest that says whether it changed.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from dynamic.app.dashboard.glance import POINTS_MAX, Glance
from dynamic.app.dashboard.svg import Chart, Line
from dynamic.trading.views import Point

RANGES: Final = ("7d", "30d", "90d", "1y", "all")


def nav(glance: Glance) -> Chart:
    """Net asset value beside the three benchmarks on the same capital and days."""
    found = glance.performance
    lines = [Line("Treasury", 1, thin(found.equity), is_area=True)] if found else []
    for index, benchmark in enumerate(found.benchmarks if found else ()):
        lines.append(Line(benchmark.label, index + 2, thin(benchmark.series), is_dashed=True))
    return Chart("nav", "Net asset value", "usd", tuple(lines))


def drawdown(glance: Glance) -> Chart:
    """How far below its peak the treasury stood."""
    points = thin(glance.performance.drawdown) if glance.performance else ()
    line = Line("Drawdown", 5, points, is_area=True)
    return Chart("drawdown", "Drawdown from peak", "percent", (line,), zero_based=True)


def prices(glance: Glance) -> Chart:
    """BTC and ETH, on a logarithmic scale: equal ratios look equal."""
    lines = _by_symbol(glance.history.prices if glance.history else {})
    return Chart("prices", "Prices", "usd", lines, is_logarithmic=True)


def mvrv(glance: Glance) -> Chart:
    """BTC's MVRV Z-score with the thresholds of the mandate."""
    found = glance.history
    line = Line("MVRV Z", 1, thin(found.mvrv) if found else ())
    thresholds = found.mvrv_thresholds if found else ()
    return Chart("mvrv", "MVRV Z-score", "ratio", (line,), thresholds=thresholds)


def funding(glance: Glance) -> Chart:
    """Perpetual funding, per 8 hours."""
    lines = _by_symbol(glance.history.funding if glance.history else {})
    return Chart("funding", "Funding per 8 h", "per_8h", lines, zero_based=True)


def fear_greed(glance: Glance) -> Chart:
    """The Fear & Greed index, 0 to 100."""
    line = Line("Fear & Greed", 4, thin(glance.history.fear_greed) if glance.history else ())
    return Chart("fear_greed", "Fear & Greed", "index", (line,), zero_based=True)


def _by_symbol(lines: Mapping[str, Sequence[Point]]) -> tuple[Line, ...]:
    return tuple(
        Line(symbol, index + 1, thin(points))
        for index, (symbol, points) in enumerate(sorted(lines.items()))
    )


CHARTS: Final[dict[str, Callable[[Glance], Chart]]] = {
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
