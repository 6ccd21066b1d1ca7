"""Views of the market: the last snapshot with its sources, and lines for the charts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dynamic.market.observation import Observation, Provenance
from dynamic.market.snapshot import MarketSnapshot
from dynamic.policy.mandate import Mandate
from dynamic.signals.signal import AllocationSignal, Mode, Phase, RiskLevel, Trigger
from dynamic.trading.views import MarketHistory, MarketView, Point, ReadingView
from dynamic.units import USD_MICRO


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


def snapshot_of(row: Mapping[str, Any]) -> MarketSnapshot:
    """Return a stored snapshot as it was decided on."""
    payload = parsed(row["payload"])
    found = {
        key: Observation(
            key, value if isinstance(value, float) else int(value), unit, source, as_of_s,
            fetched_at_s, Provenance(provenance),
        )
        for key, (value, unit, source, as_of_s, fetched_at_s, provenance) in payload[
            "readings"
        ].items()
    }  # fmt: skip
    return MarketSnapshot(row["snapshot_id"], row["at_s"], found, tuple(payload["missing"]))


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


def parsed(payload: object) -> dict[str, Any]:
    """Return a stored payload as an object."""
    found = json.loads(payload) if isinstance(payload, str) else payload
    assert isinstance(found, dict)
    return found
