"""Reasoning: the signal in words, with every number it rests on (SG-19)."""

from dynamic.market.snapshot import MarketSnapshot
from dynamic.signals.signal import Phase
from dynamic.signals.state import SignalState
from dynamic.units import format_usd


def reasoning(
    snapshot: MarketSnapshot,
    phase: Phase,
    mvrv_z: float | None,
    ladder_bps: int,
    weights: dict[str, int],
    state: SignalState,
    btc_return: float | None,
    trust: float,
    doubts: tuple[str, ...],
) -> str:
    """Write one paragraph: the indicators, the phase, the target and what is in doubt."""
    parts = [_mvrv(mvrv_z), f"phase {phase.value}"]
    if state.cycle.ratchet_bps is not None:
        parts.append(f"sold down to {state.cycle.ratchet_bps / 100:.2f} % in this cycle")
    parts.append(
        f"target {ladder_bps / 100:.2f} % of the tactical layer:"
        f" BTC {weights['btc'] / 100:.2f} %, ETH {weights['eth'] / 100:.2f} % of NAV"
    )
    readings = snapshot.readings
    for symbol in ("BTC", "ETH"):
        price = readings.get(f"price:{symbol}")
        if price is not None:
            parts.append(f"{symbol} {format_usd(int(price.value))}")
    if btc_return is not None:
        parts.append(f"BTC return over the bear window {btc_return * 100:+.2f} %")
    if (mood := readings.get("fear_greed")) is not None:
        parts.append(f"Fear & Greed {mood.value:g}")
    if (funding := readings.get("funding:BTC")) is not None:
        parts.append(f"BTC funding {funding.value * 100:.4f} % per 8 h")
    parts.append(f"confidence {trust:.2f}" + (f" ({', '.join(doubts)})" if doubts else ""))
    return "; ".join(parts)


def _mvrv(mvrv_z: float | None) -> str:
    return "MVRV Z missing or stale" if mvrv_z is None else f"MVRV Z {mvrv_z:.4f}"


def actions(phase: Phase, ladder_bps: int, may_buy: bool, has_sold: bool) -> tuple[str, ...]:
    """Return what a treasurer would do next, most important first."""
    share = f"{ladder_bps / 100:.2f} % of the tactical layer"
    if phase is Phase.UNKNOWN:
        return ("hold what is held; buy nothing until MVRV is known",)
    if may_buy:
        return (f"hold {share} in BTC and ETH; buy up to it",)
    if has_sold:
        return (
            f"sell BTC and ETH above {share}",
            "buy nothing back before MVRV falls below 0 or people approve a new cycle",
        )
    return (f"sell BTC and ETH above {share}", "buy nothing")
