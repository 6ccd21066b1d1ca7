"""Quality: how old a value may be, by its kind, before it is shown but not traded on.

    classify : observation x now x age limits  ->  observation | the same, STALE | None

    age == limit is fresh, one second more is STALE; past the hard limit the value is missing

Limits are handed in from the mandate by metric (`price`), by full key (`price:USDC`), or `*`
for everything else. A metric without any limit is a configuration error, not an eternal value.
"""

from collections.abc import Mapping

from dynamic.errors import ConfigRefused, InvariantBroken
from dynamic.market.observation import Observation, Provenance

EVERYTHING_ELSE = "*"


def limit_s(key: str, limits_s: Mapping[str, int]) -> int:
    """Return the age limit of a key in seconds: its own, its metric's, or everything else's.

    A second opinion ages as what it is held against: `crosscheck:price:BTC` as a price.
    """
    metric = key.removeprefix("crosscheck:").partition(":")[0]
    found = limits_s[key] if key in limits_s else limits_s.get(metric)
    if found is None:
        found = limits_s.get(EVERYTHING_ELSE)
    if found is None:
        raise ConfigRefused(f"expected an age limit for {key}, found none: add one to the mandate")
    return found


def classify(
    observation: Observation,
    now_s: int,
    age_s_max: Mapping[str, int],
    hard_age_s_max: Mapping[str, int],
) -> Observation | None:
    """Return the value as it may be used now; None once it is older than its hard limit.

    Raises InvariantBroken for a value from the future: reading it would be look-ahead.
    """
    age_s = observation.age_s(now_s)
    if age_s < 0:
        raise InvariantBroken(
            f"{observation.key} speaks of {observation.as_of_s}, read at {now_s}: look-ahead"
        )
    if age_s <= limit_s(observation.key, age_s_max):
        return observation
    if age_s > limit_s(observation.key, hard_age_s_max):
        return None
    return observation.marked(Provenance.STALE)
