"""Views of the market and of performance: lines for charts, and the numbers beside them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dynamic.market.observation import Provenance
from dynamic.performance.metrics import (
    NavPoint,
    apy,
    daily_returns,
    max_drawdown,
    sharpe,
    total_return,
)
from dynamic.performance.targets import Plans, targets
from dynamic.policy.mandate import Mandate
from dynamic.signals.signal import AllocationSignal, Mode, Phase, RiskLevel, Trigger
from dynamic.trading.views import (
    BenchmarkView,
    MarketHistory,
    MarketView,
    Point,
    ReadingView,
    TargetView,
)
from dynamic.units import USD_MICRO

LABELS = {
    "static_yield": "Static 6.5 % yield",
    "btc_hold": "BTC buy and hold",
    "static_60_40": "60 % yield / 40 % BTC+ETH",
}


def readings(payload: Mapping[str, Any], now_s: int) -> tuple[ReadingView, ...]:
    """Return every reading of a stored snapshot, with its age now."""
    found = []
    for key, (value, unit, source, as_of_s, fetched_at_s, provenance) in sorted(
        payload["readings"].items()
    ):
        found.append(
            ReadingView(
                key, float(value), unit, source, as_of_s, fetched_at_s, Provenance(provenance),
                max(now_s - as_of_s, 0),
            )
        )  # fmt: skip
    return tuple(found)


def market_view(row: Mapping[str, Any], phase: str, now_s: int) -> MarketView:
    """Return the market as the last decision saw it; stale values are in `readings` only."""
    payload = parsed(row["payload"])
    seen = readings(payload, now_s)
    fresh = {r.key: r for r in seen if r.provenance is not Provenance.STALE}

    def price(symbol: str) -> int | None:
        found = fresh.get(f"price:{symbol}")
        return None if found is None else int(found.value)

    mvrv, mood = fresh.get("mvrv_z:BTC"), fresh.get("fear_greed")
    return MarketView(
        snapshot_id=row["snapshot_id"],
        at_s=row["at_s"],
        btc_price_usd_micro=price("BTC"),
        eth_price_usd_micro=price("ETH"),
        mvrv_z=None if mvrv is None else mvrv.value,
        funding_rates_8h={
            k.partition(":")[2]: r.value for k, r in fresh.items() if k.startswith("funding:")
        },
        fear_greed=None if mood is None else int(mood.value),
        phase=phase,
        readings=seen,
        missing=tuple(payload["missing"]),
        is_synthetic=bool(row["is_synthetic"]),
    )


def market_history(rows: Sequence[Mapping[str, Any]], mandate: Mandate) -> MarketHistory:
    """Return the lines of the market charts from stored snapshots, oldest first."""
    prices: dict[str, list[Point]] = {"BTC": [], "ETH": []}
    funding: dict[str, list[Point]] = {"BTC": [], "ETH": []}
    mvrv: list[Point] = []
    mood: list[Point] = []
    for row in rows:
        at_s = row["at_s"]
        for key, (value, _, _, _, _, provenance) in parsed(row["payload"])["readings"].items():
            if provenance == Provenance.STALE:
                continue
            metric, _, subject = key.partition(":")
            if metric == "price" and subject in prices:
                prices[subject].append(Point(at_s, int(value) / USD_MICRO))
            elif metric == "funding" and subject in funding:
                funding[subject].append(Point(at_s, float(value)))
            elif key == "mvrv_z:BTC":
                mvrv.append(Point(at_s, float(value)))
            elif key == "fear_greed":
                mood.append(Point(at_s, float(value)))
    ladder = mandate.ladder
    return MarketHistory(
        prices={name: tuple(line) for name, line in prices.items()},
        mvrv=tuple(mvrv),
        funding={name: tuple(line) for name, line in funding.items()},
        fear_greed=tuple(mood),
        mvrv_thresholds=tuple(
            float(level)
            for level in (
                ladder.mvrv_accumulation, ladder.mvrv_euphoria_max, ladder.mvrv_top,
                ladder.mvrv_sell_2, ladder.mvrv_sell_3, ladder.mvrv_exit,
            )
        ),
    )  # fmt: skip


def signal_of(at_s: int, raw: Mapping[str, Any]) -> AllocationSignal:
    """Read a signal back from the decision that was made on it."""
    return AllocationSignal(
        at_s=at_s,
        phase=Phase(raw["phase"]),
        mode=Mode(raw["mode"]),
        target_bps=raw["target_bps"],
        ladder_bps=raw["ladder_bps"],
        confidence=raw["confidence"],
        reasoning=raw["reasoning"],
        trigger=Trigger(raw["trigger"]),
        recommended_actions=tuple(raw["recommended_actions"]),
        risk_level=RiskLevel(raw["risk_level"]),
        allows_increase=raw["allows_increase"],
    )


def drawdown_line(points: Sequence[NavPoint]) -> tuple[Point, ...]:
    """Return the fall from the highest point so far, never above zero, flows left out."""
    line: list[Point] = []
    index = peak = 1.0
    before: NavPoint | None = None
    for point in points:
        if before is not None and before.nav_usd_micro > 0:
            index *= (point.nav_usd_micro - point.flow_usd_micro) / before.nav_usd_micro
        peak = max(peak, index)
        line.append(Point(point.at_s, index / peak - 1.0))
        before = point
    return tuple(line)


def benchmark_views(
    lines: Mapping[str, Sequence[tuple[int, int]]], flows: Mapping[int, int]
) -> tuple[BenchmarkView, ...]:
    """Return the three benchmarks on the same days; `lines` are (instant, usd_micro)."""
    views = []
    for name, label in LABELS.items():
        points = [NavPoint(at_s, value, flows.get(at_s, 0)) for at_s, value in lines.get(name, ())]
        gained, fall = total_return(points), max_drawdown(points)
        views.append(
            BenchmarkView(
                name=name,
                label=label,
                total_return=None if gained is None else gained.fraction,
                max_drawdown=None if fall is None else -fall.fraction,
                sharpe=sharpe(daily_returns(points)),
                series=tuple(Point(p.at_s, p.nav_usd_micro / USD_MICRO) for p in points),
            )
        )
    return tuple(views)


def target_views(mandate: Mandate, base_apy_bps: int = 650) -> tuple[TargetView, ...]:
    """Return the published targets beside their corrected arithmetic (PF-19, C-19)."""
    treasury = mandate.treasury
    plans = Plans(treasury.capital_usd_micro, treasury.base_yield_bps, base_apy_bps, months=6)
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


def nav_points(rows: Iterable[Mapping[str, Any]]) -> list[NavPoint]:
    """Return marks as points, with the owner's flows."""
    return [
        NavPoint(r["at_s"], r["nav_usd_micro"], parsed(r["payload"])["attribution"]["flows"])
        for r in rows
    ]


def yearly(points: Sequence[NavPoint]) -> tuple[float | None, bool]:
    """Return the yearly rate and whether the range is too short to speak of a year."""
    found = apy(points)
    return (None, True) if found is None else (found.fraction, not found.is_annualised)


def parsed(payload: object) -> dict[str, Any]:
    """Return a stored payload as an object."""
    found = json.loads(payload) if isinstance(payload, str) else payload
    assert isinstance(found, dict)
    return found
