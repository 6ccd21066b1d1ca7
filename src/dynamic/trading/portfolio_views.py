"""Views of what is held and what was traded, from the last mark and the journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dynamic.adapters.storage.reader import ReadStore
from dynamic.errors import DataUnfit
from dynamic.ledger.lots import LotBook
from dynamic.performance.metrics import win_rate
from dynamic.performance.targets import blended_apy
from dynamic.policy.proposal import Position
from dynamic.policy.risk import RiskAnalyzer
from dynamic.signals.signal import AllocationSignal
from dynamic.trading.book_views import bucket_views, returns, whole
from dynamic.trading.engine import Engine
from dynamic.trading.market_views import parsed
from dynamic.trading.marks import marks, nav_points
from dynamic.trading.views import PortfolioView, PositionView, TradeView
from dynamic.units import DAY_S
from dynamic.workflows.instruments import WALLET
from dynamic.workflows.memory import Memory

RECENT_S = 30 * DAY_S
TRADES_SHOWN = 100
APY_KEYS = {
    "aave_v3": "apy:aave_v3:USDC",
    "curve": "apy:curve:LP-USDC-USDT",
    "pendle_v2": "apy:pendle_v2:PT-USDC",
}


@dataclass(frozen=True, slots=True)
class Trades:
    """What was traded in a range."""

    newest: tuple[TradeView, ...]
    turnover_usd_micro: int
    win_rate: float | None


def portfolio_view(reader: ReadStore, signal: AllocationSignal, engine: Engine) -> PortfolioView:
    """Return the holdings at the last mark; raises DataUnfit before the first one."""
    nav = reader.latest_nav()
    if nav is None:
        raise DataUnfit("expected a mark of the treasury, found none: no cycle has run yet")
    payload = parsed(nav["payload"])
    buckets: Mapping[str, int] = payload["buckets"]
    recent = returns(nav_points(marks(reader, nav["at_s"] - RECENT_S)))
    rebalanced, closes, units, moved, lots, target = engine.inspect(_remembered)
    logs = _logs(reader, nav["at_s"] - 30 * DAY_S)
    positions = _positions(payload["positions"], units, moved, lots, _apys(reader))
    return PortfolioView(
        at_s=nav["at_s"],
        total_usd_micro=nav["nav_usd_micro"],
        cash_usd_micro=buckets["cash"],
        volatile_usd_micro=nav["volatile_usd_micro"],
        buckets=bucket_views(buckets, sized_targets(signal, target, nav["nav_usd_micro"])),
        positions=positions,
        return_24h=recent.get("24h"),
        return_7d=recent.get("7d"),
        return_30d=recent.get("30d"),
        last_rebalance_at_s=rebalanced,
        phase=signal.phase.value,
        drawdown_bps=nav["drawdown_bps"],
        high_water_usd_micro=nav["high_water_usd_micro"],
        var_95_1d_usd_micro=_var(closes, buckets, engine),
        gas_24h_usd_micro=_gas(logs, nav["at_s"] - DAY_S),
        gas_30d_usd_micro=_gas(logs, nav["at_s"] - 30 * DAY_S),
        base_apy=_base_apy(positions),
    )


def _base_apy(positions: tuple[PositionView, ...]) -> float | None:
    """Return the yield of what is lent, by value; None where a part of it is not known."""
    base = [p for p in positions if p.protocol != WALLET]
    return blended_apy(
        {f"{p.protocol}:{p.asset}": p.value_usd_micro for p in base},
        {f"{p.protocol}:{p.asset}": p.apy for p in base if p.apy is not None},
    )


def _remembered(
    memory: Memory,
) -> tuple[
    int | None, list[tuple[int, int, int]], dict[Position, int], set[Position], LotBook, int | None
]:
    """Return what the last mark counted, and what has moved since."""
    now = memory.position_units()
    marked = {} if memory.opening is None else memory.opening.units
    units = {Position(*place): count for place, count in marked.items()}
    return (
        memory.diary.last_rebalance_at_s,
        list(memory.diary.closes),
        units,
        {place for place in units.keys() | now.keys() if units.get(place) != now.get(place)},
        LotBook.from_payload(memory.lots.to_payload()),
        memory.sizing.target_usd_micro,
    )


def sized_targets(
    signal: AllocationSignal, target_usd_micro: int | None, nav_usd_micro: int
) -> dict[str, int]:
    """Return the targets after sizing: what the cushion leaves of the ladder, the rest in base."""
    wanted = dict(signal.target_bps)
    spot = wanted["btc"] + wanted["eth"]
    if target_usd_micro is None or nav_usd_micro <= 0 or not spot:
        return wanted
    sized = min(target_usd_micro * 10_000 // nav_usd_micro, spot)
    btc = wanted["btc"] * sized // spot
    return wanted | {
        "btc": btc,
        "eth": sized - btc,
        "base_yield": wanted["base_yield"] + spot - sized,
    }


def _apys(reader: ReadStore) -> dict[str, float]:
    row = reader.latest_snapshot()
    if row is None:
        return {}
    readings = parsed(row["payload"])["readings"]
    return {place: float(readings[key][0]) for place, key in APY_KEYS.items() if key in readings}


def _positions(
    values: Mapping[str, int],
    units: Mapping[Position, int],
    moved: set[Position],
    lots: LotBook,
    apys: Mapping[str, float],
) -> tuple[PositionView, ...]:
    """Return the positions as they were marked; what has moved since has no return yet."""
    views = []
    for position, held in units.items():
        value = values.get(str(position))
        if value is None or not held:
            continue
        open_lots = lots.lots(position.asset)
        cost = 0 if position in moved else lots.cost_usd_micro(position.asset)
        views.append(
            PositionView(
                protocol=position.location,
                asset=position.asset,
                amount=whole(held, position.asset),
                base_units=held,
                value_usd_micro=value,
                apy=apys.get(position.location),
                entered_at_s=open_lots[0].acquired_at_s if open_lots else None,
                current_return=value / cost - 1.0 if cost else None,
            )
        )
    return tuple(sorted(views, key=lambda view: (-view.value_usd_micro, view.asset)))


def _var(
    closes: list[tuple[int, int, int]], buckets: Mapping[str, int], engine: Engine
) -> int | None:
    """Return the 95 % one-day VaR of BTC and ETH; None while the history is too short."""
    daily = [
        (after[1] / before[1] - 1.0, after[2] / before[2] - 1.0)
        for before, after in pairwise(closes)
        if after[0] - before[0] == 1
    ]
    if not daily:
        return None
    analyzer = RiskAnalyzer(engine.treasury.mandate)
    found = analyzer.calculate_var(daily, (buckets["btc"], buckets["eth"]))
    if found is None:
        return None
    return next(
        v.historical_usd_micro for v in found if v.confidence_bps == 9_500 and v.horizon_days == 1
    )


def _logs(reader: ReadStore, since_s: int) -> list[Mapping[str, Any]]:
    """Return tx_logs since an instant, newest first, page by page."""
    found: list[Mapping[str, Any]] = []
    while True:
        page = reader.tx_logs(500, len(found))
        for row in page:
            if row["created_at"] < since_s:
                return found
            found.append(row)
        if len(page) < 500:
            return found


def _gas(logs: list[Mapping[str, Any]], since_s: int) -> int:
    return sum(
        int(parsed(row["meta"])["gas_usd_micro"])
        for row in logs
        if row["created_at"] >= since_s and row["status"] != "proposed"
    )


def trade_views(reader: ReadStore, since_s: int) -> Trades:
    """Return the settled legs since an instant; wins are counted over closed BTC and ETH lots."""
    newest: list[TradeView] = []
    gains: list[int] = []
    turnover = 0
    for row in _logs(reader, since_s):
        meta = parsed(row["meta"])
        if row["status"] != "settled":
            continue
        if row["kind"] == "swap":
            turnover += int(meta["notional_usd_micro"])
            if row["asset"] in ("WBTC", "WETH"):
                gains.append(int(meta["realised_usd_micro"]))
        if len(newest) < TRADES_SHOWN:
            received = meta["receive"][1]
            newest.append(
                TradeView(
                    at_s=row["created_at"],
                    kind=row["kind"],
                    venue=meta["venue"],
                    spent=f"{whole(int(row['amount']), row['asset'])} {row['asset']}",
                    received=f"{whole(int(meta['received_units']), received)} {received}",
                    notional_usd_micro=int(meta["notional_usd_micro"]),
                    gas_usd_micro=int(meta["gas_usd_micro"]),
                    decision_id="d" + row["ref_id"][1:].partition(":")[0],
                )
            )
    return Trades(tuple(newest), turnover, win_rate(gains).fraction)
