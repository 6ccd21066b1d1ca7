"""Lines and rings as SVG, drawn here, so that a page reads without any script.

    chart : Chart x width x height  ->  <svg>…</svg>
    ring  : shares                  ->  <svg>…</svg>

Colours are classes (`s1` to `s5`), so a theme changes them without drawing again. Every
number is formatted by us and every text escaped: nothing of the data becomes markup.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

from dynamic.trading.views import Point

GAP: Final = 6.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `colour` is 1 to 5, `is_area` fills below it, `is_dashed` marks a comparison."""

    label: str
    colour: int
    points: Sequence[Point]
    is_area: bool = False
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines on one scale. `unit` is usd, percent, per_8h, ratio or index."""

    name: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    thresholds: tuple[float, ...] = ()
    zero_based: bool = False
    is_logarithmic: bool = False

    @property
    def points_count(self) -> int:
        """Points of the longest line."""
        return max((len(line.points) for line in self.lines), default=0)


def tick(value: float, unit: str) -> str:
    """Write a value on an axis."""
    match unit:
        case "usd":
            if abs(value) >= 1e6:
                return f"${value / 1e6:,.2f}M"
            return f"${value / 1e3:,.1f}k" if abs(value) >= 1e4 else f"${value:,.0f}"
        case "percent":
            return f"{value * 100 + 0.0:,.1f} %".replace("-", "−")
        case "per_8h":
            return f"{value * 100:,.3f} %".replace("-", "−")
        case "ratio":
            return f"{value:g}".replace("-", "−")
        case _:
            return f"{value:,.0f}".replace("-", "−")


def chart(found: Chart, width: int = 720, height: int = 260) -> str:
    """Draw a chart, or say that there is nothing to draw yet."""
    if found.points_count < 2:
        return '<p class="empty">Not enough observations yet.</p>'
    scale = _Scale(found, width, height)
    label = escape(f"{found.title}: {_summary(found)}", quote=True)
    frame = f'viewBox="0 0 {width} {height}" preserveAspectRatio="none" focusable="false"'
    parts = [f'<svg class="plot" {frame} role="img" aria-label="{label}">']
    parts += [_grid(scale, value, found.unit) for value in scale.ticks]
    parts += [_threshold(scale, value, found.unit) for value in found.thresholds]
    parts += [_area(scale, line) for line in found.lines if line.is_area]
    parts += [_path(scale, line) for line in reversed(found.lines)]
    parts.append("</svg>")
    parts.append(_labels(scale, found))
    return "".join(parts)


def ring(shares: Sequence[tuple[str, float]]) -> str:
    """Draw shares of one as a ring; colours follow the order."""
    total = sum(share for _, share in shares if share > 0)
    if total <= 0:
        return ""
    round_ = 2 * math.pi * 42
    at, parts = 0.0, []
    for index, (name, share) in enumerate(shares):
        part = max(0.0, share) / total * round_
        drawn = max(0.0, part - 1.6)
        parts.append(
            f'<circle class="arc s{index % 5 + 1}" cx="50" cy="50" r="42" '
            f'stroke-dasharray="{drawn:.2f} {round_ - drawn:.2f}" stroke-dashoffset="{-at:.2f}">'
            f"<title>{escape(name)} {share * 100:.2f} %</title></circle>"
        )
        at += part
    return (
        '<svg class="ring" viewBox="0 0 100 100" aria-hidden="true" focusable="false">'
        f'<g transform="rotate(-90 50 50)">{"".join(parts)}</g></svg>'
    )


class _Scale:
    """Where an instant and a value fall on the canvas."""

    def __init__(self, found: Chart, width: int, height: int) -> None:
        times = [point.at_s for line in found.lines for point in line.points]
        values = [point.value for line in found.lines for point in line.points]
        values += found.thresholds
        if found.zero_based:
            values.append(0.0)
        self.width, self.height = float(width), float(height)
        self.start_s, self.end_s = min(times), max(times)
        self.is_log = found.is_logarithmic and min(values) > 0
        low, high = (self._at(min(values)), self._at(max(values)))
        room = (high - low) * 0.06 or abs(high) * 0.06 or 1.0
        self.low, self.high = low - room, high + room
        self.ticks = self._ticks()

    def _at(self, value: float) -> float:
        return math.log10(value) if self.is_log else value

    def x(self, at_s: int) -> float:
        span = max(1, self.end_s - self.start_s)
        return (at_s - self.start_s) / span * self.width

    def y(self, value: float) -> float:
        share = (self._at(value) - self.low) / (self.high - self.low)
        return GAP + (1 - share) * (self.height - 2 * GAP)

    def _ticks(self) -> list[float]:
        if self.is_log:
            found = [
                base * 10.0**power
                for power in range(math.floor(self.low), math.ceil(self.high) + 1)
                for base in (1, 2, 5)
            ]
            return [value for value in found if self.low <= self._at(value) <= self.high]
        rough = (self.high - self.low) / 6
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
        first = math.ceil(self.low / step)
        return [index * step for index in range(first, math.floor(self.high / step) + 1)]


def _grid(scale: _Scale, value: float, _unit: str) -> str:
    y = scale.y(value)
    return f'<line class="grid" x1="0" x2="{scale.width:g}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _threshold(scale: _Scale, value: float, _unit: str) -> str:
    y = scale.y(value)
    return (
        f'<line class="threshold" data-value="{value:g}" x1="0" x2="{scale.width:g}" '
        f'y1="{y:.1f}" y2="{y:.1f}"/>'
    )


def _path(scale: _Scale, line: Line) -> str:
    drawn = " ".join(f"{scale.x(p.at_s):.1f},{scale.y(p.value):.1f}" for p in line.points)
    dashed = " dashed" if line.is_dashed else ""
    return f'<polyline class="line s{line.colour}{dashed}" points="{drawn}"/>'


def _area(scale: _Scale, line: Line) -> str:
    drawn = " ".join(f"{scale.x(p.at_s):.1f},{scale.y(p.value):.1f}" for p in line.points)
    top = max(p.value for p in line.points) <= 0
    base = GAP if top else scale.height
    first, last = scale.x(line.points[0].at_s), scale.x(line.points[-1].at_s)
    return (
        f'<polygon class="area s{line.colour}" '
        f'points="{first:.1f},{base:g} {drawn} {last:.1f},{base:g}"/>'
    )


def _labels(scale: _Scale, found: Chart) -> str:
    """Texts stand in an overlay of their own, which doesn't stretch with the lines."""
    values = found.thresholds or scale.ticks
    kind = ' class="threshold"' if found.thresholds else ""
    rows = "".join(
        f'<text{kind} x="100%" y="{scale.y(value) / scale.height * 100:.1f}%" dx="-4" '
        f'dy="{_lift(scale, value)}" text-anchor="end">{tick(value, found.unit)}</text>'
        for value in values
    )
    dates = "".join(
        f'<text class="date" x="{share * 100:g}%" y="100%" dx="{dx}" dy="-4" '
        f'text-anchor="{anchor}">{_day(scale, share)}</text>'
        for share, anchor, dx in ((0.0, "start", 4), (0.5, "middle", 0))
    )
    return f'<svg class="labels" aria-hidden="true" focusable="false">{rows}{dates}</svg>'


def _lift(scale: _Scale, value: float) -> int:
    """Put a label above its line, or below it where the canvas ends."""
    return 11 if scale.y(value) < scale.height * 0.1 else -3


def _day(scale: _Scale, share: float) -> str:
    at_s = scale.start_s + share * (scale.end_s - scale.start_s)
    return datetime.fromtimestamp(at_s, UTC).strftime("%d %b %Y")


def _summary(found: Chart) -> str:
    return ", ".join(
        f"{line.label} {tick(line.points[-1].value, found.unit)}"
        for line in found.lines
        if line.points
    )
