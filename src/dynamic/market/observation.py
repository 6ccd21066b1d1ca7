"""An observation: one value with its source, its age and its provenance.

A value that was not observed is never invented. It is missing, or it says what it is:

    OBSERVED   a source said so, within its age limit
    DERIVED    computed from observed values (MVRV Z from market cap and realized cap)
    FALLBACK   a stand-in a person chose beforehand (manual entry, assumed yield, par)
    STALE      observed, but older than its age limit; shown, never traded on
    SYNTHETIC  from a seeded generator; labelled on every screen

Keys are `metric` or `metric:subject`: `price:BTC`, `mvrv_z:BTC`, `market_cap:BTC`,
`realized_cap:BTC`, `funding:BTC`, `fear_greed`, `gas:ethereum`, `apy:aave_v3:USDC`,
`tvl:aave_v3`, `index:aave_v3:USDC`, `virtual_price:curve:LP-USDC-USDT`, `pt_price:PT-USDC-...`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from dynamic.errors import InvariantBroken


class Provenance(StrEnum):
    """How a value came to be; see the module's table."""

    OBSERVED = "observed"
    DERIVED = "derived"
    FALLBACK = "fallback"
    STALE = "stale"
    SYNTHETIC = "synthetic"


@dataclass(frozen=True, slots=True)
class Observation:
    """One value. Prices are integers of usd_micro per whole token; estimates are floats.

    `as_of_s` is the instant the value speaks of, `fetched_at_s` the instant we could know it;
    `unit` is one of usd_micro, usd, ratio, per_8h, index, wei, fraction, ray, wad.
    """

    key: str
    value: int | float
    unit: str
    source: str
    as_of_s: int
    fetched_at_s: int
    provenance: Provenance = Provenance.OBSERVED

    def age_s(self, now_s: int) -> int:
        """Seconds since the value was true; reading the future breaks an invariant."""
        if self.fetched_at_s > now_s:
            raise InvariantBroken(
                f"{self.key} known at {self.fetched_at_s} was read at {now_s}: look-ahead"
            )
        return now_s - self.as_of_s

    def marked(self, provenance: Provenance) -> "Observation":
        """Return the same value under another provenance."""
        return replace(self, provenance=provenance)
