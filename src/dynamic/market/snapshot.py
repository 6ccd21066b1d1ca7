"""One snapshot serves every step of one decision cycle.

    assemble : observations x age limits x now  ->  MarketSnapshot

A key that is absent from `readings` is missing, and stays missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dynamic.market.observation import Observation, Provenance


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
