"""One snapshot serves every step of one decision cycle.

    assemble : observations x age limits x now  ->  MarketSnapshot

A key that is absent from `readings` is missing, and stays missing. The id is a digest of the
content, so the same market at the same instant has the same name in every run.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dynamic.market.observation import Observation, Provenance
from dynamic.market.quality import classify


@dataclass(frozen=True, slots=True)
class MarketSnapshot:
    """What the market looked like at `at_s`, as far as we may know it."""

    snapshot_id: str
    at_s: int
    readings: Mapping[str, Observation]
    missing: tuple[str, ...] = field(default=())

    def reading(self, key: str) -> Observation | None:
        """Return the reading under `key`, or None where it is missing."""
        return self.readings.get(key)

    def fresh(self, key: str) -> Observation | None:
        """Return the reading unless it is missing or stale."""
        found = self.readings.get(key)
        return None if found is None or found.provenance is Provenance.STALE else found

    def price_usd_micro(self, symbol: str) -> int | None:
        """Return the fresh price of one whole token in usd_micro, or None."""
        found = self.fresh(f"price:{symbol}")
        return None if found is None else int(found.value)

    @property
    def is_synthetic(self) -> bool:
        """True where any reading comes from a generator."""
        return any(r.provenance is Provenance.SYNTHETIC for r in self.readings.values())


def assemble(
    now_s: int,
    observations: Iterable[Observation],
    age_s_max: Mapping[str, int],
    hard_age_s_max: Mapping[str, int],
    required: Iterable[str],
) -> MarketSnapshot:
    """Judge every observation's age and freeze the result under its digest.

    Of two observations of one key the one that speaks of the later instant counts, then the
    later in the sequence. Raises InvariantBroken on look-ahead (`quality.classify`).
    """
    latest: dict[str, Observation] = {}
    for observation in observations:
        known = latest.get(observation.key)
        if known is None or observation.as_of_s >= known.as_of_s:
            latest[observation.key] = observation
    readings: dict[str, Observation] = {}
    for key in sorted(latest):
        found = classify(latest[key], now_s, age_s_max, hard_age_s_max)
        if found is not None:
            readings[key] = found
    missing = tuple(sorted(set(required) - readings.keys()))
    return MarketSnapshot(_digest(now_s, readings, missing), now_s, readings, missing)


def _digest(now_s: int, readings: Mapping[str, Observation], missing: tuple[str, ...]) -> str:
    """Return 16 hexadecimal digits of SHA-256 over the sorted content; repr of a float is exact."""
    lines = [
        f"{o.key}|{o.value!r}|{o.unit}|{o.source}|{o.as_of_s}|{o.fetched_at_s}|{o.provenance!s}"
        for o in readings.values()
    ]
    text = f"{now_s}\n{','.join(missing)}\n" + "\n".join(lines)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
