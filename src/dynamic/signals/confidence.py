"""Confidence: how much of what a signal rests on was really there, fresh and undisputed.

    confidence = sum(weight x quality) / 100     over the inputs below, in [0, 1]

    input         weight      provenance              quality
    mvrv_z:BTC    50          observed, derived        100 %   (synthetic too: its own world)
    price:BTC     15          fallback                  60 %
    price:ETH     10          stale                     25 %
    fear_greed    10          missing                    0 %
    funding:BTC   10          disputed by a second      x 1/2
    gas:ethereum   5            source

Every step down the table strictly lowers the result, and nothing at all is exactly 0. The
weights are an estimate of how much the ladder leans on each input, not a limit; what a low
confidence forbids is the mandate's business. A second source stands under `crosscheck:<key>`;
Fear & Greed is disputed beyond 20 points (MI-06), a price beyond 1 %.
"""

from typing import Final

from dynamic.market.observation import Observation, Provenance
from dynamic.market.snapshot import MarketSnapshot

WEIGHTS: Final[dict[str, int]] = {
    "mvrv_z:BTC": 50,
    "price:BTC": 15,
    "price:ETH": 10,
    "fear_greed": 10,
    "funding:BTC": 10,
    "gas:ethereum": 5,
}

QUALITY: Final[dict[Provenance, int]] = {
    Provenance.OBSERVED: 100,
    Provenance.DERIVED: 100,
    Provenance.SYNTHETIC: 100,
    Provenance.FALLBACK: 60,
    Provenance.STALE: 25,
}

_FULL: Final = sum(WEIGHTS.values()) * 100
_FEAR_GREED_POINTS: Final = 20


def confidence(snapshot: MarketSnapshot) -> tuple[float, tuple[str, ...]]:
    """Return the confidence in [0, 1] and what lowers it, in words."""
    points = 0
    doubts: list[str] = []
    for key, weight in WEIGHTS.items():
        found = snapshot.readings.get(key)
        if found is None:
            doubts.append(f"{key} missing")
            continue
        quality = QUALITY[found.provenance]
        if quality < 100:
            doubts.append(f"{key} {found.provenance}")
        second = snapshot.readings.get(f"crosscheck:{key}")
        if second is not None and _disagree(found, second):
            quality //= 2
            doubts.append(f"{key} disputed by {second.source}")
        points += weight * quality
    return points / _FULL, tuple(doubts)


def _disagree(first: Observation, second: Observation) -> bool:
    """Say whether two sources are too far apart to be both right."""
    apart = abs(first.value - second.value)
    if first.key == "fear_greed":
        return apart > _FEAR_GREED_POINTS
    return apart * 100 > max(abs(first.value), abs(second.value))
