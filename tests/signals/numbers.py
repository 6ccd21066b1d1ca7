"""The mandate's default numbers as the signal room sees them, and snapshots to feed it."""

from __future__ import annotations

from dataclasses import dataclass

from dynamic.market.observation import Observation, Provenance
from dynamic.market.snapshot import MarketSnapshot, assemble
from dynamic.signals.estimate import SignalParameters
from dynamic.units import DAY_S


@dataclass(frozen=True)
class LadderNumbers:
    accumulation_below_milli: int = 0
    gap_above_milli: int = 3_000
    sell_above_milli: tuple[int, ...] = (3_500, 5_000, 7_000, 9_000)
    sell_share_bps: tuple[int, ...] = (4_500, 3_000, 1_980, 0)
    accumulation_share_bps: int = 10_000
    euphoria_share_bps: int = 6_000
    hysteresis_milli: int = 100
    confirmation_milli: int = 50
    bear_lookback_d: int = 540
    bear_return_window_d: int = 90


@dataclass(frozen=True)
class LayerNumbers:
    base_yield_bps: int = 6_000
    tactical_bps: int = 4_000
    cash_bps: int = 0
    btc_share_bps: int = 5_000


@dataclass(frozen=True)
class AlarmNumbers:
    funding_extreme_ppm: int = 2_000


@dataclass(frozen=True)
class RebalanceNumbers:
    drift_bps: int = 500
    review_interval_s: int = 7 * DAY_S
    cooldown_s: int = DAY_S
    low_gas_wei: int = 15 * 10**9


LADDER = LadderNumbers()
LAYERS = LayerNumbers()
PARAMETERS = SignalParameters(LADDER, LAYERS, AlarmNumbers())
REBALANCE = RebalanceNumbers()

INPUTS: dict[str, tuple[int | float, str]] = {
    "price:BTC": (50_000_000_000, "usd_micro"),
    "price:ETH": (3_000_000_000, "usd_micro"),
    "fear_greed": (50, "index"),
    "funding:BTC": (0.0001, "per_8h"),
    "gas:ethereum": (20 * 10**9, "wei"),
}


def snapshot(
    day: int,
    mvrv_z: float | None,
    changes: dict[str, Observation | None] | None = None,
    hour: int = 0,
) -> MarketSnapshot:
    """A market `hour` hours into a day, whose daily values are of the day's 00:00."""
    at_s = day * DAY_S
    found = {
        key: Observation(key, value, unit, "test", at_s, at_s)
        for key, (value, unit) in INPUTS.items()
    }
    if mvrv_z is not None:
        found["mvrv_z:BTC"] = Observation(
            "mvrv_z:BTC", mvrv_z, "ratio", "test", at_s, at_s, Provenance.DERIVED
        )
    for key, observation in (changes or {}).items():
        found.pop(key, None)
        if observation is not None:
            found[key] = observation
    ages = {"*": DAY_S}
    return assemble(at_s + hour * 3_600, found.values(), ages, {"*": 30 * DAY_S}, ())
